"""The id of the request at hand: in every log line, problem and audit row, and in the answer's X-Request-ID."""

import re
import secrets
from contextvars import ContextVar
from typing import Final

HEADER: Final = "x-request-id"
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Empty outside a request."""
    return _current.get()


def accept(offered: str | None) -> str:
    """The caller's id (the ingress makes one) if it is harmless to log, else a new one; current from now on."""
    request_id = offered if offered and _PATTERN.fullmatch(offered) else secrets.token_hex(16)
    _current.set(request_id)
    return request_id
