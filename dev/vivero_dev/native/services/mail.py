"""The mail sink as a process: accepts every mail, delivers none, shows them over HTTPS."""

import sys

from vivero_dev.backing import mail
from vivero_dev.native.services.base import PACKAGE_ROOT, ServiceHost, source_revision
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

NAME = "mail"
# The interpreter and its packages may be in root's home, not accessible to other
# UIDs: the sink runs as UID 0 but without any capability.
USER = User(0, 0)
READY_SECONDS = 20.0


def ensure_mail(host: ServiceHost, say: Say) -> str:
    folder = host.certified_folder(NAME, USER, "data")
    ports, url = host.instance.ports, host.reachable.mail_url
    say("starting")
    host.processes.ensure(
        ProcessSpec(
            NAME,
            [
                sys.executable,
                "-m",
                "vivero_dev.mail",
                *(f"--address={address}" for address in host.addresses),
                f"--smtp-port={ports['smtp']}",
                f"--web-port={ports['mail']}",
                f"--folder={folder}/data",
                f"--certificate={folder}/tls.crt",
                f"--key={folder}/tls.key",
            ],
            environment={"PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            user=USER,
            revision=source_revision("mail") + host.certificate().certificate.read_text(),
            ready=lambda: mail.health(url, host.authority.certificate).ok,
            deadline=READY_SECONDS,
        )
    )
    return url
