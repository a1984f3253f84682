"""The TLS Secret of a customer's own host, in the tenant's namespace, where its Ingress can read it."""

from typing import Final

from vivero_core.model.constants import FIELD_MANAGER, LABEL_MANAGED_BY

from vivero_operator.instance import Instance, digest
from vivero_operator.manifests.common import Manifest, metadata, sealed

_PREFIX: Final = "host-"


def name(host: str) -> str:
    """Of the Secret, whether it is copied or issued; a host name can be longer than an object's name may be."""
    return f"{_PREFIX}{digest(host)}"


def is_copy(live: Manifest) -> bool:
    """Whether a Secret of a tenant's namespace was made here, and not by an issuer."""
    meta = live["metadata"]
    ours = meta.get("labels", {}).get(LABEL_MANAGED_BY) == FIELD_MANAGER
    return bool(ours and meta["name"].startswith(_PREFIX))


def build(instance: Instance, host: str, data: dict[str, str]) -> Manifest:
    """`data` as in the Secret that a person handed in."""
    kept = {key: data[key] for key in ("tls.crt", "tls.key")}
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(instance, name(host)),
            "type": "kubernetes.io/tls",
            "data": kept,
        }
    )
