"""A span for each SQL statement of a request or job that is traced: its shape, without values."""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from vivero_core.tracing.spans import Span
from vivero_core.tracing.statements import statement_span

_SPAN = "vivero_span"


def trace_statements(engine: Engine) -> None:
    """From now on, of all connections of this engine."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


def _begin(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:  # noqa: ANN401  the driver's
    connection.info[_SPAN] = statement_span(statement).__enter__()


def _end(connection: Connection, *_: Any) -> None:  # noqa: ANN401  as above
    _close(connection, None)


def _fail(context: ExceptionContext) -> None:
    if context.connection is not None and context.cursor is not None:
        _close(context.connection, context.original_exception)


def _close(connection: Connection, error: BaseException | None) -> None:
    span: Span | None = connection.info.pop(_SPAN, None)
    if span is not None:
        span.__exit__(type(error) if error else None, error, None)
