"""TenantRestore: a tenant as it was, brought back in place, as a new tenant or to be looked at: of a backup, or of any archived second."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Second, Timestamp, rules
from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.operation import OperationStatus, step_columns
from vivero_core.model.tenant import SLUG_RULES

_SPEC_RULES = rules(
    ("self == oldSelf", "a restore cannot be changed: make another TenantRestore"),
    ("!has(self.backup) || !has(self.time)", "give backup or time, not both: a backup has a time of its own"),
    (
        "!has(self.target.inPlace) || has(self.backup) || has(self.time)",
        "target.inPlace needs time or backup: how far the live data goes back",
    ),
)
_TARGET_RULES = rules(
    (
        "[has(self.inPlace), has(self.asOf), has(self.tenant) || has(self.slug)].filter(given, given).size() == 1",
        "give one target: target.inPlace, target.asOf, or target.tenant with target.slug",
    ),
    ("has(self.tenant) == has(self.slug)", "target.tenant and target.slug go together: a new Tenant needs both"),
    ("!has(self.inPlace) || self.inPlace", "target.inPlace can only be true; leave it out for another target"),
    ("!has(self.tenant) || size(self.tenant) <= 63", "target.tenant must be at most 63 characters long"),
)


class AsOfTarget(Model):
    """A workspace that shows the data as of that second, beside the live one. Nothing in it can be changed."""

    host: str | None = Field(default=None, min_length=3, max_length=naming.HOST_MAX_LENGTH, pattern=naming.HOST_PATTERN)
    """Where it answers: a name directly below the platform's domain. Without one a name is made that nobody can guess."""


class RestoreTarget(Model):
    """Where the data goes: in the place of the tenant's live data, to a Tenant that is made, or beside, to be looked at."""

    model_config = ConfigDict(json_schema_extra=_TARGET_RULES)

    in_place: bool | None = None
    """`true`: the tenant's live data goes back. Name, slug, hosts, keys and audit log stay, and what the live data was is kept
    on its server until the next restore in place."""
    as_of: AsOfTarget | None = None
    """The data is shown beside the live workspace, read only, for a day or until this object is deleted."""
    tenant: ObjectName | None = None
    """Name of the new Tenant."""
    slug: str | None = Field(
        default=None, min_length=1, max_length=naming.SLUG_MAX_LENGTH, json_schema_extra=SLUG_RULES
    )
    """Its slug: the first label of the workspace's host name."""

    @property
    def new_tenant(self) -> str:
        """Name of the new Tenant; empty where none is made."""
        return self.tenant or ""


class TenantRestoreSpec(Model):
    """Which tenant, as of when, and where to."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    tenant: ObjectName
    """Name of the Tenant that is brought back."""
    backup: ObjectName | None = None
    """Name of a TenantBackup of it that is complete."""
    time: Second | None = None
    """The second to go back to, by the archived binary log: what was committed until then is there, and nothing else. With
    neither backup nor time it is the one in which this object was made."""
    target: RestoreTarget
    """Where it goes. Display name, plan and owner of a new Tenant are those of the Tenant that is brought back."""


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

    into: str | None = Field(default=None, max_length=253)
    """`in place`, `as of`, or the name of the new Tenant."""
    switched_at: Timestamp | None = None
    """When the restored data took the place of the live data. A restore in place to this second undoes this one."""
    url: str | None = Field(default=None, max_length=300)
    """Where the workspace as of that second answers; gone once it is closed."""
    expires_at: Timestamp | None = None
    """When that workspace is closed by itself."""
    closed_at: Timestamp | None = None
    """When that workspace was closed, and all that was made for it removed."""
    tenant_id: str | None = Field(default=None, max_length=naming.TENANT_ID_LENGTH)
    """Id of the tenant whose data that workspace shows."""


class TenantRestore(Resource):
    """A tenant as it was, brought back in place or as a new one; complete when the data was compared, and its Tenant is Ready."""

    plural: ClassVar[str] = "tenantrestores"
    short: ClassVar[str] = "vrs"

    spec: TenantRestoreSpec
    """Which backup, and where to."""
    status: TenantRestoreStatus = Field(default_factory=TenantRestoreStatus)
    """What the operator has observed."""

    @property
    def into(self) -> str:
        """Where it goes, for people."""
        return self.spec.target.tenant or ("in place" if self.spec.target.in_place else "as of")

    @property
    def is_beside(self) -> bool:
        """Whether its tenant has a workspace as of a second beside the live one, or is about to."""
        complete = find(self.status.conditions, ConditionType.COMPLETE)
        begun = complete is not None and complete.reason in {Reason.RUNNING, Reason.STARTING, Reason.RESTORED}
        return self.spec.target.as_of is not None and begun and self.status.closed_at is None

    @property
    def is_switching(self) -> bool:
        """Whether the tenant is out of service because its data is being replaced."""
        complete = find(self.status.conditions, ConditionType.COMPLETE)
        return complete is not None and complete.status is Status.FALSE and complete.reason == Reason.SWITCHING

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vrs`."""
        return [
            {"name": "Tenant", "type": "string", "jsonPath": ".spec.tenant"},
            {"name": "Into", "type": "string", "jsonPath": ".status.into"},
            *step_columns(),
            {"name": "Restored-To", "type": "date", "jsonPath": ".status.restoredTo"},
            {"name": "URL", "type": "string", "jsonPath": ".status.url", "priority": 1},
            {"name": "Expires", "type": "string", "jsonPath": ".status.expiresAt", "priority": 1},
            {"name": "Backup", "type": "string", "jsonPath": ".spec.backup", "priority": 1},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
