"""JSON lines on standard output, one an event, for any collector; secrets are redacted, should one ever get near them."""

import logging
import sys
from collections.abc import Mapping
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from vivero_core.error_reports.reporter import Reporter
from vivero_core.log_events import EcsNames, Form, add_trace, redact_event

_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""Attributes of every record of the standard library."""
_TEMPLATE: Final = "_template"
"""In the event of a record of the standard library: its message before anything was put into it."""


def configure(
    level: str,
    *own: str,
    form: Form = "plain",
    service: str = "",
    reporter: Reporter | None = None,
    **always: str,
) -> None:
    """Our events from `level` on, those of the standard library's loggers called `own` too; of libraries, warnings.

    `service` is the program's name, for ECS; `reporter` gets what is an error; each line has what is `always` so.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _adding(always),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _reporting(reporter or Reporter()),
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


def _reporting(reporter: Reporter) -> Processor:
    def tell(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        what = event.pop(_TEMPLATE, event["event"])
        reporter.report(what, event["level"], _exception_of(event.get("exc_info")), event)
        return event

    return tell


def _exception_of(given: object) -> BaseException | None:
    """Of the three forms in which structlog takes it."""
    found = given[1] if isinstance(given, tuple) else given
    if isinstance(found, BaseException):
        return found
    return sys.exception() if found else None


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
        event[_TEMPLATE] = record.msg
        if record.exc_info:
            event["exc_info"] = record.exc_info
        # A message may hold a brace or a per cent sign: it is no template any more.
        logger.log(record.levelno, record.getMessage(), **event)
