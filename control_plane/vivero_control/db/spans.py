"""A span for each SQL statement of a request or job that is traced: its shape, without values."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from vivero_core.tracing.spans import Span
from vivero_core.tracing.statements import statement_span

_SPAN = "vivero_span"


def trace_statements(engine: Engine) -> None:
    """From now on, of all connections of this engine."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


def _begin(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: Any) -> None:  # noqa: ANN401  as SQLAlchemy calls it
    setattr(context, _SPAN, statement_span(statement).__enter__())


def _end(_: Any, __: Any, ___: Any, ____: Any, context: Any, _____: Any) -> None:  # noqa: ANN401  as above
    _close(context, None)


def _fail(context: ExceptionContext) -> None:
    """Also without a statement: a connection that could not be made."""
    _close(context.execution_context, context.original_exception)


def _close(statement: Any, error: BaseException | None) -> None:  # noqa: ANN401  SQLAlchemy's context, or None
    span: Span | None = getattr(statement, _SPAN, None)
    if span is not None:
        setattr(statement, _SPAN, None)
        span.__exit__(type(error) if error else None, error, None)
