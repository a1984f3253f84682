"""What sends spans: to a collector that records, that refuses, that is away; and that nothing waits for it."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.collector import Collector, recording
from vivero_core.sending import Target
from vivero_core.tracing import exporter
from vivero_core.tracing.exporter import QUEUE
from vivero_core.tracing.setup import headers_of, tracer_to
from vivero_core.tracing.spans import Kind, Tracer, span

RESOURCE = {"service.name": "ours", "service.version": "1"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with recording() as found:
        yield found


@pytest.mark.parametrize("path", ["", "/", "/otlp", "/otlp/"])
def test_spans_arrive_with_who_sent_them_and_with_what_a_product_asks_for(collector: Collector, path: str) -> None:
    tracer = tracer_to(collector.url + path, RESOURCE, headers="api-key=a%2Cb, Authorization=ApiKey x==")
    with tracer.begin("GET /", Kind.SERVER), span("step"):
        pass
    tracer.close()
    assert [(service, one.name) for service, one in collector.spans] == [("ours", "step"), ("ours", "GET /")]
    assert collector.resources == [RESOURCE]
    assert collector.paths == {f"{path.rstrip('/')}/v1/traces"}
    (headers,) = collector.headers
    assert headers["content-type"] == "application/x-protobuf"
    assert (headers["api-key"], headers["authorization"]) == ("a,b", "ApiKey x==")


def test_without_an_end_they_are_sent_now_and_then(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "PAUSE_SECONDS", 0.01)
    tracer = tracer_to(collector.url, RESOURCE)
    for number in range(3):
        with tracer.begin(f"GET /{number}", Kind.SERVER):
            pass
        while not collector.named(f"GET /{number}"):
            threading.Event().wait(0.01)
    tracer.close()


def test_a_collector_that_is_away_is_told_of_once_and_so_is_its_return(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exporter, "PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(exporter, "BATCH", 1)
    collector.status = 503
    tracer = tracer_to(collector.url, RESOURCE, headers="api-key=hunter2")
    for number in range(3):
        with tracer.begin("lost", Kind.SERVER):
            pass
        while len(collector.headers) < number + 1:
            threading.Event().wait(0.01)
    collector.status = 200
    with tracer.begin("kept", Kind.SERVER):
        pass
    tracer.close()
    assert [one.name for _, one in collector.spans] == ["kept"]
    assert [record.message for record in caplog.records] == [
        "spans are not taken, and are dropped: RefusedError: status 503",
        "spans are taken again; 3 were dropped",
    ]


def test_what_does_not_fit_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while nothing can be sent: memory is bounded."""
    spans, blocked = exporter.exporter("http://127.0.0.1:1", RESOURCE, {}, None), threading.Event()
    monkeypatch.setattr(Target, "post", lambda *_: blocked.wait(30))
    tracer = Tracer(spans.keep)
    for _ in range(QUEUE * 2):
        with tracer.begin("x", Kind.SERVER):
            pass
    assert len(spans) <= QUEUE
    blocked.set()
    spans.close()


@given(st.dictionaries(st.from_regex(r"[A-Za-z-]+", fullmatch=True), st.from_regex(r"[ -~]*", fullmatch=True)))
def test_headers_are_read_as_they_were_meant(headers: dict[str, str]) -> None:
    assert headers_of(",".join(f"{name}={quote(value)}" for name, value in headers.items())) == headers


@pytest.mark.parametrize("text", ["hunter2", "=hunter2", "a=1,hunter2"])
def test_what_is_no_header_is_refused_without_its_words(text: str) -> None:
    with pytest.raises(ValueError, match="has to be name=value") as found:
        headers_of(text)
    assert "hunter2" not in str(found.value)


MONITORING = Path(__file__).parents[3] / "docs" / "monitoring.md"
PRODUCTS = [
    [cell.strip() for cell in line.strip("| \n").split("|")]
    for line in MONITORING.read_text().partition("### Products")[2].partition("\n## ")[0].splitlines()
    if "`http" in line
]


@pytest.mark.parametrize("row", PRODUCTS, ids=[row[0].partition(",")[0] for row in PRODUCTS])
def test_each_product_is_sent_what_its_row_says(collector: Collector, row: list[str]) -> None:
    """Path and headers as they come off the wire; the host alone is the collector's."""
    wanted = {
        "Datadog": ("/v1/traces", {"dd-api-key": "k3y", "dd-otlp-source": "k3y"}),
        "New Relic": ("/v1/traces", {"api-key": "k3y"}),
        "Elastic": ("/v1/traces", {"authorization": "ApiKey k3y"}),
    }
    path, expected = wanted.get(row[0].partition(",")[0], ("/v1/traces", {}))
    (endpoint, *_), headers = re.findall("`(http[^`]+)`", row[1]), row[2].strip("`") if len(row) > 2 else ""
    told = re.sub("<[^>]+>", "k3y", headers)
    tracer = tracer_to(collector.url + urlsplit(endpoint).path, RESOURCE, headers=told)
    with tracer.begin("GET /", Kind.SERVER):
        pass
    tracer.close()
    assert collector.paths == {path}
    assert [one.name for _, one in collector.spans] == ["GET /"]
    ours = {"host", "accept-encoding", "content-length", "content-type"}
    assert {name: value for name, value in collector.headers[0].items() if name not in ours} == expected


def test_every_product_is_there() -> None:
    assert [row[0].partition(",")[0] for row in PRODUCTS] == ["Jaeger", "Datadog", "New Relic", "Elastic"]
