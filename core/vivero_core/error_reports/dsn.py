"""Sentry's address of a project (develop.sentry.dev/sdk/foundations/transport): its key goes into a header, never into a log."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Final

# A host as a resolver takes it, and a path as HTTP does: whatever else is sent to would end the thread that sends.
_LABEL: Final = "[A-Za-z0-9_-]{1,63}"
_FORM: Final = re.compile(
    r"(?P<scheme>https?)://(?P<key>[A-Za-z0-9]+)(:[A-Za-z0-9]*)?@"
    rf"(?P<host>{_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>(/[A-Za-z0-9._~-]+)*)/(?P<project>[0-9]+)/?"
)
_PORTS: Final = range(1, 65536)
_LIMIT: Final = 1000


@dataclass(frozen=True)
class Dsn:
    """Where reports of one project are taken.

    Attributes:
        url: of its envelopes.
        key: by which it is known; secret.
    """

    url: str
    key: str = field(repr=False)


def read(text: str) -> Dsn:
    """`https://KEY@HOST/PROJECT`, perhaps with a path before the project.

    Raises:
        ValueError: it has another form; its text is not in the message.
    """
    found = _FORM.fullmatch(text.strip()) if len(text) <= _LIMIT else None
    if found is None or int(found["port"] or 1) not in _PORTS or not _is_host(found["host"]):
        raise ValueError("has to be https://KEY@HOST/PROJECT")
    host = f"{found['host']}:{found['port']}" if found["port"] else found["host"]
    return Dsn(f"{found['scheme']}://{host}{found['path']}/api/{found['project']}/envelope/", found["key"])


def _is_host(host: str) -> bool:
    """Whether what stands in brackets is an address."""
    try:
        return not host.startswith("[") or bool(IPv6Address(host.strip("[]")))
    except ValueError:
        return False
