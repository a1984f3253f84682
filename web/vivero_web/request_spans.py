"""The span of each request, and whose trace it belongs to.

A caller's `traceparent` counts only from a program of ours, known by a secret. From any other it would choose the number
that its request is found by, among those of others, and that its spans are kept, however many it sends.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from litestar.datastructures import Headers
from vivero_core.tracing import context
from vivero_core.tracing.spans import Kind, Span, Tracer, current

from vivero_web.current_request import current_request_id
from vivero_web.exchange import Exchange

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAULT: Final = 500


class RequestSpans:
    """Begins spans; `is_ours` says of a request's headers whether a program of ours sent them."""

    def __init__(self, tracer: Tracer, is_ours: Callable[[Headers], bool] = lambda _: False) -> None:
        self._tracer = tracer
        self._is_ours = is_ours

    @contextmanager
    def around(self, exchange: Exchange, headers: Headers) -> Iterator[None]:
        """Until the answer is sent; named like the route, never like the path, which is the caller's words."""
        parent = context.read(headers.get(context.HEADER)) if self._is_ours(headers) else None
        with self._tracer.begin("request", Kind.SERVER, parent=parent) as span:
            try:
                yield
            finally:
                if span is not None:
                    _describe(span, exchange)


def exemplar(_: object) -> dict[str, str]:
    """Beside a duration in a histogram: the trace that was kept of such a request; for Litestar's PrometheusConfig."""
    here = current()
    return {"trace_id": here.trace} if here is not None and here.sampled else {}


def _describe(span: Span, exchange: Exchange) -> None:
    scope = exchange.scope
    method = str(scope["method"]) if scope["method"] in _METHODS else "_OTHER"  # OpenTelemetry's word for it
    route = str(scope.get("path_template") or "none")
    span.name = f"{method} {route}"
    span.failed = exchange.status >= _FAULT
    span.attributes |= {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": exchange.status,
        "vivero.request_id": current_request_id(),
    }
