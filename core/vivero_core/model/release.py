"""Release: one immutable version of the tenants' pods, and how fast tenants are moved to it."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model.base import INTEGER_MAX, Model, Resource, Sentence, rules
from vivero_core.model.conditions import Condition

_SPEC_RULES = rules(
    ("self.image == oldSelf.image", "image cannot be changed: another version is another Release"),
    ("self.podTemplate == oldSelf.podTemplate", "podTemplate cannot be changed: another version is another Release"),
)


class ReleaseSpec(Model):
    """What the pods are made from, and the pace."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    image: str = Field(min_length=1, max_length=500)
    """Image of the tenants' pods."""
    pod_template: dict[str, Any] = Field(
        json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    )
    """What all tenants' pods of this release have in common. Written by the operator."""
    batch: int = Field(default=5, ge=1, le=1000)
    """Tenants that are moved to this release at a time."""
    pause_seconds: int = Field(default=30, ge=0, le=86_400)
    """How long the tenants of a batch have to be Ready before the next batch begins."""
    deadline_seconds: int = Field(default=300, ge=10, le=86_400)
    """A moved tenant that is not Ready after this time has failed."""
    failures: int = Field(default=1, ge=1, le=1000)
    """The rollout halts when so many tenants have failed."""
    paused: bool = False
    """When true, no further tenants are moved."""


class ReleaseStatus(Model):
    """What the operator has observed."""

    tenants: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants that are on this release."""
    ready: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Of these, how many are Ready."""
    waiting: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants that are still to be moved to it."""
    message: Sentence | None = None
    """How the rollout stands, for people."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that this status speaks of."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=8,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Complete: every tenant is on it. Halted: tenants that were moved did not become Ready, so no more are moved."""


class Release(Resource):
    """One immutable version of the tenants' pods. The operator makes one for each image and pod template."""

    plural: ClassVar[str] = "releases"

    spec: ReleaseSpec
    """What the pods are made from, and the pace."""
    status: ReleaseStatus = Field(default_factory=ReleaseStatus)
    """What the operator has observed."""


def printer_columns() -> list[dict[str, Any]]:
    """Columns of `kubectl get vrel`."""
    return [
        {"name": "Complete", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Complete")].status'},
        {"name": "Status", "type": "string", "jsonPath": ".status.message"},
        {"name": "Tenants", "type": "integer", "jsonPath": ".status.tenants"},
        {"name": "Ready", "type": "integer", "jsonPath": ".status.ready"},
        {"name": "Waiting", "type": "integer", "jsonPath": ".status.waiting"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Image", "type": "string", "jsonPath": ".spec.image", "priority": 1},
        {"name": "Batch", "type": "integer", "jsonPath": ".spec.batch", "priority": 1},
        {"name": "Pause", "type": "integer", "jsonPath": ".spec.pauseSeconds", "priority": 1},
    ]
