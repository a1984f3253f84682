"""JSON lines on standard output, one an event, for any collector."""

import logging
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from vivero_data.lib.json import encode
from vivero_data.lib.redaction import redact

_LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def configure(level: str) -> None:
    """Our own events through structlog, and what libraries log from warnings on, in the same form."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(serializer=_serialize),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Bridge()], force=True)


def _serialize(event: Any, **_: object) -> str:  # noqa: ANN401  structlog's event dictionary
    return encode(event)


class _Bridge(logging.Handler):
    """Hands the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger: WrappedLogger = structlog.get_logger(record.name)
        event: EventDict = {"logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        logger.log(record.levelno, record.getMessage(), **event)
