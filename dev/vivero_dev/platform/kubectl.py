"""kubectl as this tool uses it: server-side apply, get, logs; every call has a timeout."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.platform.names import FIELD_MANAGER

CALL_SECONDS = 30.0

# A Kubernetes object as kubectl reads and prints it: its shape differs by kind.
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The program and the cluster it talks to."""

    program: Path
    kubeconfig: Path

    def command(self, *arguments: str) -> list[str]:
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = CALL_SECONDS) -> str:
        wait = f"--request-timeout={timeout:.0f}s"
        return run("kubectl", self.command(wait, *arguments), stdin=stdin, timeout=timeout + 5)

    def apply(self, objects: Sequence[Object]) -> None:
        """Server-side apply of all objects in one call, in their order."""
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        options = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
        self.run("apply", *options, "--filename=-", stdin=document)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None if it does not exist; other errors raise."""
        where = () if namespace is None else (f"--namespace={namespace}",)
        found = self.run("get", kind, name, *where, "--ignore-not-found", "--output=json")
        return _parsed(found) if found.strip() else None

    def list(self, kind: str, namespace: str | None = None, *, selector: str = "") -> list[Object]:
        where = "--all-namespaces" if namespace is None else f"--namespace={namespace}"
        found = self.run("get", kind, where, f"--selector={selector}", "--output=json")
        items: list[Object] = _parsed(found)["items"]
        return items

    def pod_log(self, namespace: str, pod: str, *, lines: int, previous: bool = False) -> str:
        """The tail of a pod's log; empty if there is none."""
        arguments = ["logs", f"--namespace={namespace}", pod, "--all-containers", f"--tail={lines}"]
        try:
            return self.run(*arguments, *(("--previous",) if previous else ()))
        except ComponentError:
            return ""


def _parsed(text: str) -> Object:
    value: Object = json.loads(text)
    return value
