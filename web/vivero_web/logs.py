"""JSON lines on standard output, one an event, for any collector; secrets are redacted, should one ever get near them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

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


_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""Attributes of every record of the standard library."""


def configure(level: str, *own: str) -> None:
    """Our events from `level` on, those of the standard library's loggers called `own` too; of libraries, warnings."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Bridge()], force=True)
    for name in own:
        logging.getLogger(name).setLevel(level)


class _Bridge(logging.Handler):
    """Hands the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger: WrappedLogger = structlog.get_logger(record.name)
        # What a line says of its own stands in `extra`: it becomes fields.
        event: EventDict = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        event["logger"] = record.name
        if record.exc_info:
            event["exc_info"] = record.exc_info
        # A message may hold a brace or a per cent sign: it is no template any more.
        logger.log(record.levelno, record.getMessage(), **event)
