"""A copy of a registry's login where tenants' pods can use it: kubelet looks in the pod's own namespace."""

from typing import Any, Final

from vivero_operator.instance import Instance, digest
from vivero_operator.manifests.common import Manifest, metadata, sealed

_NAME_LIMIT: Final = 253


def name(source: str) -> str:
    """Of the copy: a name of its own, so that it is none of the tenant's Secrets."""
    plain = f"pull-{source}"
    return plain if len(plain) <= _NAME_LIMIT else f"pull-{digest(source)}"


def build(instance: Instance, source: dict[str, Any]) -> Manifest:
    """`source`: the Secret in the platform's namespace."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(instance, name(source["metadata"]["name"])),
            "type": source["type"],
            "data": source.get("data") or {},
        }
    )
