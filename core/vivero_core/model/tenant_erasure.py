"""TenantErasure: the order to erase all that is kept of one tenant, now or later, and afterwards the receipt."""

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Model, Resource, Timestamp, rules
from vivero_core.model.operation import OperationStatus, step_columns

_SPEC_RULES = rules(("self == oldSelf", "an erasure cannot be changed: make another TenantErasure"))
Sha256 = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9a-f]{64}$")]


class TenantErasureSpec(Model):
    """Whose data, and when."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    id: str = Field(max_length=naming.TENANT_ID_LENGTH, pattern=naming.TENANT_ID_PATTERN)
    """The tenant's id (status.id of its Tenant), typed in full. Its Tenant has to be deleted first."""
    at: Timestamp | None = None
    """When it is erased; absent: at once, whatever undo window there is. The operator sets it for a Tenant that was
    deleted with deletionPolicy Delete."""
    ordered_by: str = Field(default="", max_length=200)
    """By whose order, as the receipt says it. It outlives the data: the number of a request, and no person's name."""


class ErasedNames(Model):
    """What of one kind was erased."""

    kind: str = Field(min_length=1, max_length=63)
    """tables, files (with their versions), secrets, or backup objects."""
    count: int = Field(ge=0, le=INTEGER_MAX)
    """How many there were."""
    sha256: Sha256
    """SHA-256 of their names in the order of their bytes, a line feed after each."""


class ErasureResult(Model):
    """What the Job says that removed a tenant's objects from the backup bucket."""

    erased_copies: ErasedNames | None = None
    """Backups and archived log in the backup bucket."""
    receipt: str | None = Field(default=None, max_length=200)
    """Key of the receipt in the backup bucket."""
    copies_until: Timestamp | None = None
    """Until when objects stay in the backup bucket that its lock keeps; nobody can read them, for the key is gone."""


class TenantErasureStatus(OperationStatus, ErasureResult):
    """What the operator has observed."""

    undelete: str | None = Field(default=None, max_length=16384)
    """The Tenant that brings the workspace back, as JSON for `kubectl apply`. Absent once it is erased."""
    begun_at: Timestamp | None = None
    """When the erasure began: from then on nothing brings the workspace back."""
    database_server: str | None = Field(default=None, max_length=253)
    """The DatabaseServer that held the schemas when the erasure began."""
    erased_at: Timestamp | None = None
    """When schemas, users, bucket, cache keys, Secrets, namespace and the key of the backups were gone."""
    log_until: Timestamp | None = None
    """When the database server has dropped its own binary log of that time, by its binlog_expire_logs_seconds as it was then.
    Absent where it has none, or drops it by hand alone."""
    erased: tuple[ErasedNames, ...] = Field(
        default=(),
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["kind"]},
    )
    """What was there when the erasure began."""


class TenantErasure(Resource):
    """The order to erase all that is kept of a deleted tenant; afterwards the receipt."""

    plural: ClassVar[str] = "tenanterasures"
    short: ClassVar[str] = "verase"

    spec: TenantErasureSpec
    """Whose data, and when."""
    status: TenantErasureStatus = Field(default_factory=TenantErasureStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get verase`."""
        return [
            {"name": "ID", "type": "string", "jsonPath": ".spec.id"},
            *step_columns(),
            # Not of type date: kubectl prints a date in the future as <invalid>.
            {"name": "At", "type": "string", "jsonPath": ".spec.at"},
            {"name": "Erased", "type": "date", "jsonPath": ".status.erasedAt"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
