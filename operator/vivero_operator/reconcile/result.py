"""Result of a reconcile: when to requeue the object."""

from collections.abc import Sequence
from dataclasses import dataclass

from vivero_operator.policies.outcome import State
from vivero_operator.policies.verdict import Finding


@dataclass(frozen=True)
class Result:
    """When to come back: after a fault with back-off, after `retry_after` seconds, or at the next resync."""

    failed: bool = False
    retry_after: float | None = None
    urgent: bool = False
    """Whether a person waits for it."""
    gone: bool = False
    """The object is not there any more: it does not come back by itself."""


def result_of(findings: Sequence[Finding], put_off: float | None = None) -> Result:
    """`put_off`: seconds until something can be done that was left."""
    delays = [one for one in (put_off, *(each.outcome.retry_after for each in findings)) if one is not None]
    failed = any(one.outcome.state is State.FAILED for one in findings)
    return Result(failed, min(delays, default=None))
