"""From a bucket of the durations to the trace of a request that fell into it, for who asks for OpenMetrics."""

import re
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.plugins.prometheus import PrometheusConfig
from litestar.types import ASGIApp
from support.asgi import ask, transport_to
from vivero_control.lib.health import Health, internal_app
from vivero_core.tracing.spans import Span, Tracer
from vivero_data.serving import metrics
from vivero_web.current_request import Proxies
from vivero_web.request_context import RequestContext
from vivero_web.request_spans import RequestSpans, exemplar

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"


@get("/slow")
async def slow() -> str:
    return "ok"


def never() -> bool:
    raise AssertionError("nothing asks whether it is ready")


def serving(program: str) -> ASGIApp:
    """What serves the metrics of a program."""
    database: Any = None
    app: ASGIApp = metrics if program == "data plane" else internal_app(Health(database, never))
    return app


@pytest.mark.parametrize("program", ["data plane", "control plane"])
@pytest.mark.parametrize(("ratio", "kept"), [(1.0, True), (0.0, False)])
async def test_a_bucket_names_a_trace_that_was_kept(
    program: str, ratio: float, *, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"exemplars_{program.replace(' ', '_')}_{int(ratio)}"
    config, ended = PrometheusConfig(app_name="x", prefix=prefix, group_path=True, exemplars=exemplar), list[Span]()
    # The framework has its metrics by their names, for the process.
    monkeypatch.setattr("litestar.plugins.prometheus.PrometheusMiddleware._metrics", {})
    app = Litestar([slow], middleware=[config.middleware], logging_config=None)
    spans = RequestSpans(Tracer(ended.append, ratio))
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="", spans=spans)
    async with httpx.AsyncClient(transport=transport_to(app), base_url="http://test") as client:
        assert (await client.get("/slow")).status_code == 200
    answer = await ask(serving(program), "GET", "/metrics", [("accept", OPENMETRICS)])
    assert dict(answer.headers)[b"content-type"].startswith(b"application/openmetrics-text")
    text = answer.body.decode()
    named = re.findall(rf'^{prefix}_request_duration_seconds_bucket.* # {{trace_id="([0-9a-f]+)"}}', text, re.MULTILINE)
    assert named == [one.context.trace for one in ended]
    assert bool(named) is kept


@pytest.mark.parametrize("program", ["data plane", "control plane"])
async def test_others_get_the_plain_form(program: str) -> None:
    answer = await ask(serving(program), "GET", "/metrics")
    assert dict(answer.headers)[b"content-type"].startswith(b"text/plain; version=0.0.4")
    assert b" # {" not in answer.body
