"""Events of logs before they are written, for all programs: without secrets, with their trace, under whose names; pure."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

from vivero_core.tracing.spans import current

Form = Literal["plain", "ecs"]
"""Names of fields: our own, or those of the Elastic Common Schema."""
HIDDEN: Final = "<hidden>"
_NAMES: Final = re.compile(
    r"pass(word|wd|phrase)?|secret|token|bearer|authorization|cookie|ticket|session|(api|file|signing)_?key",
    re.IGNORECASE,
)
# Tokens, password hashes, keys in PEM, logins inside addresses, queries: recognised by their form, wherever they are.
_FORMS: Final = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "<token>"),
    (re.compile(r"(?i)\b(bearer)\s+[^\s\"'<]+"), r"\1 <token>"),
    (re.compile(r"\$argon2\w*\$[^\s\"']+"), "<hash>"),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL), "<key>"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+@"), r"\1<secret>@"),
    (re.compile(r"(https?://[^\s?]+|(?<=\s)/[^\s?]*)\?[^\s\"']+"), r"\1?<query>"),
)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for form, replacement in _FORMS:
        text = form.sub(replacement, text)
    return text


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog, the last before a line is written: hides values by their name, and by their form."""
    return {key: HIDDEN if key != "event" and _NAMES.search(key) else _clean(value) for key, value in event.items()}


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return redact_event(None, "", value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def add_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog: where in which trace it happened, kept or not."""
    here = current()
    if here is not None:
        event.update(trace_id=here.trace, span_id=here.span)
    return event


# elastic.co/docs/reference/ecs
_ECS_VERSION: Final = "8.11.0"
_ECS: Final = {
    "timestamp": "@timestamp",
    "event": "message",
    "level": "log.level",
    "logger": "log.logger",
    "exception": "error.stack_trace",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "request_id": "http.request.id",
    "method": "http.request.method",
    "status": "http.response.status_code",
    "client": "client.address",
    "person": "user.id",
}
_NANOSECONDS: Final = 1_000_000


class EcsNames:
    """Processor of structlog, after the redaction: ECS' names for what ECS knows, the others below `vivero.`."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: object, __: str, event: Mapping[str, Any]) -> dict[str, Any]:
        named = {_ECS.get(key, f"vivero.{key}"): value for key, value in event.items() if value != ""}
        if "ms" in event:
            named["event.duration"] = round(named.pop("vivero.ms") * _NANOSECONDS)
        return {**named, "service.name": self._service, "ecs.version": _ECS_VERSION}
