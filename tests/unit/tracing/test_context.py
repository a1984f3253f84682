"""Trace contexts: as OpenTelemetry's own library reads and writes them."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from vivero_core.tracing.context import LENGTH, Context, read

CONTEXTS = st.builds(Context, st.integers(1, (1 << 128) - 1), st.integers(1, (1 << 64) - 1), st.booleans())


@given(CONTEXTS)
def test_what_is_written_is_read_by_us_and_by_others(context: Context) -> None:
    assert len(str(context)) == LENGTH
    assert read(str(context)) == context
    theirs = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": str(context)})).get_span_context()
    assert (theirs.trace_id, theirs.span_id) == (context.trace_id, context.span_id)
    assert theirs.trace_flags.sampled == context.sampled


@given(st.text() | st.from_regex(r"(00|01|ff)-[0-9a-fA-F]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?", fullmatch=True) | st.none())
def test_what_is_read_is_what_others_read(text: str | None) -> None:
    """Or nothing: versions that we do not write are not ours."""
    context = read(text)
    if context is not None:
        theirs = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text})).get_span_context()
        assert (theirs.trace_id, theirs.span_id, theirs.trace_flags.sampled) == (
            context.trace_id,
            context.span_id,
            context.sampled,
        )


def test_numbers_of_zero_are_none() -> None:
    assert read(f"00-{'0' * 32}-{'1' * 16}-01") is None
    assert read(f"00-{'1' * 32}-{'0' * 16}-01") is None
