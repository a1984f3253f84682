"""A program's tracer, as its settings have it. What sends spans is loaded only if there is somewhere to send them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from vivero_core.tracing.spans import Tracer, Value


def tracer_to(
    endpoint: str | None,
    resource: Mapping[str, Value],
    *,
    ratio: float = 1.0,
    headers: str = "",
    authority: Path | None = None,
) -> Tracer:
    """To a collector that takes OTLP over HTTP at `endpoint`/v1/traces; nothing is traced without one.

    Args:
        endpoint: http or https.
        resource: what program it is, as OpenTelemetry names such attributes: `service.name` at least.
        ratio: the share of the traces that begin in this program which is kept.
        headers: as `headers_of` reads them.
        authority: file with the certificates of an authority that is trusted besides the system's.
    """
    if not endpoint:
        return Tracer()
    from vivero_core.tracing.exporter import exporter  # noqa: PLC0415  see above

    spans = exporter(endpoint, resource, headers_of(headers), authority)
    return Tracer(spans.keep, ratio, spans.close)


def headers_of(text: str) -> dict[str, str]:
    """Headers as OpenTelemetry's OTEL_EXPORTER_OTLP_HEADERS has them: `name=value,name=value`, values percent-encoded.

    Raises:
        ValueError: a part is no such pair; its text is not in the message, it may be a secret.
    """
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if not all(sign and name.strip() for name, sign, _ in pairs):
        raise ValueError("has to be name=value,name=value")
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
