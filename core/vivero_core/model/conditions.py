"""Conditions: what is true of a resource now, since when, and why. Pure functions over tuples of them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import Field

from vivero_core.model.base import INTEGER_MAX, Model, Sentence, Timestamp
from vivero_core.model.constants import ConditionType

CONDITIONS_MAX: Final = 16
"""Of one object; more than there are types of our own."""
_OWN: Final = frozenset(ConditionType)


class Status(StrEnum):
    """A condition's truth."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, truth: bool) -> "Status":  # noqa: FBT001  a truth is what this converts
        return cls.TRUE if truth else cls.FALSE


class Condition(Model):
    """One observation, in the shape of Kubernetes' metav1.Condition."""

    type: str = Field(max_length=63, pattern=r"^[A-Z][A-Za-z]{1,62}$")
    """What is observed, for example DatabaseReady."""
    status: Status
    """True, False or Unknown."""
    reason: str = Field(max_length=63, pattern=r"^[A-Z][A-Za-z]{1,62}$")
    """A stable CamelCase word for programs."""
    message: Sentence = ""
    """A sentence for people."""
    last_transition_time: Timestamp
    """When status last changed."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation this was observed for."""


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    return next((one for one in conditions if one.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    found = find(conditions, kind)
    return found is not None and found.status is Status.TRUE


def without(conditions: Iterable[Condition], kind: str) -> tuple[Condition, ...]:
    return tuple(one for one in conditions if one.type != kind)


def carried(old: Condition | None, new: Condition) -> Condition:
    """`new`, with the old transition time when the status is the same."""
    if old is None or old.status is not new.status:
        return new
    return new.model_copy(update={"last_transition_time": old.last_transition_time})


def merge(old: Iterable[Condition], new: Iterable[Condition]) -> tuple[Condition, ...]:
    """`new` over `old` by type: old order kept, new types appended, unchanged statuses keep their time.

    Other writers may add types of theirs; those make room when there are too many.
    """
    updates = {one.type: one for one in new}
    before = tuple(old)
    kept = tuple(carried(one, updates.pop(one.type)) if one.type in updates else one for one in before)
    return _fitting(kept + tuple(updates.values()))


def _fitting(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    foreign = [one.type for one in conditions if one.type not in _OWN]
    surplus = foreign[: max(0, len(conditions) - CONDITIONS_MAX)]
    return tuple(one for one in conditions if one.type not in surplus)
