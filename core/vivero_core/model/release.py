"""Release: one immutable version of the tenants' pods, and the pace of its rollout."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vivero_core.model.base import INTEGER_MAX, Model, Resource, Sentence, rules
from vivero_core.model.conditions import CONDITIONS_MAX, Condition


def _open(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object of which these fields are known, and others are kept."""
    known = {"properties": properties} if properties else {}
    return {"type": "object", **known, "x-kubernetes-preserve-unknown-fields": True}


_WORDS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_CONTAINER: Final = _open(env={"type": "array", "maxItems": 200, "items": _open()})
_CONTAINERS: Final = {"type": "array", "minItems": 1, "maxItems": 20, "items": _CONTAINER}
_POD_TEMPLATE: Final = {
    **_open(
        metadata=_open(labels=_WORDS, annotations=_WORDS),
        spec={**_open(containers=_CONTAINERS), "required": ["containers"]},
    ),
    "required": ["spec"],
}
"""What the operator adds to: without it a tenant's pods could not be made. The rest Kubernetes checks."""


class _Kept(BaseModel):
    """Fields beyond those that are named stay."""

    model_config = ConfigDict(extra="allow")


class _Metadata(_Kept):
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class _Container(_Kept):
    env: list[dict[str, Any]] = Field(default_factory=list, max_length=200)


class _PodSpec(_Kept):
    containers: list[_Container] = Field(min_length=1, max_length=20)


class _Template(_Kept):
    metadata: _Metadata = Field(default_factory=_Metadata)
    spec: _PodSpec


def _usable(template: dict[str, Any]) -> dict[str, Any]:
    _Template.model_validate(template)
    return template


PodTemplate = Annotated[dict[str, Any], AfterValidator(_usable)]

_SPEC_RULES = rules(
    ("self.image == oldSelf.image", "image cannot be changed: another version is another Release"),
    ("self.podTemplate == oldSelf.podTemplate", "podTemplate cannot be changed: another version is another Release"),
)
_ROOT_RULES = rules(
    (
        "size(self.metadata.name) <= 63",
        "a Release's name must be at most 63 characters long: Tenants carry it in a label",
    )
)


class ReleaseSpec(Model):
    """Image and pod template, and the pace of the rollout."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    image: str = Field(min_length=1, max_length=500)
    """Image of the tenants' pods."""
    pod_template: PodTemplate = Field(json_schema_extra=_POD_TEMPLATE)
    """What all tenants' pods of this release have in common. Written by the operator."""
    batch: int = Field(default=5, ge=1, le=1000)
    """Tenants that are updated to this release at a time."""
    pause_seconds: int = Field(default=30, ge=0, le=86_400)
    """How long the tenants of a batch have to be Ready before the next batch starts."""
    deadline_seconds: int = Field(default=300, ge=10, le=86_400)
    """An updated tenant that is not Ready after this time has failed."""
    failures: int = Field(default=1, ge=1, le=1000)
    """The rollout halts when this many tenants have failed."""
    paused: bool = False
    """When true, the rollout is paused: no further tenants are updated."""


class ReleaseStatus(Model):
    """What the operator has observed."""

    tenants: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants that are on this release."""
    ready: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Of these, how many are Ready."""
    waiting: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants that are still to be updated to it."""
    message: Sentence | None = None
    """State of the rollout, for people."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Complete: every tenant is on it. Halted: updated tenants did not become Ready, so no more are updated."""


class Release(Resource):
    """One immutable version of the tenants' pods. The operator makes one for each image and pod template."""

    plural: ClassVar[str] = "releases"
    short: ClassVar[str] = "vrel"
    model_config = ConfigDict(json_schema_extra=_ROOT_RULES)

    spec: ReleaseSpec
    """Image and pod template, and the pace of the rollout."""
    status: ReleaseStatus = Field(default_factory=ReleaseStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
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
