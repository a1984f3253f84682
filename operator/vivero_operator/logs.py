"""JSON logs on standard error, one object a line, for our own code and the libraries'; errors among them are reported."""

import logging
import sys

import structlog
from vivero_core.error_reports.reporter import Program, Reporter
from vivero_core.error_reports.settings import address_of
from vivero_core.log_events import EcsNames, Form, add_trace, redact_event

from vivero_operator.settings import Settings
from vivero_operator.tracing import SERVICE

_NOISY = ("aiohttp.access", "botocore", "urllib3", "kopf")
_FIELDS = ("reason", "tenant", "id", "kind", "object", "system", "identity", "because", "task")
"""What our own messages carry besides the text; libraries hang whole objects on theirs."""


def configure(level: str, form: Form = "plain", service: str = "", reporter: Reporter | None = None) -> None:
    """Once, at start; `service` is the program's name, for ECS; `reporter` gets what is an error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=_FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_trace,
            redact_event,
            *([EcsNames(service)] if form == "ecs" else []),
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler, _Reports(reporter or Reporter())]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def reporter_of(settings: Settings) -> Reporter:
    """Of what the operator logs as an error."""
    return Reporter(address_of(settings.sentry_dsn), Program(SERVICE))


class _Reports(logging.Handler):
    """Hands errors to the reporter."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__(logging.ERROR)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = {name: value for name in _FIELDS if isinstance(value := getattr(record, name, None), str)}
        fields = {**structlog.contextvars.get_contextvars(), **said, "logger": record.name}
        self._reporter.report(record.msg, record.levelname.lower(), error, fields)
