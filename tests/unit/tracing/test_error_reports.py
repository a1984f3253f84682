"""Reports of errors, as they arrive at a Sentry that records: what is in them, what never is, and their bounds."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError
from support.reports import KEY, Sentry, functions, taking_reports
from vivero_core.error_reports import dsn
from vivero_core.error_reports.dsn import Dsn
from vivero_core.error_reports.reporter import A_MINUTE, Program, Reporter
from vivero_core.error_reports.sender import ROOM
from vivero_core.error_reports.settings import SentryDsn, address_of
from vivero_core.sending import RefusedError, Target
from vivero_core.tracing.spans import Kind, Tracer

PROGRAM = Program("vivero-ours", "1.2", {"tenant_id": "t1"})


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with taking_reports() as found:
        yield found


@dataclass
class Clock:
    """`asked` by which threads."""

    seconds: float = 1000.0
    asked: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        now = self.seconds
        self.asked.append(threading.current_thread().name)
        return now


def reporter_to(sentry: Sentry, monotonic: Callable[[], float] = time.monotonic) -> Reporter:
    return Reporter(address_of(SecretStr(sentry.dsn)), PROGRAM, monotonic)


def fails(words: str) -> None:
    raise ValueError(words)


def follows(words: str) -> None:
    try:
        fails(words)
    except ValueError as error:
        raise KeyError(words) from error


def failure(words: str = "hunter2") -> Exception:
    with pytest.raises(KeyError) as found:
        follows(words)
    return found.value


def test_it_says_what_broke_and_where_and_whose_it_was(sentry: Sentry) -> None:
    with reporter_to(sentry) as reporter:
        fields = {"logger": "vivero_ours.part", "request_id": "r1", "job": 7, "email": "a@b.co", "event": "hunter2"}
        reporter.report("request_failed", "error", failure(), fields)
    (event,) = sentry.events
    assert sentry.paths == ["/sentry/api/42/envelope/"]
    assert sentry.headers[0]["content-type"] == "application/x-sentry-envelope"
    assert f"sentry_key={KEY}" in sentry.headers[0]["x-sentry-auth"]
    assert {key: event[key] for key in ("level", "logger", "server_name", "release", "platform")} == {
        "level": "error",
        "logger": "vivero_ours.part",
        "server_name": "vivero-ours",
        "release": "vivero-ours@1.2",
        "platform": "python",
    }
    assert event["logentry"] == {"message": "request_failed"}
    assert event["tags"] == {"tenant_id": "t1", "request_id": "r1", "job": "7"}
    assert [one["type"] for one in event["exception"]["values"]] == ["ValueError", "KeyError"], "the first one first"
    assert functions(event) == [["follows", "fails"], ["failure", "follows"]]
    frame = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert (frame["filename"], frame["module"]) == (f"{__name__.replace('.', '/')}.py", __name__)


def test_nothing_that_was_put_into_words_leaves(sentry: Sentry) -> None:
    with reporter_to(sentry) as reporter:
        reporter.report("failed at https://u:hunter2@host/", "error", failure("hunter2"), {"person": "hunter2"})
    assert len(sentry.events) == 1
    assert "hunter2" not in sentry.text
    assert KEY not in sentry.text, "the key is in the header alone"


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("Task exception was never retrieved\nfuture: <Task exception=ValueError('hunter2')>", "asyncio"),
        (ValueError("hunter2"), "vivero_ours.part"),
    ],
)
def test_words_that_were_put_together_before_are_not_sent_either(sentry: Sentry, what: object, where: str) -> None:
    with reporter_to(sentry) as reporter:
        reporter.report(what, "error", failure("hunter2"), {"logger": where})
    assert [event["logentry"]["message"] for event in sentry.events] == [where]
    assert "hunter2" not in sentry.text


def test_it_belongs_to_the_trace_under_way(sentry: Sentry) -> None:
    with reporter_to(sentry) as reporter, Tracer(lambda _: None).begin("GET /", Kind.SERVER) as span:
        reporter.report("failed", "error", None)
    assert span is not None
    expected = {"trace_id": span.context.trace, "span_id": span.context.span}
    assert sentry.events[0]["contexts"]["trace"] == expected


def test_those_of_a_group_are_in_it_each_once(sentry: Sentry) -> None:
    first = failure()
    with reporter_to(sentry) as reporter:
        reporter.report("failed", "error", ExceptionGroup("", [first, TypeError(), first]))
    (event,) = sentry.events
    assert [one["type"] for one in event["exception"]["values"]] == [
        "ValueError",
        "TypeError",
        "KeyError",
        "ExceptionGroup",
    ]


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    raise RecursionError


def endless(length: int) -> Exception:
    first: Exception = ValueError()
    last = first
    for _ in range(length):
        last.__cause__ = ValueError()
        last = last.__cause__
    last.__cause__ = first
    return first


@pytest.mark.parametrize("words", ["x" * 100_000, "\ud800", "\0", "{", ""])
def test_it_is_bounded_whatever_broke(sentry: Sentry, words: str) -> None:
    with reporter_to(sentry) as reporter:
        try:
            deep(500)
        except RecursionError as error:
            error.__cause__ = endless(100)
            reporter.report(words, "error", error, {"request_id": words})
    assert len(sentry.events) == 1
    assert len(sentry.text) < 40_000


def test_what_nothing_caught_is_reported_and_goes_on(sentry: Sentry) -> None:
    with pytest.raises(ValueError, match="hunter2"), reporter_to(sentry):
        fails("hunter2")
    assert [(event["level"], event["logentry"]["message"]) for event in sentry.events] == [("fatal", "uncaught")]


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_an_end_is_no_error(sentry: Sentry, end: type[BaseException]) -> None:
    with pytest.raises(end), reporter_to(sentry):
        raise end
    assert sentry.paths == []


@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_only_errors_are_reported(sentry: Sentry, level: str) -> None:
    with reporter_to(sentry) as reporter:
        reporter.report("seen", level, None)
    assert sentry.paths == []


def test_so_many_a_minute(sentry: Sentry) -> None:
    clock = Clock()
    with reporter_to(sentry, clock) as reporter:
        for count in (A_MINUTE, 2 * A_MINUTE):
            for _ in range(A_MINUTE * 3):
                reporter.report("again", "error", None)
            while len(sentry.events) < count:
                threading.Event().wait(0.01)
            clock.seconds += 60
    assert len(sentry.events) == 2 * A_MINUTE


def test_nothing_waits_while_nothing_is_taken(sentry: Sentry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does memory grow."""
    clock, blocked, posted = Clock(), threading.Event(), list[int]()

    def post(*_: object) -> None:
        blocked.wait(30)
        posted.append(1)

    monkeypatch.setattr(Target, "post", post)
    reporter = reporter_to(sentry, clock)
    for _ in range(ROOM * 3):
        clock.seconds += 60
        reporter.report("again", "error", None)
    blocked.set()
    reporter.close()
    assert ROOM <= len(posted) <= ROOM + 1, "and the one that was under way"


def test_a_sentry_that_wants_none_is_left_alone_for_as_long_as_it_says(
    sentry: Sentry, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    sentry.status, sentry.headers_back = 429, {"Retry-After": "120"}
    reporter = reporter_to(sentry, clock)

    def reported(looks: int) -> None:
        """And dealt with: the sender has looked at the clock so often, which it does before it sends and after a refusal."""
        reporter.report("again", "error", None)
        while clock.asked.count("error reports") < looks:
            threading.Event().wait(0.01)

    reported(2)
    sentry.status = 200
    clock.seconds += 119
    reported(3)
    clock.seconds += 1
    reported(4)
    reporter.close()
    assert (len(sentry.paths), len(sentry.events)) == (2, 1)
    assert [record.message for record in caplog.records] == [
        "error reports are not taken, and are dropped: RefusedError: status 429",
        "error reports are taken again; 2 were dropped",
    ]
    assert KEY not in caplog.text


def test_the_address_may_come_and_change_while_the_program_runs(sentry: Sentry) -> None:
    now: list[Dsn | None] = [None]
    with Reporter(lambda: now[0], PROGRAM) as reporter:
        reporter.report("before", "error", None)
        now[0] = dsn.read(sentry.dsn)
        reporter.report("after", "error", None)
    assert [event["logentry"]["message"] for event in sentry.events] == ["after"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://abc@o1.ingest.de.sentry.io/7", "https://o1.ingest.de.sentry.io/api/7/envelope/"),
        ("https://abc:secret@sentry.example.com:8443/a/b/7", "https://sentry.example.com:8443/a/b/api/7/envelope/"),
        ("http://abc@[::1]:9000/7/\n", "http://[::1]:9000/api/7/envelope/"),
    ],
)
def test_addresses_are_read_as_sentry_writes_them(text: str, url: str) -> None:
    assert dsn.read(text) == Dsn(url, "abc")
    assert "abc" not in repr(dsn.read(text))


class Holding(BaseModel, hide_input_in_errors=True):
    dsn: SentryDsn


@given(st.sampled_from(["", "hunter2", "ftp://hunter2@h/1", "https://h/1", "https://hunter2@h/x", "https://hunter2@h/1?a", "https://hunter2@h/1\r\nX: y", "https://hunter2@" + "h" * 2000 + "/1", "https://hunter2@" + "h" * 64 + "/1", "https://hunter2@h..h/1", "https://hunter2@h:99999/1", "https://hunter2@h:0/1", "https://hunter2@\u00e4/1", "https://hunter2@h/\u00e4/1"]))  # fmt: skip
def test_another_form_is_refused_without_its_words(text: str) -> None:
    with pytest.raises(ValueError, match="has to be https://KEY@HOST/PROJECT") as found:
        dsn.read(text)
    assert "hunter2" not in str(found.value)
    with pytest.raises(ValidationError) as refused:
        Holding.model_validate({"dsn": text})
    assert "hunter2" not in str(refused.value)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    try:
        found: Dsn | None = dsn.read(text)
    except ValueError:
        found = None
    assert found is None or found.url.endswith("/envelope/")


@given(st.from_regex(dsn._FORM, fullmatch=True, alphabet=st.characters(codec="ascii")))  # noqa: SLF001  what it lets in
def test_what_is_let_in_can_be_sent_to(text: str) -> None:
    """By the names' own encoder and the parser of addresses: neither raises."""
    try:
        found = dsn.read(text)
    except ValueError:
        return
    address = urlsplit(found.url)
    assert address.port is None or address.port > 0
    assert (address.hostname or "").encode("idna")
    assert address.path.isascii()


@pytest.mark.parametrize("value", [{"a": 1}, ["hunter2"], None, object()])
def test_a_field_that_is_no_id_is_left_out(sentry: Sentry, value: object) -> None:
    with reporter_to(sentry) as reporter:
        reporter.report("failed", "error", None, {"object": value, "job": 7})
    assert [event["tags"] for event in sentry.events] == [{"tenant_id": "t1", "job": "7"}]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("9" * 5000, None), ("Wed, 21 Oct 2026", None), ("", None), (None, None)],
)
def test_a_rest_is_a_number_of_seconds(header: str | None, seconds: int | None) -> None:
    assert RefusedError(429, header).retry_after == seconds


def test_without_an_address_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "post", lambda *_: pytest.fail("sent"))
    with Reporter(address_of(None)) as reporter:
        reporter.report("failed", "error", failure())
