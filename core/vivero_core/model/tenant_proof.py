"""TenantProof: one proof that a tenant can be brought back: from its archive, beside the live data, compared, thrown away."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.operation import OperationStatus, step_columns

_SPEC_RULES = rules(("self == oldSelf", "a proof cannot be changed: make another TenantProof"))


class TenantProofSpec(Model):
    """Which tenant."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    tenant: ObjectName
    """Name of the Tenant whose archive is compared with its live data."""


class ProofResult(Model):
    """What a proof that has passed says of itself."""

    proven_at: Timestamp | None = None
    """The moment of the live data that the archive was compared with."""
    reachable_from: Timestamp | None = None
    """The first second that could be restored then."""
    reachable_to: Timestamp | None = None
    """The last second that could be restored then."""
    transaction: str | None = Field(default=None, max_length=64)
    """GTID of the last transaction of the database server that was compared."""
    tables: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Tables that were compared, rows and definitions."""
    files: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Stored files that the data names, all of which are there."""


class TenantProofStatus(OperationStatus, ProofResult):
    """What the operator has observed."""


class TenantProof(Resource):
    """One proof that a tenant can be brought back. It is complete when what its archive restores is the same as its live data.

    The operator makes one in the night for every tenant that has changed, and keeps the newest and the last that passed.
    """

    plural: ClassVar[str] = "tenantproofs"
    short: ClassVar[str] = "vpf"

    spec: TenantProofSpec
    """Which tenant."""
    status: TenantProofStatus = Field(default_factory=TenantProofStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vpf`."""
        return [
            {"name": "Tenant", "type": "string", "jsonPath": ".spec.tenant"},
            *step_columns(),
            {"name": "Proven", "type": "date", "jsonPath": ".status.provenAt"},
            {"name": "From", "type": "string", "jsonPath": ".status.reachableFrom", "priority": 1},
            {"name": "Tables", "type": "integer", "jsonPath": ".status.tables", "priority": 1},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
