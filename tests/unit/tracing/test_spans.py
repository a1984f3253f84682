"""Spans: what is kept, and below what."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from vivero_core.tracing.context import HEADER, Context, read
from vivero_core.tracing.spans import Kind, Span, Tracer, current, kept, outgoing, span, traceparent


@pytest.fixture
def ended() -> Iterator[list[Span]]:
    found: list[Span] = []
    yield found
    assert current() is None, "a span ends with its block"


async def test_what_is_done_below_belongs_to_it_in_tasks_and_threads_too(ended: list[Span]) -> None:
    def in_a_thread() -> None:
        with span("GET object store", Kind.CLIENT):
            pass

    async def in_a_task() -> None:
        with span("step"):
            await asyncio.to_thread(in_a_thread)

    with Tracer(ended.append).begin("GET /", Kind.SERVER) as whole:
        await asyncio.gather(in_a_task(), in_a_task())
    assert whole is not None
    assert Counter(one.name for one in ended) == {"GET object store": 2, "step": 2, "GET /": 1}
    assert {one.context.trace_id for one in ended} == {whole.context.trace_id}
    steps = {one.context.span_id for one in ended if one.name == "step"}
    assert {one.parent_id for one in ended if one.name == "GET object store"} == steps
    assert {one.parent_id for one in ended if one.name == "step"} == {whole.context.span_id}
    assert whole.parent_id == 0
    assert all(whole.started <= one.started <= one.ended <= whole.ended for one in ended)


def test_outside_of_a_trace_there_is_nothing() -> None:
    with span("SELECT users", Kind.CLIENT) as found:
        assert (found, current(), kept(), outgoing(), traceparent()) == (None, None, False, {}, None)


def test_without_a_collector_nothing_is_traced() -> None:
    with Tracer().begin("GET /", Kind.SERVER) as found:
        assert (found, current(), kept()) == (None, None, False)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_trace_of_our_other_program_goes_on_as_it_began(ended: list[Span], *, sampled: bool) -> None:
    parent = Context(7, 8, sampled)
    with Tracer(ended.append, ratio=0.0 if sampled else 1.0).begin("GET /", Kind.SERVER, parent=parent), span("step"):
        told = read(outgoing()[HEADER])
    assert told is not None
    assert (told.trace_id, told.sampled) == (7, sampled)
    assert {one.parent_id for one in ended if one.kind is Kind.SERVER} == ({8} if sampled else set())
    assert len(ended) == (2 if sampled else 0)


def test_a_share_of_the_traces_is_kept_each_as_a_whole(ended: list[Span]) -> None:
    tracer = Tracer(ended.append, ratio=0.25)
    for _ in range(4000):
        with tracer.begin("GET /", Kind.SERVER), span("SELECT"):
            pass
    whole = [one for one in ended if one.kind is Kind.SERVER]
    assert 700 < len(whole) < 1300
    assert len(ended) == 2 * len(whole)


@pytest.mark.parametrize(
    ("kind", "error", "failed"),
    [
        (Kind.CLIENT, OSError("10.0.0.1 hunter2"), True),
        (Kind.CONSUMER, ValueError("hunter2"), True),
        (Kind.INTERNAL, ValueError("a step that waits"), False),
        (Kind.CLIENT, asyncio.CancelledError(), False),
    ],
)
def test_a_call_that_fails_says_so_without_its_words(
    ended: list[Span], kind: Kind, error: BaseException, *, failed: bool
) -> None:
    with pytest.raises(type(error)), Tracer(ended.append).begin("x", kind):
        raise error
    assert ended[0].failed is failed
    assert ended[0].attributes == ({"error.type": type(error).__name__} if failed else {})
