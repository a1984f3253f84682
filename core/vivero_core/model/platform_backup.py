"""PlatformBackup: what the platform itself is rebuilt from, kept in the backup bucket. There is one, named `platform`."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Sentence, Timestamp
from vivero_core.model.conditions import CONDITIONS_MAX, Condition
from vivero_core.model.tenant_backup import BackupSchedule

NAME: Final = "platform"
"""Of the one that counts."""
DUMPS_MAX: Final = 200
_Key = Annotated[str, StringConstraints(max_length=64, pattern="^([0-9a-f]{64})?$")]
_Stamp = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern="^[a-z0-9-]{1,40}$")]


class ControlPlaneDatabase(Model):
    """Where the control plane's tables are."""

    database_server: ObjectName
    """Name of the DatabaseServer; its log has to be archived (spec.archiverSecret)."""
    database: str = Field(default="vivero_control", min_length=1, max_length=64, pattern="^[A-Za-z0-9_]{1,64}$")
    """Name of the schema."""
    secret: ObjectName
    """Secret in namespace vivero-system with keys username and password of the account that the control plane uses."""


class PlatformBackupSpec(Model):
    """What is backed up, and for whom it is sealed."""

    recovery_key: _Key
    """Public half of the recovery key, 64 hexadecimal digits: the platform's state is sealed for whoever has the private half,
    which belongs nowhere on the platform. Empty: nothing is written, and the platform could not be rebuilt."""
    control_plane: ControlPlaneDatabase | None = None
    """The control plane's tables, archived as they change and dumped by a schedule. Absent: they are not backed up."""
    backup: BackupSchedule | None = None
    """When the control plane's tables are dumped, and how many dumps are kept; absent: each night at half past two."""


class StoredState(Model):
    """The newest state in the backup bucket."""

    number: int = Field(ge=1, le=INTEGER_MAX)
    """It counts up with each change that was written."""
    stored_at: Timestamp
    """When it was written: all that was changed before is in it."""
    bytes: int = Field(ge=0, le=INTEGER_MAX)
    """Its size in the bucket."""


class Dump(Model):
    """A dump of the control plane's tables in the backup bucket."""

    name: _Stamp
    """Its folder in the bucket, below platform/backups/."""
    taken_at: Timestamp
    """The moment of the data."""


class DumpProof(Model):
    """The last attempt to bring the control plane's tables back from the bucket, beside the live ones."""

    ended_at: Timestamp
    """When it ended."""
    result: Literal["Passed", "Failed", "Refused"]
    """Whether what was brought back is the same as the live tables; Refused: the archive does not lead to them."""
    message: Sentence
    """What it said."""
    tables: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Tables that were compared, if all were the same."""


class PlatformBackupStatus(Model):
    """What the operator has observed."""

    message: Sentence | None = None
    """State of the backup, for people."""
    installation: str | None = Field(default=None, max_length=16)
    """Whose state it is: names the key of this installation without giving it away."""
    state: StoredState | None = None
    """The newest state: custom resources, the records of tenants' keys and the keys that these are sealed with."""
    dumps: tuple[Dump, ...] = Field(
        default=(),
        max_length=DUMPS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """Dumps of the control plane's tables that are in the bucket, oldest first."""
    dumping: bool = False
    """Whether the control plane's tables are being dumped."""
    proof: DumpProof | None = None
    """The last proof of the control plane's tables; one follows each dump."""
    expired_at: Timestamp | None = None
    """When what is not kept any more was last removed."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Recoverable: the platform could be rebuilt from the backup bucket and the recovery key as it is now."""


class PlatformBackup(Resource):
    """What the platform itself is rebuilt from: its custom resources, keys and the control plane's tables, in the backup bucket."""

    plural: ClassVar[str] = "platformbackups"
    short: ClassVar[str] = "vpb"

    spec: PlatformBackupSpec
    """What is backed up, and for whom it is sealed."""
    status: PlatformBackupStatus = Field(default_factory=PlatformBackupStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vpb`."""
        recoverable = '.status.conditions[?(@.type=="Recoverable")]'
        return [
            {"name": "Recoverable", "type": "string", "jsonPath": f"{recoverable}.status"},
            {"name": "Reason", "type": "string", "jsonPath": f"{recoverable}.reason"},
            {"name": "Status", "type": "string", "jsonPath": ".status.message"},
            {"name": "Stored", "type": "date", "jsonPath": ".status.state.storedAt"},
            {"name": "Proof", "type": "string", "jsonPath": ".status.proof.result", "priority": 1},
            {"name": "Proven", "type": "date", "jsonPath": ".status.proof.endedAt", "priority": 1},
            {"name": "Number", "type": "integer", "jsonPath": ".status.state.number", "priority": 1},
            {"name": "Installation", "type": "string", "jsonPath": ".status.installation", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
