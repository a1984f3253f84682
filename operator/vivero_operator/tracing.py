"""Traces of what a person waits for: the passes over a tenant between its signup and its first answer (OpenTelemetry).

The control plane leaves the context of the signup's request in an annotation of the Tenant (W3C Trace Context). While the
tenant is awaited, each pass over it is a span of that trace, each step a span below it, and calls of the tenant's pod carry
the context on. Without an endpoint nothing of OpenTelemetry is loaded: it takes megabytes that most installations need not
spend.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from vivero_core.model.constants import ANNOTATION_TRACE
from vivero_core.model.tenant import Tenant

from vivero_operator.policies import life

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE: Final = "vivero-operator"
HEADER: Final = "traceparent"
SEND_SECONDS: Final = 3.0
"""For one batch with all its attempts; what could not be sent is dropped."""
_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Tracing:
    """Without a provider nothing is traced."""

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        self._provider = provider

    @classmethod
    def to(cls, endpoint: str | None) -> "Tracing":
        """To a collector that takes OTLP over HTTP at `endpoint`/v1/traces; nowhere without one."""
        if not endpoint:
            return cls()
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  see above
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider)

    def close(self) -> None:
        """Send what waits, for SEND_SECONDS at most."""
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def passing(self, tenant: Tenant) -> Iterator[None]:
        """A pass over a tenant, as a span of its signup's trace while it is awaited."""
        parent = tenant.metadata.annotations.get(ANNOTATION_TRACE, "")
        with ExitStack() as entered:
            if self._provider is not None and _TRACEPARENT.fullmatch(parent) and life.awaited(tenant):
                from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
                    TraceContextTextMapPropagator,
                )

                context = TraceContextTextMapPropagator().extract({HEADER: parent})
                attributes = {"vivero.tenant": tenant.name, "vivero.tenant_id": tenant.id}
                tracer = self._provider.get_tracer(SERVICE)
                entered.enter_context(
                    tracer.start_as_current_span("reconcile Tenant", context=context, attributes=attributes)
                )
            yield

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """A part of a pass that is traced; of others nothing is kept.

        What it raises is not kept: a step that waits for another raises too, and errors are in the log and the conditions.
        """
        with ExitStack() as entered:
            if self._provider is not None and self.outgoing():
                tracer = self._provider.get_tracer(SERVICE)
                entered.enter_context(
                    tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)
                )
            yield

    def outgoing(self) -> dict[str, str]:
        """Headers by which a call belongs to the span under way; none where nothing is traced."""
        if self._provider is None:
            return {}
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(headers)
        return headers
