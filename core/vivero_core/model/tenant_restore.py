"""TenantRestore: a backup brought back as a new tenant, beside the one it was made of."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.operation import OperationStatus, step_columns
from vivero_core.model.tenant import SLUG_RULES

_SPEC_RULES = rules(("self == oldSelf", "a restore cannot be changed: make another TenantRestore"))
_TARGET_RULES = rules(("size(self.tenant) <= 63", "target.tenant must be at most 63 characters long"))


class RestoreTarget(Model):
    """The Tenant that is made."""

    model_config = ConfigDict(json_schema_extra=_TARGET_RULES)

    tenant: ObjectName
    """Name of the new Tenant."""
    slug: str = Field(min_length=1, max_length=naming.SLUG_MAX_LENGTH, json_schema_extra=SLUG_RULES)
    """Its slug: the first label of the workspace's host name."""


class TenantRestoreSpec(Model):
    """Which backup, and where to."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    backup: ObjectName
    """Name of a TenantBackup that is complete."""
    target: RestoreTarget
    """The Tenant that is made. Display name, plan and owner are those of the Tenant that was backed up."""


class RestoreResult(Model):
    """What a restore that is complete says of itself."""

    files: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Stored files that were brought back."""
    restored_to: Timestamp | None = None
    """The moment of the data: when the backup's dump was begun."""


class TenantRestoreStatus(OperationStatus, RestoreResult):
    """What the operator has observed."""


class TenantRestore(Resource):
    """One backup brought back as a new tenant. It is complete when the data was compared and the new Tenant is Ready."""

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
            {"name": "Backup", "type": "string", "jsonPath": ".spec.backup"},
            {"name": "Tenant", "type": "string", "jsonPath": ".spec.target.tenant"},
            *step_columns(),
            {"name": "Restored-To", "type": "date", "jsonPath": ".status.restoredTo"},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
