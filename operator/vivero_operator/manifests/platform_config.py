"""ConfigMap `platform`: public files that every tenant's pod gets."""

from vivero_operator.instance import Instance, PlatformFiles
from vivero_operator.manifests.common import Manifest, metadata, sealed

NAME = "platform"


def build(instance: Instance, files: PlatformFiles) -> Manifest:
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(instance, NAME),
            "data": {"ca.crt": files.ca, "ticket.pub": files.ticket_key},
        }
    )
