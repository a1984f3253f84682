"""Spans: what was done, from when to when, below what.

A program begins a trace where work comes in (a request, a job, a pass over a tenant) by its Tracer; what is done below is
a `span` that asks for no tracer. It is kept if the span around it is, and outside of any it costs next to nothing.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from enum import IntEnum
from types import TracebackType
from typing import Final, Self

from vivero_core.tracing.context import HEADER, Context

Value = str | int | bool


class Kind(IntEnum):
    """OpenTelemetry's kinds of spans, by their numbers there."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    CONSUMER = 5


class Span:
    """From its `with` to the end of it.

    Attributes:
        context: its own numbers.
        parent_id: the number of the span around it; 0 where it begins a trace.
        name: of few values, such as a route's template; it may change until the end.
        attributes: what else is known; never what people typed.
        failed: what went wrong ended here. Of an INTERNAL span nothing is concluded from an exception: a step that waits
            for another raises, too.
        started, ended: nanoseconds since 1970.
    """

    __slots__ = (
        "_began",
        "_entered",
        "_keep",
        "attributes",
        "context",
        "ended",
        "failed",
        "kind",
        "name",
        "parent_id",
        "started",
    )

    def __init__(  # noqa: PLR0913, PLR0917  what a span has
        self,
        keep: Callable[["Span"], None],
        context: Context,
        parent_id: int,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Value] | None,
    ) -> None:
        self._keep = keep
        self._entered: Token[Span | None] | None = None
        self._began = 0
        self.context = context
        self.parent_id = parent_id
        self.name = name
        self.kind = kind
        self.attributes: dict[str, Value] = dict(attributes or {})
        self.failed = False
        self.started = self.ended = 0

    def __enter__(self) -> Self:
        self._entered = _current.set(self)
        self.started, self._began = time.time_ns(), time.perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended = self.started + time.perf_counter_ns() - self._began
        if self._entered is not None:
            _current.reset(self._entered)
        if isinstance(error, Exception) and self.kind is not Kind.INTERNAL:
            self.failed = True
            self.attributes["error.type"] = type(error).__name__
        if self.context.sampled:
            self._keep(self)

    def below(self, name: str, kind: Kind, attributes: Mapping[str, Value] | None) -> "Span":
        """A span of the same trace, inside this one."""
        context = Context(self.context.trace_id, _number(64), self.context.sampled)
        return Span(self._keep, context, self.context.span_id, name, kind, attributes)


_current: ContextVar[Span | None] = ContextVar("span", default=None)
NOT_KEPT: Final = nullcontext[None]()
"""In the place of a span where nothing is kept."""
_random: Final = random.Random()  # noqa: S311  numbers to tell spans apart, no secrets


class Tracer:
    """Begins traces, of which a share is kept, and continues those of our other programs as they began.

    Attributes:
        keep: takes each span of a trace that is kept, when it has ended, from whatever thread; without it nothing is traced.
        ratio: the share of the traces that begin here.
        close: sends what waits, for some seconds at most.
    """

    def __init__(
        self, keep: Callable[[Span], None] | None = None, ratio: float = 1.0, close: Callable[[], None] = lambda: None
    ) -> None:
        self._keep = keep
        self._ratio = ratio
        self.close = close

    def begin(
        self, name: str, kind: Kind, attributes: Mapping[str, Value] | None = None, parent: Context | None = None
    ) -> AbstractContextManager[Span | None]:
        """The outermost span of this program; `parent` is what was read from a caller of ours, from no other."""
        if self._keep is None:
            return NOT_KEPT
        if parent is None:
            context = Context(_number(128), _number(64), _random.random() < self._ratio)
            return Span(self._keep, context, 0, name, kind, attributes)
        context = Context(parent.trace_id, _number(64), parent.sampled)
        return Span(self._keep, context, parent.span_id, name, kind, attributes)

    def go_on(self, name: str, kind: Kind, parent: Context | None) -> AbstractContextManager[Span | None]:
        """A span of a trace of ours that began elsewhere; nothing where `parent` is None."""
        return self.begin(name, kind, None, parent) if parent is not None else NOT_KEPT


def span(
    name: str, kind: Kind = Kind.INTERNAL, attributes: Mapping[str, Value] | None = None
) -> AbstractContextManager[Span | None]:
    """A part of what is under way, if that is kept."""
    around = _current.get()
    if around is None or not around.context.sampled:
        return NOT_KEPT
    return around.below(name, kind, attributes)


def kept() -> bool:
    """Whether a span that began now would be kept."""
    around = _current.get()
    return around is not None and around.context.sampled


def current() -> Context | None:
    """Of the span under way; None where nothing is traced."""
    around = _current.get()
    return around.context if around is not None else None


def traceparent() -> str | None:
    """The span under way in the words of the header, to go on elsewhere; None where nothing is traced."""
    here = current()
    return str(here) if here is not None else None


def outgoing() -> dict[str, str]:
    """Headers by which a call of our other program belongs to the span under way; none where nothing is traced."""
    here = traceparent()
    return {HEADER: here} if here is not None else {}


def _number(bits: int) -> int:
    return _random.getrandbits(bits) or 1
