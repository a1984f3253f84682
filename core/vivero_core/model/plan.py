"""Plan: what a tenant may use, what it costs, and how big its workload is."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from vivero_core.model.base import INTEGER_MAX, Model, Resource

_UNLIMITED: dict[str, Any] = {"nullable": True}
_QUANTITY = r"^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|M|G|Ki|Mi|Gi)?$"

Quantity = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=_QUANTITY)]
Feature = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Currency(StrEnum):
    """ISO 4217 code."""

    EUR = "EUR"


class Price(Model):
    """Price of one month."""

    amount_cents: int = Field(ge=0, le=10**12)
    """Price of one month in cents."""
    currency: Currency = Currency.EUR
    """ISO 4217 code."""
    starting_at: bool = False
    """True when the price is a floor and the real one is agreed with sales."""


class Limits(Model):
    """Bounds of use; an absent or null one means unlimited."""

    records: int | None = Field(default=None, ge=0, le=INTEGER_MAX, json_schema_extra=_UNLIMITED)
    """Records over all collections."""
    users: int | None = Field(default=None, ge=1, le=INTEGER_MAX, json_schema_extra=_UNLIMITED)
    """User accounts, the owner's included."""
    storage_bytes: int | None = Field(default=None, ge=0, le=INTEGER_MAX, json_schema_extra=_UNLIMITED)
    """Bytes of files in the bucket."""
    connections: int | None = Field(default=None, ge=2, le=10_000, json_schema_extra=_UNLIMITED)
    """Database connections at once; enforced by the database server."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=10_000_000, json_schema_extra=_UNLIMITED)
    """Requests a minute over all users."""


class Workload(Model):
    """Size of the tenant's pods."""

    replicas: int = Field(default=1, ge=1, le=50)
    """Pods that serve one tenant."""
    cpu_request: Quantity = "20m"
    """CPU kept free for each pod, as a Kubernetes quantity."""
    cpu_limit: Quantity | None = None
    """CPU a pod may use at most; absent means what the node has left."""
    memory_request: Quantity = "96Mi"
    """Memory kept free for each pod."""
    memory_limit: Quantity = "256Mi"
    """Memory above which a pod is restarted."""


class PlanSpec(Model):
    """One line of the price list."""

    display_name: str = Field(min_length=1, max_length=80)
    """Name on the price list."""
    description: str = Field(default="", max_length=500)
    """One sentence for the price list."""
    price: Price
    """Price of one month."""
    trial_days: int | None = Field(default=None, ge=1, le=365)
    """Length of the trial in days; only on plans that are one."""
    support: str = Field(default="", max_length=200)
    """Support that comes with the plan, in words."""
    limits: Limits = Field(default_factory=Limits)
    """Bounds of use; an absent or null one means unlimited."""
    features: tuple[Feature, ...] = Field(
        default=(), max_length=50, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Names of the features that are switched on."""
    workload: Workload = Field(default_factory=Workload)
    """Size of the tenant's pods."""


class Plan(Resource):
    """What a tenant may use, what it costs, and how big its workload is."""

    plural: ClassVar[str] = "plans"

    spec: PlanSpec
    """One line of the price list."""

    @property
    def name(self) -> str:
        return self.metadata.name


def printer_columns() -> list[dict[str, Any]]:
    """Columns of `kubectl get vplan`."""
    return [
        {"name": "Name-On-List", "type": "string", "jsonPath": ".spec.displayName"},
        {"name": "Cents", "type": "integer", "jsonPath": ".spec.price.amountCents"},
        {"name": "Records", "type": "integer", "jsonPath": ".spec.limits.records"},
        {"name": "Users", "type": "integer", "jsonPath": ".spec.limits.users"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Connections", "type": "integer", "jsonPath": ".spec.limits.connections", "priority": 1},
        {"name": "Memory", "type": "string", "jsonPath": ".spec.workload.memoryLimit", "priority": 1},
    ]
