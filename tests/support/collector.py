"""A collector of traces that records what it gets: OTLP over HTTP, as the specification has it (opentelemetry.io/docs/specs/otlp)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from support.receiving import Answer, Post, receiving


@dataclass
class Collector:
    """What came: `spans` by the name of the service that sent them, in the order of their arrival; paths and headers.

    With a `status` of its own it takes nothing.
    """

    url: str = ""
    status: int = 200
    spans: list[tuple[str, Span]] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        return [span for _, span in self.spans if span.name == name]


@contextmanager
def recording() -> Iterator[Collector]:
    """Listens on loopback while the block runs."""
    collector = Collector()

    def keep(body: bytes) -> None:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {one.key: one.value.string_value for one in part.resource.attributes}
            collector.resources.append(resource)
            spans = [(resource["service.name"], span) for scope in part.scope_spans for span in scope.spans]
            collector.spans += spans

    def take(post: Post) -> Answer:
        collector.paths.add(post.path)
        collector.headers.append(dict(post.headers))
        if collector.status == HTTPStatus.OK:
            keep(post.body)
        return Answer(collector.status, {"Content-Type": "application/x-protobuf"})

    with receiving(take) as host:
        collector.url = f"http://{host}"
        yield collector
