"""Sentry's address of a project (develop.sentry.dev/sdk/foundations/transport): its key goes into a header, never into a log."""

import re
from dataclasses import dataclass, field
from typing import Final

_FORM: Final = re.compile(
    r"(?P<scheme>https?)://(?P<key>[A-Za-z0-9]+)(:[^\s@/]*)?@(?P<host>[^\s@/?#]+)(?P<path>(/[^\s/?#]+)*)/(?P<project>[0-9]+)/?"
)
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
    if found is None:
        raise ValueError("has to be https://KEY@HOST/PROJECT")
    return Dsn(f"{found['scheme']}://{found['host']}{found['path']}/api/{found['project']}/envelope/", found["key"])
