"""What a tenant's namespace may use in all."""

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed
from vivero_operator.policies.room import Room


def build(instance: Instance, room: Room) -> Manifest:
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": metadata(instance),
            "spec": {"hard": room.hard()},
        }
    )
