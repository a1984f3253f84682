"""Sends spans to a collector: OTLP over HTTP, a POST to /v1/traces for each batch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vivero_core.sending import SendingQueue, Target
from vivero_core.tracing.otlp import export_request
from vivero_core.tracing.spans import Span, Value

PATH: Final = "/v1/traces"
BATCH: Final = 256
QUEUE: Final = 2048
"""Spans that wait; some 2 MiB."""
PAUSE_SECONDS: Final = 5.0


def exporter(
    endpoint: str, resource: Mapping[str, Value], headers: Mapping[str, str], authority: Path | None
) -> SendingQueue[Span]:
    """To the collector at `endpoint`, http or https, with a path where /v1/traces is below one."""
    target = Target(endpoint.rstrip("/") + PATH, {**headers, "Content-Type": "application/x-protobuf"}, authority)

    def send(batch: list[Span]) -> None:
        target.post(export_request(resource, "vivero", batch))

    return SendingQueue("spans", send, room=QUEUE, batch=BATCH, pause=PAUSE_SECONDS)
