"""kind: the cluster of the docker provider."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vivero_dev.commands import PULL_STALL_SECONDS, run, run_long
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = ROOT / "dev" / "docker" / "kind.yaml"
# kind's own, on every node.
LABEL = "io.x-k8s.kind.cluster"
LOAD_SECONDS = 300.0
CALL_SECONDS = 60.0
# A node's pods end within them, save the API server, which waits a minute and more for its watches and holds nothing.
STOP_SECONDS = 20.0
# What the node listens on inside, and the instance's port on 127.0.0.1.
PORTS = {80: "http", 443: "https"}


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls kind for one instance; `program` is its binary."""

    program: Path
    instance: Instance

    @property
    def name(self) -> str:
        """Name of the cluster; kind's containers begin with it."""
        return f"vivero-{self.instance.name}"

    def runs(self) -> bool:
        return bool(self._nodes("--filter=status=running"))

    def create(self, log: Path) -> None:
        """Create the cluster and its kubeconfig; an existing one is kept, and started where `down` stopped it."""
        if nodes := self._nodes():
            run("kind", ["docker", "start", *nodes], log=log, timeout=CALL_SECONDS)
        else:
            file = self.instance.state_dir / "kind.json"
            file.write_text(json.dumps(configuration(self.instance.ports), indent=2))
            options = [f"--name={self.name}", f"--config={file}", f"--kubeconfig={self.instance.kubeconfig}"]
            words = [str(self.program), "create", "cluster", *options, "--wait=120s"]
            run_long("kind", words, log=log, stall_timeout=PULL_STALL_SECONDS)
        exported = run("kind", [self.program, "get", "kubeconfig", f"--name={self.name}"], timeout=60)
        self.instance.kubeconfig.touch(mode=0o600)
        self.instance.kubeconfig.write_text(exported)

    def load(self, image: str, log: Path) -> None:
        """Copy an image of the Docker daemon to the node."""
        words = [str(self.program), "load", "docker-image", image, f"--name={self.name}"]
        run("kind", words, log=log, timeout=LOAD_SECONDS)

    def stop(self, log: Path) -> None:
        """Stop the nodes; what they hold stays, the tenants above all."""
        if nodes := self._nodes("--filter=status=running"):
            words = ["docker", "stop", f"--time={STOP_SECONDS:.0f}", *nodes]
            run("kind", words, log=log, timeout=STOP_SECONDS + CALL_SECONDS)

    def delete(self, log: Path) -> None:
        """Remove the nodes with their volumes, which is all that kind does; nothing if there are none."""
        if nodes := self._nodes():
            run("kind", ["docker", "rm", "--force", "--volumes", *nodes], log=log, timeout=LOAD_SECONDS)

    def _nodes(self, *options: str) -> list[str]:
        """Containers of the cluster, queried from Docker, so that `down` works without the kind binary."""
        words = ["docker", "ps", "--all", "--quiet", f"--filter=label={LABEL}={self.name}", *options]
        return run("kind", words, timeout=CALL_SECONDS).split()


def configuration(ports: dict[str, int]) -> dict[str, Any]:
    """dev/docker/kind.yaml with the instance's ports."""
    document: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    mappings = [mapping for node in document["nodes"] for mapping in node.get("extraPortMappings", [])]
    for mapping in mappings:
        name = PORTS.get(mapping["containerPort"])
        if name is None:
            raise ComponentError(str(CONFIGURATION), f"container port {mapping['containerPort']} has no meaning here")
        mapping["hostPort"] = ports[name]
    return document
