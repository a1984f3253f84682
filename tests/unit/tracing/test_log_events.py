"""What a line of a log has, by which names, and that no secret is in it, whoever wrote the line."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vivero_core.log_events import EcsNames, add_trace, redact_event
from vivero_core.tracing.spans import Kind, Tracer
from vivero_operator import logs as operators
from vivero_web import logs as web

SECRET = "Hunter2hunter2"
NAMES = st.sampled_from(["password", "session_token", "Authorization", "refresh_token", "api_key", "cookie", "ticket"])
FORMS = st.sampled_from(
    [
        "Bearer {}",
        "valkeys://user:{}@cache:6379/0",
        "GET https://acme.example.com/login/ticket?ticket={}",
        "eyJhbGciOiJFZERTQSJ9.{}.c2ln",
        "$argon2id$v=19$m=8,t=1,p=1${}",
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    ]
)
WORDS = st.text(alphabet="abc xyz,'\n", max_size=12)


@st.composite
def leaks(draw: st.DrawFn) -> Any:  # noqa: ANN401  a value of a field
    """A value with a secret somewhere in it."""
    held: Any = f"{draw(WORDS)} {draw(FORMS).format(SECRET)} {draw(WORDS)}"
    for _ in range(draw(st.integers(0, 3))):
        held = draw(st.sampled_from([lambda value: [value], lambda value: {"deep": value}, lambda value: (1, value)]))(
            held
        )
    return held


@pytest.fixture(scope="module", params=["web", "operator"])
def written(request: pytest.FixtureRequest) -> Iterator[Callable[[str, dict[str, Any]], str]]:
    """Writes a line by a program's own set-up; what came out."""
    root, ours, out = logging.getLogger(), structlog.get_config(), io.StringIO()
    before = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", out)
        if request.param == "web":
            web.configure("INFO", "ours", form="ecs", service="ours")
        else:
            operators.configure("INFO", "ecs", "ours")

        def write(message: str, extra: dict[str, Any]) -> str:
            out.seek(0)
            out.truncate()
            logging.getLogger("ours").error("failed: %s", message, extra=extra, exc_info=ValueError(message))
            return out.getvalue()

        yield write
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)
    logging.getLogger("ours").setLevel(logging.NOTSET)
    structlog.configure(**ours)


@given(leaks(), leaks(), NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_secret_is_in_a_line_of_any_program(
    written: Callable[[str, dict[str, Any]], str], text: object, field: object, name: str
) -> None:
    line = written(str(text), {"reason": field, name: f"plain {SECRET}"})
    assert SECRET not in line
    assert json.loads(line)["log.level"] == "error"


def test_a_line_in_a_trace_says_where() -> None:
    with Tracer(lambda _: None, ratio=0).begin("GET /", Kind.SERVER) as span:
        event = add_trace(None, "", {"event": "x"})
    assert span is not None
    assert event == {"event": "x", "trace_id": span.context.trace, "span_id": span.context.span}
    assert add_trace(None, "", {"event": "x"}) == {"event": "x"}


def test_ecs_has_names_of_its_own_for_what_it_knows() -> None:
    event = redact_event(
        None,
        "",
        {
            "timestamp": "2026-11-30T12:00:00Z",
            "level": "info",
            "event": "request",
            "logger": "vivero_web.access",
            "method": "GET",
            "route": "/users/{user_id:int}",
            "status": 200,
            "ms": 1.5,
            "client": "192.0.2.1",
            "person": "user/3",
            "request_id": "abc",
            "trace_id": "0a",
            "span_id": "0b",
            "tenant_id": "t",
            "exception": "Traceback",
            "empty": "",
        },
    )
    assert EcsNames("vivero-data-plane")(None, "", event) == {
        "@timestamp": "2026-11-30T12:00:00Z",
        "log.level": "info",
        "message": "request",
        "log.logger": "vivero_web.access",
        "http.request.method": "GET",
        "vivero.route": "/users/{user_id:int}",
        "http.response.status_code": 200,
        "event.duration": 1_500_000,
        "client.address": "192.0.2.1",
        "user.id": "user/3",
        "http.request.id": "abc",
        "trace.id": "0a",
        "span.id": "0b",
        "vivero.tenant_id": "t",
        "error.stack_trace": "Traceback",
        "service.name": "vivero-data-plane",
        "ecs.version": "8.11.0",
    }
