"""Names of a customer's own for a workspace: what was typed, and where each stands; pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import idna
from msgspec import Struct
from vivero_core.model.constants import Reason
from vivero_core.model.naming import is_host
from vivero_core.model.own_hosts import record_name, record_value
from vivero_core.model.tenant import HostStatus, Tenant
from vivero_web.errors import InvalidInputError

_SAID: Final = "Enter a host name such as app.example.com, without https:// and without a path."
_WORDS: Final[Mapping[str, str]] = {
    Reason.HOST_UNVERIFIED: "The TXT record was not found yet. It is looked for once a minute.",
    Reason.HOST_TAKEN: "Another workspace has proven that it owns this name.",
    Reason.HOST_NOT_ALLOWED: "Names below our own domain cannot be used.",
    Reason.HOST_NOT_SUPPORTED: "This installation serves workspaces under its own names alone.",
    Reason.CERTIFICATE_INVALID: "The name is yours. Its certificate cannot be used; another one is awaited.",
    Reason.CERTIFICATE_MISSING: "The name is yours. Its certificate is awaited.",
    Reason.HOST_SERVED: "The workspace answers there.",
}
_REFUSED: Final = frozenset({Reason.HOST_TAKEN, Reason.HOST_NOT_ALLOWED, Reason.HOST_NOT_SUPPORTED})


class OwnHost(Struct, frozen=True, kw_only=True):
    """A name, where it stands, and what is to be set in DNS for it."""

    host: str
    """As DNS has it."""
    shown: str
    """As people write it."""
    ready: bool
    proven: bool
    refused: bool
    """It cannot be served here, whatever is set in DNS."""
    words: str
    record: str
    """Name of the TXT record."""
    value: str
    """What the TXT record says."""
    certificate_until: datetime | None


def typed_host(text: str) -> str:
    """A host name as DNS has it, of what people type: in any case, with letters of any script, with a dot at the end.

    Raises InvalidInputError naming `host`.
    """
    try:
        host = idna.encode(text.strip().rstrip(".").lower(), uts46=True, std3_rules=True).decode()
    except idna.IDNAError as error:
        raise InvalidInputError.of("host", _SAID) from error
    if not is_host(host):
        raise InvalidInputError.of("host", _SAID)
    return host


def shown_host(host: str) -> str:
    """With the letters that it stands for; as it is where it stands for none."""
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def of_tenant(tenant: Tenant) -> list[OwnHost]:
    """In the order in which they were added."""
    known = {one.host: one for one in tenant.status.hosts}
    return [_of(tenant, host, known.get(host)) for host in tenant.spec.hosts]


def _of(tenant: Tenant, host: str, status: HostStatus | None) -> OwnHost:
    proven = status is not None and status.verified_at is not None
    return OwnHost(
        host=host,
        shown=shown_host(host),
        ready=status is not None and status.ready,
        proven=proven,
        refused=status is not None and status.reason in _REFUSED,
        words=_words(status),
        record=record_name(host),
        value=record_value(tenant.metadata.uid, host),
        certificate_until=status.certificate_expires_at if status else None,
    )


def _words(status: HostStatus | None) -> str:
    """A reason that this program does not know says nothing here: the operator may be newer."""
    if status is None:
        return "It is looked at for the first time."
    return _WORDS.get(status.reason, "")
