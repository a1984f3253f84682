"""No secret in a log line, and one form for all lines."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, get
from litestar.params import FromPath
from support.asgi import transport_to
from vivero_core.error_reports.reporter import Reporter
from vivero_core.log_events import HIDDEN, redact, redact_event
from vivero_core.tracing.spans import Tracer
from vivero_web import logs, request_context
from vivero_web.current_request import Proxies
from vivero_web.request_context import RequestContext
from vivero_web.request_spans import RequestSpans


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"),
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
    ],
    # A hash is another at each run, and workers must agree on the tests' names.
    ids=["token", "hash", "key"],
)
def test_secrets_are_known_by_their_form(secret: str) -> None:
    for text in (secret, f"failed with {secret} at the end", f"authorization: Bearer {secret}"):
        assert secret not in redact(text)
        assert secret not in str(redact_event(None, "", {"event": text, "why": [text], "at": {"deep": (text,)}}))


def test_logins_and_queries_of_addresses_are_cut_out() -> None:
    assert "hunter2" not in redact("valkeys://user:hunter2@host:6379 is away")
    assert "ticket=abc" not in redact("GET https://a.example.com/login/ticket?ticket=abc 200")
    assert "sesame" not in redact("sent bearer sesame")


@given(st.text(alphabet="abc xyz123./:%{}"))
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


@given(
    st.sampled_from(
        ["password", "new_password", "Authorization", "refresh_token", "api_key", "set-cookie", "file_key"]
    ),
    st.text(min_size=8),
)
def test_fields_are_known_by_their_name(key: str, value: str) -> None:
    event = redact_event(None, "", {"event": "x", key: value, "nested": {key: value}, "list": [{key: value}]})
    assert event[key] == event["nested"][key] == event["list"][0][key] == HIDDEN


@pytest.fixture
def _restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    ours = structlog.get_config()
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.getLogger("ours").setLevel(logging.NOTSET)
    structlog.configure(**ours)


@pytest.mark.usefixtures("_restored")
def test_lines_are_json_whoever_writes_them(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "ours")
    logging.getLogger("ours.part").info(
        "seen {by} %s", "https://u:hunter2@host/", extra={"slug": "acme", "token": "hunter2"}
    )
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("100% full")
    structlog.get_logger("any").debug("too_much")
    structlog.get_logger("any").info("happened", odd=object(), half="\ud800")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "seen {by} https://u:<secret>@host/"),
        ("warning", "100% full"),
        ("info", "happened"),
    ]
    assert [line.get("logger") for line in lines] == ["ours.part", "library", None]
    assert (lines[0]["slug"], lines[0]["token"]) == ("acme", "<hidden>"), "what is `extra` is a field"
    assert set(lines[1]) == {"event", "level", "logger", "timestamp"}


@pytest.mark.usefixtures("_restored")
async def test_each_line_of_a_request_has_its_ids_and_the_next_one_has_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger keeps where it wrote first, which is closed when this test ends.
    monkeypatch.setattr(request_context, "log", structlog.get_logger("vivero_web.access"))

    @get("/tenants/{name:str}")
    async def tenant(name: FromPath[str]) -> None:
        logs.about_tenant(name)
        logging.getLogger("ours.part").info("found")

    @get("/others")
    async def others() -> None:
        logging.getLogger("ours.part").info("asked")

    logs.configure("INFO", "ours", tenant_id="t1")
    app = Litestar([tenant, others], logging_config=None)
    spans = RequestSpans(Tracer(lambda _: None, ratio=0))
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="", spans=spans)
    async with httpx.AsyncClient(transport=transport_to(app), base_url="http://test") as client:
        ids = [(await client.get(path)).headers["x-request-id"] for path in ("/tenants/acme", "/others")]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["request_id"], line.get("tenant")) for line in lines] == [
        ("found", ids[0], "acme"),
        ("request", ids[0], "acme"),
        ("asked", ids[1], None),
        ("request", ids[1], None),
    ]
    assert {line["tenant_id"] for line in lines} == {"t1"}
    traces = [line["trace_id"] for line in lines]
    assert traces[0] == traces[1] != traces[2] == traces[3]


@pytest.mark.usefixtures("_restored")
def test_a_fault_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("ERROR")
    logging.getLogger("library").error("broke", exc_info=ValueError("no way to db://u:hunter2@host/"))
    (line,) = capsys.readouterr().out.splitlines()
    assert "ValueError" in json.loads(line)["exception"]
    assert "hunter2" not in line


class Recording(Reporter):
    """Of each report what is to be said, the level, the exception, and the ids."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[tuple[object, str, BaseException | None, object]] = []

    def report(
        self, what: object, level: str, error: BaseException | None, fields: Mapping[str, Any] | None = None
    ) -> None:
        self.reports.append((what, level, error, (fields or {}).get("tenant_id")))


@pytest.mark.usefixtures("_restored")
def test_what_is_logged_is_handed_to_the_reporter_before_anything_was_put_into_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Recording()
    logs.configure("INFO", "ours", reporter=reporter, tenant_id="t1")
    log, error = structlog.get_logger("any"), ValueError("hunter2")
    try:
        raise error
    except ValueError:
        log.exception("one")
        logging.getLogger("library").exception("two of %s", "hunter2")
    log.error("three", exc_info=error)
    log.critical("four", problem="hunter2")
    log.warning("five")
    assert reporter.reports == [
        ("one", "error", error, "t1"),
        ("two of %s", "error", error, "t1"),
        ("three", "error", error, "t1"),
        ("four", "critical", None, "t1"),
        ("five", "warning", None, "t1"),
    ]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["one", "two of hunter2", "three", "four", "five"]
    assert not [name for line in lines for name in line if name.startswith("_")]
