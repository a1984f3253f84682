"""Deletion of Plans and DatabaseServers is blocked while they are in use, by our finalizer.

The admission policy of the chart refuses such a deletion at once, by the count
in the status; this is what holds when that count is some seconds old.
"""

from collections.abc import Sequence
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.base import Metadata
from vivero_core.model.constants import FINALIZER_IN_USE

from vivero_operator.reconcile.run import Services

_NAMED: Final = 5


async def settle(services: Services, address: Resource, metadata: Metadata, users: Sequence[str]) -> None:
    """Put the finalizer on, or, when the object is to go and nothing uses it, take it off."""
    leaving = metadata.deletion_timestamp is not None and not users
    present = FINALIZER_IN_USE in metadata.finalizers
    if leaving and present:
        await _write(services, address, metadata, [one for one in metadata.finalizers if one != FINALIZER_IN_USE])
    elif not present and metadata.deletion_timestamp is None:
        await _write(services, address, metadata, [*metadata.finalizers, FINALIZER_IN_USE])


def held_by(users: Sequence[str]) -> str:
    """Who uses it, for people."""
    more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
    return f"In use by {', '.join(users[:_NAMED])}{more}" if users else "Not in use"


async def _write(services: Services, address: Resource, metadata: Metadata, finalizers: list[str]) -> None:
    patch: dict[str, Any] = {
        "metadata": {
            "uid": metadata.uid,
            # Another finalizer that is added at this moment must not get lost.
            "resourceVersion": metadata.resource_version,
            "finalizers": finalizers,
        }
    }
    try:
        await services.kube.patch(address, metadata.name, patch)
    except (KubeConflictError, KubeNotFoundError):
        return  # the event of that change requeues the object
