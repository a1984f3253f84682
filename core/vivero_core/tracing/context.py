"""Where in a trace something happens, as programs tell each other: W3C Trace Context (w3.org/TR/trace-context)."""

import re
from dataclasses import dataclass
from typing import Final

HEADER: Final = "traceparent"
LENGTH: Final = 55
_FORM: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Context:
    """A span by its numbers; `sampled` says whether the spans of its trace are kept."""

    trace_id: int
    span_id: int
    sampled: bool

    def __str__(self) -> str:
        """As the header has it, LENGTH characters."""
        return f"00-{self.trace}-{self.span}-{self.sampled:02x}"

    @property
    def trace(self) -> str:
        """The trace's number, as people and products write it."""
        return f"{self.trace_id:032x}"

    @property
    def span(self) -> str:
        """The span's number, likewise."""
        return f"{self.span_id:016x}"


def read(text: str | None) -> Context | None:
    """The context that a program of ours wrote; None for anything else."""
    found = _FORM.fullmatch(text or "")
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return Context(trace_id, span_id, bool(flags & _SAMPLED)) if trace_id and span_id else None
