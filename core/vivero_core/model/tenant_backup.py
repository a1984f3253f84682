"""TenantBackup: one backup of one tenant's schemas and files, made once and kept in the backup bucket."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.operation import OperationStatus, step_columns

_SPEC_RULES = rules(("self == oldSelf", "a backup cannot be changed: make another TenantBackup"))


class TenantBackupSpec(Model):
    """Which tenant."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    tenant: ObjectName
    """Name of the Tenant whose schemas and files are backed up."""


class BackupResult(Model):
    """What a backup that is complete says of itself."""

    prefix: str | None = Field(default=None, max_length=200)
    """Where the backup is in the backup bucket; the keys of its objects begin with it."""
    bytes: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Size of the dumps in the bucket, compressed and encrypted."""
    files: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Stored files that belong to the backup."""
    taken_at: Timestamp | None = None
    """The moment of the data: when the dump was begun."""


class TenantBackupStatus(OperationStatus, BackupResult):
    """What the operator has observed."""


class TenantBackup(Resource):
    """One backup of one tenant. It is complete when it was read back and compared."""

    plural: ClassVar[str] = "tenantbackups"
    short: ClassVar[str] = "vbk"

    spec: TenantBackupSpec
    """Which tenant."""
    status: TenantBackupStatus = Field(default_factory=TenantBackupStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vbk`."""
        return [
            {"name": "Tenant", "type": "string", "jsonPath": ".spec.tenant"},
            *step_columns(),
            {"name": "Taken", "type": "date", "jsonPath": ".status.takenAt"},
            {"name": "Bytes", "type": "integer", "jsonPath": ".status.bytes", "priority": 1},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
