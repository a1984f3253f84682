"""JSON lines on standard output, one an event, for any collector; without secrets."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from vivero_web.redaction import redact_event

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
