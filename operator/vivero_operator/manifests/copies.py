"""What a tenant's pod and routes need besides its credentials: an account, and copies of what the platform has. Pure.

Kubelet and the ingress look in the tenant's own namespace.
"""

from collections.abc import Iterable
from typing import Any, Final

from vivero_core.model.constants import FIELD_MANAGER, LABEL_MANAGED_BY

from vivero_operator.instance import Instance, Manifest, PlatformFiles, digest, metadata, sealed

PLATFORM = "platform"


def platform(instance: Instance, files: PlatformFiles) -> Manifest:
    """ConfigMap `platform`: public files that every tenant's pod gets."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(instance, PLATFORM),
            "data": {"ca.crt": files.ca, "ticket.pub": files.ticket_key},
        }
    )


def account(instance: Instance) -> Manifest:
    """An account without rights and without a token: pods of a tenant have no business with the API server."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(instance),
            "automountServiceAccountToken": False,
        }
    )


MAIL: Final = "mail"
MAIL_KEYS: Final = ("host", "port", "security", "sender", "reply_to", "username", "password")
TELEMETRY: Final = "telemetry"
TELEMETRY_KEYS: Final = ("sentry_dsn",)
"""Its own address, and not the operator's: each tenant's pod can read it."""


def mail(instance: Instance, source: dict[str, Any]) -> Manifest:
    """The mail server's settings."""
    return _part(instance, MAIL, MAIL_KEYS, source)


def telemetry(instance: Instance, source: dict[str, Any]) -> Manifest:
    """Where the workspace reports errors to."""
    return _part(instance, TELEMETRY, TELEMETRY_KEYS, source)


def _part(instance: Instance, name: str, keys: Iterable[str], source: dict[str, Any]) -> Manifest:
    """What a workspace reads of a Secret in the platform's namespace, and nothing else that it may hold."""
    given = source.get("data") or {}
    data = {key: given[key] for key in keys if key in given}
    return sealed(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(instance, name), "type": "Opaque", "data": data}
    )


_NAME_LIMIT: Final = 253


def login_name(source: str) -> str:
    """Of the copy: a name of its own, so that it is none of the tenant's Secrets."""
    plain = f"pull-{source}"
    return plain if len(plain) <= _NAME_LIMIT else f"pull-{digest(source)}"


def login(instance: Instance, source: dict[str, Any]) -> Manifest:
    """A registry's login: kubelet looks in the pod's own namespace.

    `source`: the Secret in the platform's namespace.
    """
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(instance, login_name(source["metadata"]["name"])),
            "type": source["type"],
            "data": source.get("data") or {},
        }
    )


_PREFIX: Final = "host-"


def certificate_name(host: str) -> str:
    """Of the Secret, whether it is copied or issued; a host name can be longer than an object's name may be."""
    return f"{_PREFIX}{digest(host)}"


def is_certificate_copy(live: Manifest) -> bool:
    """Whether a Secret of a tenant's namespace was made here, and not by an issuer."""
    meta = live["metadata"]
    ours = meta.get("labels", {}).get(LABEL_MANAGED_BY) == FIELD_MANAGER
    return bool(ours and meta["name"].startswith(_PREFIX))


def certificate(instance: Instance, host: str, data: dict[str, str]) -> Manifest:
    """The TLS Secret of a customer's own host, where its Ingress can read it; `data` as a person handed it in."""
    kept = {key: data[key] for key in ("tls.crt", "tls.key")}
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(instance, certificate_name(host)),
            "type": "kubernetes.io/tls",
            "data": kept,
        }
    )
