"""A span for each statement, also for one that fails; and a connection that cannot be made is no other error for it."""

import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from vivero_control.db.spans import trace_statements
from vivero_core.tracing.spans import Kind, Span, Tracer, current


def test_statements_are_spans_and_one_that_fails_says_so() -> None:
    engine, ended = create_engine("sqlite://"), list[Span]()
    trace_statements(engine)
    with Tracer(ended.append).begin("GET /", Kind.SERVER), engine.connect() as connection:
        connection.execute(text("SELECT :name"), {"name": "hunter2"})
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 'hunter2' FROM nowhere"))
        here = current()
    engine.dispose()
    assert here == ended[-1].context, "a statement that failed is under way no more"
    assert [(one.name, one.failed) for one in ended[-3:]] == [
        ("SELECT", False),
        ("SELECT nowhere", True),
        ("GET /", False),
    ]
    assert not any("hunter2" in str(value) for one in ended for value in one.attributes.values())


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_a_server_that_is_away_is_the_error_that_it_was(ratio: float) -> None:
    def away() -> sqlite3.Connection:
        raise sqlite3.OperationalError("away")

    engine = create_engine("sqlite://", creator=away)
    trace_statements(engine)
    with (
        Tracer(lambda _: None, ratio).begin("GET /", Kind.SERVER),
        pytest.raises(OperationalError, match="away"),
        engine.connect(),
    ):
        pass
    engine.dispose()
