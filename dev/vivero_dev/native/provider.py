"""The native provider: everything runs as processes on this machine; needs Linux and root, not Docker."""

from collections.abc import Callable
from pathlib import Path

from vivero_dev.image_names import read_names
from vivero_dev.instance import Instance
from vivero_dev.native.cluster import cluster_steps, download_steps, image_step
from vivero_dev.native.layout import Cluster
from vivero_dev.native.services import alerting, object_store, telemetry
from vivero_dev.native.services.base import ServiceHost
from vivero_dev.native.services.mail import ensure_mail
from vivero_dev.native.services.mariadb import ensure_mariadb
from vivero_dev.native.services.payments import ensure_payments
from vivero_dev.native.services.valkey import ensure_valkey
from vivero_dev.native.teardown import cluster_leftovers, stop_cluster
from vivero_dev.observability.account import LOGS, ensure_token
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.platform.backing import Endpoint
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.processes import ProcessTable, stop_process
from vivero_dev.provider import SERVICES_READY
from vivero_dev.steps import Say, Step

SERVICES: dict[str, Callable[[ServiceHost, Say], str]] = {
    "mariadb": ensure_mariadb,
    "valkey": ensure_valkey,
    "s3": object_store.ensure_object_store,
    "mail": ensure_mail,
    "payments": ensure_payments,
}
# Proxies before what is behind them, and MariaDB last, which has to flush pages.
STOP_ORDER = (
    *alerting.STOP_ORDER,
    *telemetry.STOP_ORDER,
    "payments",
    "mail",
    object_store.NAME,
    object_store.SERVER,
    "valkey",
    "mariadb",
)


class NativeProvider:
    """Kubernetes in a network namespace of its own, backing services beside it."""

    name = "native"
    ingress_address = ""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def steps(self) -> list[Step]:
        instance = self.instance
        return [*download_steps(instance), *cluster_steps(instance), *self._service_steps(), image_step(instance)]

    def observe(self, monitoring: Monitoring, say: Say) -> str:
        host, watched = ServiceHost.of(self.instance), alerting.Watched.of(self.instance)
        source = telemetry.Source(watched.server, watched.authority, ensure_token(self.kubectl(), LOGS))
        watching = alerting.ensure_watching(host, watched, monitoring, say)
        return ", ".join([*watching, *telemetry.ensure_telemetry(host, source, say)])

    def observability(self) -> dict[str, str]:
        processes, host = ProcessTable(self.instance), ServiceHost.of(self.instance)
        return {
            one.name: one.url(host) for one in (*alerting.PROGRAMS, *telemetry.PROGRAMS) if processes.find(one.name)
        }

    @property
    def prometheus_url(self) -> str:
        return f"https://{self.instance.addresses.host.ip}:{self.instance.ports[alerting.PROMETHEUS.name]}"

    def kubectl(self) -> Kubectl:
        return Cluster(self.instance).kubectl

    def helm(self) -> Path:
        return Cluster(self.instance).tool_path("helm")

    def images(self) -> dict[str, str]:
        return read_names(self.instance)

    def endpoints(self) -> dict[str, Endpoint]:
        """Pods reach the services at the host's end of the veth pair."""
        address, ports = str(self.instance.addresses.host.ip), self.instance.ports
        names = {
            "mariadb": "mariadb",
            "valkey": "valkey",
            "s3": "s3",
            "mail": "smtp",
            "payments": "payments",
            "otlp": "otlp",
        }
        return {name: Endpoint(address, ports[port]) for name, port in names.items()}

    def logs(self) -> dict[str, Path]:
        return {file.stem: file for file in self.instance.log_dir.glob("*.log")}

    def down(self, say: Say) -> str:
        """The cluster first, so that pods end while their backing services still run."""
        stop_cluster(self.instance, say)
        say("stopping the services")
        processes = ProcessTable(self.instance)
        for name in STOP_ORDER:
            processes.stop(name)
        for stray in processes.strays():
            stop_process(stray)
        return "stopped"

    def erase(self, say: Say) -> str:
        # All data is in the state folder, which the caller deletes.
        return self.down(say)

    def leftovers(self) -> list[str]:
        return cluster_leftovers(self.instance)

    def _service_steps(self) -> list[Step]:
        """The services start in parallel once the veth pair exists, whose address they listen on."""
        needs = {"mariadb": ("packages", "unpacked packages"), "valkey": ("unpacked packages",), "s3": ("programs",)}
        return [
            *(
                Step(name, self._service(ensure), ("network", *needs.get(name, ("packages",))))
                for name, ensure in SERVICES.items()
            ),
            Step(SERVICES_READY, lambda _: "all answer", tuple(SERVICES)),
        ]

    def _service(self, ensure: Callable[[ServiceHost, Say], str]) -> Callable[[Say], str]:
        # The ServiceHost is created when the step runs, because it needs the veth pair.
        return lambda say: ensure(ServiceHost.of(self.instance), say)
