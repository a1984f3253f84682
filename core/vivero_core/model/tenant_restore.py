"""TenantRestore: a tenant as it was, brought back as a new tenant beside it: of a backup, or of any archived second."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.operation import OperationStatus, step_columns
from vivero_core.model.tenant import SLUG_RULES

_SPEC_RULES = rules(
    ("self == oldSelf", "a restore cannot be changed: make another TenantRestore"),
    ("!has(self.backup) || !has(self.time)", "give backup or time, not both: a backup has a time of its own"),
)
_TARGET_RULES = rules(("size(self.tenant) <= 63", "target.tenant must be at most 63 characters long"))


class RestoreTarget(Model):
    """The Tenant that is made."""

    model_config = ConfigDict(json_schema_extra=_TARGET_RULES)

    tenant: ObjectName
    """Name of the new Tenant."""
    slug: str = Field(min_length=1, max_length=naming.SLUG_MAX_LENGTH, json_schema_extra=SLUG_RULES)
    """Its slug: the first label of the workspace's host name."""


class TenantRestoreSpec(Model):
    """Which tenant, as of when, and where to."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    tenant: ObjectName
    """Name of the Tenant that is brought back."""
    backup: ObjectName | None = None
    """Name of a TenantBackup of it that is complete."""
    time: Timestamp | None = None
    """The second to go back to, by the archived binary log: what was committed until then is there, and nothing else. With
    neither backup nor time it is the one in which this object was made."""
    target: RestoreTarget
    """The Tenant that is made. Display name, plan and owner are those of the Tenant that is brought back."""


class RestoreResult(Model):
    """What a restore that is complete says of itself."""

    files: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Stored files that were brought back."""
    restored_to: Timestamp | None = None
    """The moment of the data: when the backup's dump was begun, or the second that was asked for."""
    missing_files: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Stored files that the restored data names, and that were deleted for good since."""


class TenantRestoreStatus(OperationStatus, RestoreResult):
    """What the operator has observed."""


class TenantRestore(Resource):
    """A tenant as it was, brought back as a new one. It is complete when the data was compared and the new Tenant is Ready."""

    plural: ClassVar[str] = "tenantrestores"
    short: ClassVar[str] = "vrs"

    spec: TenantRestoreSpec
    """Which backup, and where to."""
    status: TenantRestoreStatus = Field(default_factory=TenantRestoreStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vrs`."""
        return [
            {"name": "Tenant", "type": "string", "jsonPath": ".spec.tenant"},
            {"name": "Into", "type": "string", "jsonPath": ".spec.target.tenant"},
            *step_columns(),
            {"name": "Restored-To", "type": "date", "jsonPath": ".status.restoredTo"},
            {"name": "Backup", "type": "string", "jsonPath": ".spec.backup", "priority": 1},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
