"""Installs the charts with Helm, and skips unchanged ones."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.platform.diagnose import first_problem
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.names import PLATFORM
from vivero_dev.steps import Say

# A pod with loaded images starts in seconds; this allows for a busy two-core machine.
WAIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Release:
    """A chart and the values it gets here."""

    name: str
    chart: Path
    values: dict[str, Any]

    def revision(self) -> str:
        """Hash of everything that goes into the release."""
        digest = hashlib.sha256(json.dumps(self.values, sort_keys=True).encode())
        for file in sorted(path for path in self.chart.rglob("*") if path.is_file()):
            digest.update(str(file.relative_to(self.chart)).encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Helm:
    """The program, the cluster it installs into, and where values files are kept."""

    program: Path
    kubectl: Kubectl
    folder: Path
    logs: Path

    def ensure(self, release: Release, say: Say) -> str:
        """Install or upgrade the release unless exactly this revision is deployed; wait until it is ready."""
        wanted = f"vivero {release.revision()}"
        if self._deployed(release.name) == wanted:
            return "unchanged"
        values = self.folder / f"{release.name}.json"
        values.touch(mode=0o600)
        values.write_text(json.dumps(release.values, indent=2))
        log = self.logs / f"helm-{release.name}.log"
        # A failure shows only this attempt's output.
        log.unlink(missing_ok=True)
        say("waiting until it is ready")
        # The release adopts objects that were applied manually before.
        command = self._command("upgrade", "--install", "--take-ownership", release.name, str(release.chart))
        command += [f"--values={values}", "--wait", f"--timeout={WAIT_SECONDS}s", f"--description={wanted}"]
        try:
            run(f"release {release.name}", command, timeout=WAIT_SECONDS + 30, log=log)
        except ComponentError as error:
            trouble = first_problem(self.kubectl, PLATFORM)
            if trouble is None:
                raise
            raise ComponentError(trouble.component, trouble.reason, error.log) from error
        return "installed"

    def _deployed(self, name: str) -> str | None:
        """Description of the release if it is deployed, else None."""
        found = run("helm", self._command("list", f"--filter=^{name}$", "--deployed", "--output=json"), timeout=30)
        if not json.loads(found or "[]"):
            return None
        status = run("helm", self._command("status", name, "--output=json"), timeout=30)
        return str(json.loads(status)["info"]["description"])

    def _command(self, *arguments: str) -> list[str]:
        return [
            str(self.program),
            f"--kubeconfig={self.kubectl.kubeconfig}",
            f"--namespace={PLATFORM}",
            *arguments,
        ]
