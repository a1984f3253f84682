"""Plan: what a tenant may use, what it costs, and how big its workload is."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from vivero_core.model.base import INTEGER_MAX, Model, Resource, rules
from vivero_core.model.conditions import CONDITIONS_MAX, Condition
from vivero_core.model.constants import PLAN_TRIAL
from vivero_core.model.tenant_backup import BackupSchedule

_UNLIMITED: dict[str, Any] = {"nullable": True}
_CPU = r"^([1-9][0-9]{0,5}m|[0-9]{1,3}(\.[0-9]{1,3})?)$"
_MEMORY = r"^[0-9]{1,9}(\.[0-9]{1,3})?(k|M|G|Ki|Mi|Gi)?$"

Cpu = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=_CPU)]
Memory = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=_MEMORY)]

CONNECTIONS_PER_POD = 5
"""Database connections that one pod of the data plane may open (its setting database_pool)."""


def _between(field: str, least: str, most: str, what: str) -> tuple[str, str]:
    value = f"quantity(self.{field})"
    rule = f"{value}.compareTo(quantity('{least}')) >= 0 && {value}.compareTo(quantity('{most}')) <= 0"
    return rule, f"{field} must be between {least} and {most} {what}"


_WORKLOAD_RULES = rules(
    _between("cpuRequest", "1m", "256", "cores"),
    (
        "!has(self.cpuLimit) || " + _between("cpuLimit", "10m", "256", "")[0],
        "cpuLimit must be between 10m and 256 cores",
    ),
    _between("memoryRequest", "16Mi", "1024Gi", "of memory"),
    _between("memoryLimit", "64Mi", "1024Gi", "of memory"),
    (
        "quantity(self.memoryRequest).isInteger() && quantity(self.memoryLimit).isInteger()",
        "memoryRequest and memoryLimit must be whole bytes",
    ),
    (
        "quantity(self.memoryRequest).compareTo(quantity(self.memoryLimit)) <= 0",
        "memoryRequest must not be above memoryLimit",
    ),
    (
        "!has(self.cpuLimit) || quantity(self.cpuRequest).compareTo(quantity(self.cpuLimit)) <= 0",
        "cpuRequest must not be above cpuLimit",
    ),
)
_ENOUGH_CONNECTIONS = (
    "!has(self.limits) || !has(self.limits.connections)"
    f" || self.limits.connections >= {CONNECTIONS_PER_POD} * ((has(self.workload) ? self.workload.replicas : 1) + 1)"
)
_SPEC_RULES = rules(
    (
        _ENOUGH_CONNECTIONS,
        f"limits.connections must be at least {CONNECTIONS_PER_POD} x (workload.replicas + 1): a rollout runs one more pod",
    ),
)
_ROOT_RULES = rules(
    (
        f"(self.metadata.name == '{PLAN_TRIAL}') == has(self.spec.trialDays)",
        f"trialDays is for plan {PLAN_TRIAL} and for no other: only its Tenants have a trial that ends",
    ),
)


class Feature(StrEnum):
    """What a plan can switch on; a word that no program knows would be sold and not delivered."""

    COLLECTIONS = "collections"
    FILES = "files"
    REPORTS = "reports"
    ANALYTICS = "analytics"
    API = "api"
    AUDIT_LOG = "audit-log"
    IMPORT_EXPORT = "import-export"
    CUSTOM_FEATURES = "custom-features"
    CUSTOM_INTEGRATIONS = "custom-integrations"
    SELF_HOSTING = "self-hosting"


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
    """Limits of use; an absent or null one means unlimited."""

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

    model_config = ConfigDict(json_schema_extra=_WORKLOAD_RULES)

    replicas: int = Field(default=1, ge=1, le=50)
    """Pods that serve one tenant."""
    cpu_request: Cpu = "20m"
    """CPU kept free for each pod, as a Kubernetes quantity."""
    cpu_limit: Cpu | None = None
    """CPU a pod may use at most; absent means what the node has left."""
    memory_request: Memory = "96Mi"
    """Memory kept free for each pod."""
    memory_limit: Memory = "256Mi"
    """Memory above which a pod is restarted."""


class PlanSpec(Model):
    """One line of the price list."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    display_name: str = Field(min_length=1, max_length=80)
    """Name on the price list."""
    description: str = Field(default="", max_length=500)
    """One sentence for the price list."""
    price: Price
    """Price of one month."""
    offered: bool = False
    """Whether anyone may see it on the public price list and sign up for it. Staff can give every plan to a tenant."""
    trial_days: int | None = Field(default=None, ge=1, le=365)
    """Length of the trial in days, from creation or claim, for Tenants without a trialEndsAt of their own. Required on
    plan trial, refused on others."""
    support: str = Field(default="", max_length=200)
    """Support that comes with the plan, in words."""
    limits: Limits = Field(default_factory=Limits)
    """Limits of use; an absent or null one means unlimited."""
    features: tuple[Feature, ...] = Field(
        default=(), max_length=50, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Names of the features that are switched on."""
    workload: Workload = Field(default_factory=Workload)
    """Size of the tenant's pods."""
    backup: BackupSchedule | None = None
    """When a tenant's data is backed up, and how many backups are kept, unless its Tenant says otherwise. Without it there
    are only those that are made by hand."""
    undo_days: int = Field(default=14, ge=0, le=365)
    """How long the data of a Tenant that was deleted with deletionPolicy Delete is kept before it is erased. 0: it is
    destroyed with the Tenant."""


class PlanStatus(Model):
    """What the operator has observed."""

    tenants: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants and pools that use this plan. A plan in use cannot be deleted."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: the operator can parse the plan, and it is not being deleted."""


class Plan(Resource):
    """What a tenant may use, what it costs, and how big its workload is."""

    plural: ClassVar[str] = "plans"
    short: ClassVar[str] = "vplan"
    model_config = ConfigDict(json_schema_extra=_ROOT_RULES)

    spec: PlanSpec
    """One line of the price list."""
    status: PlanStatus = Field(default_factory=PlanStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vplan`."""
        ready = '.status.conditions[?(@.type=="Ready")]'
        return [
            {"name": "Display-Name", "type": "string", "jsonPath": ".spec.displayName"},
            {"name": "Price-Cents", "type": "integer", "jsonPath": ".spec.price.amountCents"},
            {"name": "Records", "type": "integer", "jsonPath": ".spec.limits.records"},
            {"name": "Users", "type": "integer", "jsonPath": ".spec.limits.users"},
            {"name": "Tenants", "type": "integer", "jsonPath": ".status.tenants"},
            {"name": "Status", "type": "string", "jsonPath": f"{ready}.message"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Connections", "type": "integer", "jsonPath": ".spec.limits.connections", "priority": 1},
            {"name": "Memory", "type": "string", "jsonPath": ".spec.workload.memoryLimit", "priority": 1},
        ]
