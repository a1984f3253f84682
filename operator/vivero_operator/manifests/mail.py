"""A copy of the mail server's settings where a tenant's pod can read them: nothing else that the Secret may hold."""

from typing import Any, Final

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed

NAME: Final = "mail"
KEYS: Final = ("host", "port", "security", "sender", "reply_to", "username", "password")


def build(instance: Instance, source: dict[str, Any]) -> Manifest:
    """`source`: the Secret in the platform's namespace."""
    given = source.get("data") or {}
    data = {key: given[key] for key in KEYS if key in given}
    return sealed(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(instance, NAME), "type": "Opaque", "data": data}
    )
