"""TenantPool: a warm pool of spare tenants for signups."""

from typing import Any, ClassVar

from pydantic import Field

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource
from vivero_core.model.conditions import CONDITIONS_MAX, Condition

SIZE_MAX = 1000


class TenantPoolSpec(Model):
    """What to keep ready."""

    plan: ObjectName
    """Name of the Plan that the spares are made for; a signup for another plan does not get one."""
    size: int = Field(ge=0, le=SIZE_MAX)
    """Spares to keep; 0 empties the pool."""


class TenantPoolStatus(Model):
    """What the operator has observed."""

    spares: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Existing spares, including those that are still starting."""
    ready: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Spares that can be claimed: on the current release, with a fresh proof."""
    selector: str | None = Field(default=None, max_length=200)
    """Label selector of the spares, for the scale subresource."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: spec.size spares can be claimed."""


class TenantPool(Resource):
    """A warm pool of provisioned tenants without an owner, so that a signup does not wait for provisioning."""

    plural: ClassVar[str] = "tenantpools"
    short: ClassVar[str] = "vpool"
    scale: ClassVar[dict[str, str]] = {
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.spares",
        "labelSelectorPath": ".status.selector",
    }

    spec: TenantPoolSpec
    """What to keep ready."""
    status: TenantPoolStatus = Field(default_factory=TenantPoolStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vpool`."""
        ready = '.status.conditions[?(@.type=="Ready")]'
        return [
            {"name": "Ready", "type": "string", "jsonPath": f"{ready}.status"},
            {"name": "Status", "type": "string", "jsonPath": f"{ready}.message"},
            {"name": "Plan", "type": "string", "jsonPath": ".spec.plan"},
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Claimable", "type": "integer", "jsonPath": ".status.ready"},
            {"name": "Spares", "type": "integer", "jsonPath": ".status.spares"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
