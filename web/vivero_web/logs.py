"""JSON lines on standard output, one an event, for any collector; secrets are redacted, should one ever get near them."""

import logging
import sys
from collections.abc import Mapping
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from vivero_core.log_events import EcsNames, Form, add_trace, redact_event

_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""Attributes of every record of the standard library."""


def configure(level: str, *own: str, form: Form = "plain", service: str = "", **always: str) -> None:
    """Our events from `level` on, those of the standard library's loggers called `own` too; of libraries, warnings.

    `service` is the program's name, for ECS; each line has what is `always` so.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _adding(always),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            add_trace,
            redact_event,
            *([EcsNames(service)] if form == "ecs" else []),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Bridge()], force=True)
    for name in own:
        logging.getLogger(name).setLevel(level)


def _adding(always: Mapping[str, str]) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**always, **event}

    return add


def begin_request(request_id: str) -> None:
    """From now on in this request, each line has its id."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def about_tenant(name: str) -> None:
    """From now on in this request, each line says whom it is about: a tenant that exists, by its name in the cluster."""
    structlog.contextvars.bind_contextvars(tenant=name)


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
