"""The TLS Secret of a customer's own host, in the tenant's namespace, where its Ingress can read it."""

from vivero_operator.instance import Instance, digest
from vivero_operator.manifests.common import Manifest, metadata, sealed


def name(host: str) -> str:
    """Of the Secret, whoever makes it; a host name can be longer than an object's name may be."""
    return f"host-{digest(host)}"


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
