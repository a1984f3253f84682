"""What every provider of a local platform can do; native and docker implement it."""

from pathlib import Path
from typing import Protocol

from vivero_dev.instance import Instance
from vivero_dev.platform.backing import Endpoint
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.steps import Say, Step

# Steps that every provider's list holds, for others to need.
CLUSTER_READY = "cluster"
SERVICES_READY = "services"
INGRESS_READY = "ingress"
IMAGES_READY = "images"


class Provider(Protocol):
    """Brings up cluster, ingress, images and backing services of one instance, and takes them down."""

    name: str
    instance: Instance
    ingress_address: str
    """Of the ingress, as pods reach it; empty: where the public names lead."""

    def steps(self) -> list[Step]:
        """What comes before the charts; holds the four steps named above."""
        ...

    def kubectl(self) -> Kubectl: ...

    def helm(self) -> Path: ...

    def images(self) -> dict[str, str]:
        """Image of each program of ours (`operator`, `control-plane`, `data-plane`), once built."""
        ...

    def endpoints(self) -> dict[str, Endpoint]:
        """Where pods reach the backing services."""
        ...

    def logs(self) -> dict[str, Path]:
        """Log files by component."""
        ...

    def down(self, say: Say) -> str:
        """Stop everything; data stays."""
        ...

    def erase(self, say: Say) -> str:
        """`down`, and delete what is kept outside the instance's state folder."""
        ...

    def leftovers(self) -> list[str]:
        """What is still there that `down` should have removed, in words."""
        ...
