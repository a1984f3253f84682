"""JSON lines on standard output, without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_SECRET_KEYS: Final = re.compile(
    r"pass(word|wd|phrase)?|secret|token|authorization|cookie|ticket|session|api_?key", re.IGNORECASE
)
# Tokens, password hashes, keys in PEM, logins inside addresses, queries: recognised by their form, wherever they are.
_SECRET_VALUES: Final = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "<token>"),
    (re.compile(r"\$argon2\w*\$[^\s\"']+"), "<hash>"),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL), "<key>"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+@"), r"\1<secret>@"),
    (re.compile(r"(https?://[^\s?]+|(?<=\s)/[^\s?]*)\?[^\s\"']+"), r"\1?<query>"),
)
HIDDEN: Final = "<hidden>"


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, replacement in _SECRET_VALUES:
        text = pattern.sub(replacement, text)
    return text


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401  structlog's signature
    """Processor of structlog: the last one before the line is written."""
    return {
        key: HIDDEN if key != "event" and _SECRET_KEYS.search(key) else _clean(value) for key, value in event.items()
    }


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return redact_event(None, "", value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def configure(level: str) -> None:
    """For our own loggers and for libraries that use the standard ones."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Each would write a line a request, or one a job and second.
    for noisy in ("uvicorn.access", "saq", "aiosmtplib", "asyncio", "alembic.runtime"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
