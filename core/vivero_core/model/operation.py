"""What objects that stand for one operation have in common: its ordered steps, as status tells of them."""

from typing import Any, Literal

from pydantic import Field

from vivero_core.model.base import INTEGER_MAX, Model, Sentence, Timestamp
from vivero_core.model.conditions import CONDITIONS_MAX, Condition, find
from vivero_core.model.constants import ConditionType, Reason

StepState = Literal["Waiting", "Running", "Done", "Failed"]
STEPS_MAX = 16


class OperationStep(Model):
    """One step of an operation."""

    name: str = Field(min_length=1, max_length=63)
    """What it does, in one word."""
    state: StepState = "Waiting"
    """Waiting, Running, Done or Failed."""
    started_at: Timestamp | None = None
    """When it was started."""
    finished_at: Timestamp | None = None
    """When it ended."""
    message: Sentence | None = None
    """What came of it, for people."""


class OperationStatus(Model):
    """What the operator has observed."""

    message: Sentence | None = None
    """State of the operation, for people."""
    steps: tuple[OperationStep, ...] = Field(default=(), max_length=STEPS_MAX)
    """Its steps, in the order in which they run."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Complete: the operation has ended, successfully (True) or not (False, reason Failed or Refused). Refused: what was
    asked for cannot be done, and the message says what can."""

    @property
    def runs(self) -> bool:
        """Whether it has begun, or is about to, and has not ended: one that waits for something takes nobody's place."""
        complete = find(self.conditions, ConditionType.COMPLETE)
        return complete is None or complete.reason == Reason.RUNNING


def step_columns() -> list[dict[str, Any]]:
    """Columns of kubectl that every operation has."""
    return [
        {"name": "Complete", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Complete")].status'},
        {"name": "Reason", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Complete")].reason'},
        {"name": "Status", "type": "string", "jsonPath": ".status.message"},
    ]
