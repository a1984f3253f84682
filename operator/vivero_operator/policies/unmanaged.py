"""Unmanaged objects in a tenant's namespace that widen what is allowed there."""

from typing import Any, Final

from vivero_operator.instance import APP
from vivero_operator.manifests import namespace

_OURS: Final = {"NetworkPolicy": frozenset({APP}), "RoleBinding": frozenset({namespace.RIGHTS})}


def is_unmanaged(live: dict[str, Any]) -> bool:
    """`live`: an object of a kind whose objects add up, in a tenant's namespace."""
    return live["metadata"]["name"] not in _OURS[live["kind"]] and not _is_of_the_distribution(live)


def _is_of_the_distribution(live: dict[str, Any]) -> bool:
    """Rights of the namespace's own accounts alone, such as OpenShift puts into every namespace (system:image-pullers).

    A tenant's pods have no token, so they open nothing, and their controller would put them back.
    """
    meta, subjects = live["metadata"], live.get("subjects") or ()
    own = f"system:serviceaccounts:{meta['namespace']}"
    inside = all(
        one.get("name") == own if one.get("kind") == "Group" else one.get("namespace") == meta["namespace"]
        for one in subjects
    )
    return live["kind"] == "RoleBinding" and meta["name"].startswith("system:") and inside
