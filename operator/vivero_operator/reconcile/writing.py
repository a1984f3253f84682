"""Writes the status of our kinds other than Tenant: only what differs, only onto the very object, known at once."""

from typing import Any, TypeVar

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import Resource as Address
from vivero_core.model.base import Model, Resource
from vivero_core.model.reading import Unreadable, read

from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.run import Services

R = TypeVar("R", bound=Resource)


def patch_of(old: Model, new: Model, unread: tuple[str, ...] = ()) -> dict[str, Any]:
    """The merge patch from `old` to `new`; empty when they are the same. A list is replaced as a whole.

    `unread`: fields of the stored status that could not be read, to be taken away.
    """
    after = new.dump()
    gone = {key: None for key in unread if key not in after}
    return gone | _difference(old.dump(), after)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A merge patch goes into objects: what is gone from one has to be said there."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        known = before.get(key)
        if known != value:
            patch[key] = _difference(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return patch


async def write_status(services: Services, address: Address, item: R, status: Model, mirror: Mirror[R]) -> bool:
    """True when that took a write; one that is gone needs none."""
    old: Model = item.status  # type: ignore[attr-defined]  # every kind of ours has one
    patch = patch_of(old, status, item.unread_status)
    if not patch:
        return False
    try:
        body = await services.kube.patch_status(address, item.name, patch, uid=item.metadata.uid)
    except KubeNotFoundError:
        return False
    remember(type(item), body, mirror)
    return True


def remember(model: type[R], body: dict[str, Any], mirror: Mirror[R]) -> R | None:
    """The API server's answer to a write of ours; None when it cannot be parsed, which its event reports."""
    found = read(model, body)
    if isinstance(found, Unreadable):
        return None
    mirror.put(found)
    return found
