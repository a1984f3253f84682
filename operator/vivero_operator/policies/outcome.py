"""Result of a step, how a step asks to be retried, and what it says when data or keys are gone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vivero_core.model.constants import Reason

LOOK_AGAIN_SECONDS: Final = 60.0
"""How soon a blocked tenant is retried: a person may have restored what was lost."""


class State(StrEnum):
    """How far a step got."""

    DONE = "done"
    WAITING = "waiting"
    """For something that takes its time, or for a person."""
    FAILED = "failed"
    """An error: retried with back-off."""
    BLOCKED = "blocked"
    """Data or keys are gone: a person has to decide, and until then nothing is made in their place."""
    SKIPPED = "skipped"
    """A step before it is not done."""


@dataclass(frozen=True)
class Outcome:
    """Result of one step; `message` is for people and holds nothing secret."""

    state: State
    reason: str
    """A Reason, or Kubernetes' own word for what is wrong with a pod."""
    message: str
    retry_after: float | None = None
    """Seconds, when looking again is worth it although nothing may announce the change."""

    @property
    def done(self) -> bool:
        return self.state is State.DONE


class Pending(Exception):  # noqa: N818  not an error: the step asks to be continued later
    """Raised by a step that cannot continue now; an event requeues it, or `retry_after` is given."""

    state = State.WAITING

    def __init__(self, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Blocked(Pending):
    """Raised by a step that would otherwise create something new in place of lost data or keys."""

    state = State.BLOCKED

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message, retry_after=LOOK_AGAIN_SECONDS)


def done(reason: str, message: str = "", *, retry_after: float | None = None) -> Outcome:
    """`retry_after`: when to look again although nothing keeps the tenant from being ready."""
    return Outcome(State.DONE, reason, message, retry_after)


def waiting(pending: Pending) -> Outcome:
    return Outcome(pending.state, pending.reason, pending.message, pending.retry_after)


_WAY_OUT: Final = "or accept the loss by setting spec.acceptDataLossAt to the value of status.dataLostAt"


def of_schema(database: str, server: str) -> str:
    return f"Data lost: schema {database} is missing on {server}. Restore it from a backup, {_WAY_OUT}"


def of_tables(database: str, server: str) -> str:
    return f"Data lost: schema {database} on {server} is empty. Restore it from a backup, {_WAY_OUT}"


def of_bucket(bucket: str) -> str:
    return f"Data lost: bucket {bucket} is missing. Restore it from a backup, {_WAY_OUT}"


def of_keys(ident: str) -> str:
    return (
        "Keys lost: the file encryption key is neither in Secret app of the namespace nor in the escrow, and files cannot"
        f" be decrypted without it. Restore Secret app or Secret escrow-{ident} from a backup, {_WAY_OUT}"
    )
