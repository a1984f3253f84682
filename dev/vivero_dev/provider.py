"""The interface of a provider of local platforms; native and docker implement it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from vivero_dev.instance import Instance
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.platform.backing import Endpoint
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.steps import Say, Step

# Steps that every provider has, so that other steps can depend on them.
CLUSTER_READY = "cluster"
SERVICES_READY = "services"
INGRESS_READY = "ingress"
IMAGES_READY = "images"


class Provider(Protocol):
    """Brings up cluster, ingress, images and backing services of one instance, and takes them down."""

    name: str
    instance: Instance
    ingress_address: str
    """Address of the ingress for pods; empty if the public names resolve for them."""

    @property
    def prometheus_url(self) -> str:
        """Where pods find Prometheus while it runs; empty for a provider that has none."""
        ...

    def steps(self) -> list[Step]:
        """The steps before the charts; includes the four named above."""
        ...

    @property
    def observe(self) -> Callable[[Monitoring, Say], str] | None:
        """Start Prometheus and Alertmanager, which do what the charts say, on a platform that is up; None: it has neither."""
        ...

    def observability(self) -> dict[str, str]:
        """Addresses of those two, by name, while they run."""
        ...

    def kubectl(self) -> Kubectl: ...

    def helm(self) -> Path: ...

    def images(self) -> dict[str, str]:
        """Image of each of our programs (`operator`, `control-plane`, `data-plane`), once built."""
        ...

    def endpoints(self) -> dict[str, Endpoint]:
        """Addresses of the backing services for pods."""
        ...

    def logs(self) -> dict[str, Path]:
        """Log files by component."""
        ...

    def down(self, say: Say) -> str:
        """Stop everything; data stays."""
        ...

    def erase(self, say: Say) -> str:
        """`down`, and delete state outside the instance's state folder."""
        ...

    def leftovers(self) -> list[str]:
        """Descriptions of what `down` should have removed but is still there."""
        ...
