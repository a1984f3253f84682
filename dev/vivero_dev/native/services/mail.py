"""The mail sink: takes every mail, delivers none, shows them over HTTPS."""

import ssl
import sys
from pathlib import Path

import httpx

from vivero_dev.health import Health
from vivero_dev.native.services.base import LOOPBACK, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

# The interpreter and its packages may lie in root's home, closed to other
# numbers: the sink stays number 0 but has no capability of root's left.
USER = User(0, 0)
READY_SECONDS = 20.0
PACKAGE_ROOT = Path(__file__).resolve().parents[3]


class MailSink:
    """The SMTP server of an instance and the page to read its mails on."""

    name = "mail"

    def __init__(self, host: ServiceHost) -> None:
        self._host = host
        self.port = host.instance.ports["smtp"]
        self.web_port = host.instance.ports["mail"]

    @property
    def url(self) -> str:
        """Where people and tests read the mails."""
        return f"https://{LOOPBACK}:{self.web_port}"

    def ensure(self, say: Say) -> str:
        folder = self._host.own_folder(self.name, USER)
        say("starting")
        self._host.processes.ensure(self._process(folder))
        return self.url

    def health(self) -> Health:
        context = ssl.create_default_context(cafile=str(self._host.authority.certificate))
        try:
            answer = httpx.get(f"{self.url}/api/messages", timeout=5, verify=context).raise_for_status()
            count = len(answer.json()["messages"])
        except (httpx.HTTPError, ValueError) as error:
            return Health(self.name, ok=False, message=str(error))
        return Health(self.name, ok=True, message=f"{count} mails at {self.url}")

    def _process(self, folder: Path) -> ProcessSpec:
        return ProcessSpec(
            self.name,
            [
                sys.executable,
                "-m",
                "vivero_dev.mail",
                *(f"--address={address}" for address in self._host.addresses),
                f"--smtp-port={self.port}",
                f"--web-port={self.web_port}",
                f"--folder={folder}/data",
                f"--certificate={folder}/tls.crt",
                f"--key={folder}/tls.key",
            ],
            environment={"PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            user=USER,
            revision=_source_revision() + self._host.certificate().certificate.read_text(),
            ready=lambda: self.health().ok,
            deadline=READY_SECONDS,
        )


def _source_revision() -> str:
    """The sink is our own program: a change of its code starts it anew."""
    return "".join(file.read_text() for file in sorted((PACKAGE_ROOT / "vivero_dev/mail").glob("*.py")))
