"""Pausing the reconciliation of one object by annotation."""

from collections.abc import Sequence
from datetime import datetime

from vivero_core.model import conditions as cond
from vivero_core.model.base import Metadata
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ANNOTATION_PAUSED, ConditionType, Reason


def paused(metadata: Metadata) -> bool:
    """Annotation vivero.dev/paused is `true`; nothing is made, changed or deleted for the object until it is not."""
    return metadata.annotations.get(ANNOTATION_PAUSED) == "true"


def shown(conditions: Sequence[Condition], metadata: Metadata, now: datetime, *, idle: str) -> tuple[Condition, ...]:
    """`conditions` with Paused while the object is, and without when it is not. `idle`: what is not done meanwhile."""
    if not paused(metadata):
        return cond.without(conditions, ConditionType.PAUSED)
    condition = Condition(
        type=ConditionType.PAUSED,
        status=Status.TRUE,
        reason=Reason.PAUSED,
        message=f"Reconciliation is paused by annotation {ANNOTATION_PAUSED}: no {idle}",
        last_transition_time=now,
        observed_generation=metadata.generation,
    )
    return cond.merge(conditions, [condition])
