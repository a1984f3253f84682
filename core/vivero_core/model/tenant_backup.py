"""TenantBackup: one backup of one tenant's schemas and files, made once and kept in the backup bucket; and when they are made."""

from typing import Any, ClassVar, Final

from pydantic import ConfigDict, Field

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.constants import LABEL_SCHEDULED
from vivero_core.model.operation import OperationStatus, step_columns

SCHEDULE_MAX_LENGTH: Final = 100


def _field(value: str) -> str:
    """A field of a cron expression, as a pattern: values, ranges and steps, with commas between."""
    one = f"([*]|{value}(-{value})?)(/[1-9][0-9]?)?"
    return f"{one}(,{one})*"


SCHEDULE_PATTERN: Final = "(?i)^{}$".format(
    " ".join(
        map(
            _field,
            (
                "[0-5]?[0-9]",
                "([01]?[0-9]|2[0-3])",
                "(0?[1-9]|[12][0-9]|3[01])",
                "(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)",
                "([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)",
            ),
        )
    )
)
"""What the API server takes. It does not see a range that runs backwards or a day that never comes: a condition says that."""
_SCHEDULE_RULES = rules(
    (
        f"self.matches('{SCHEDULE_PATTERN}')",
        "backup.schedule must be a cron expression of five fields in UTC (minute, hour, day, month, weekday) such as 30 2 * * *",
    ),
)
_KEEP_RULES = rules(("self.daily + self.weekly + self.monthly >= 1", "backup.keep must keep at least one backup"))
_SCHEDULED_PATH: Final = ".metadata.labels." + LABEL_SCHEDULED.replace(".", "\\.")
_SPEC_RULES = rules(("self == oldSelf", "a backup cannot be changed: make another TenantBackup"))


class Keep(Model):
    """How many scheduled backups are kept. One that is the newest of its day and of its week counts for both."""

    model_config = ConfigDict(json_schema_extra=_KEEP_RULES)

    daily: int = Field(default=0, ge=0, le=1000)
    """Of so many days the last backup of the day; a day without a backup does not count."""
    weekly: int = Field(default=0, ge=0, le=1000)
    """Of so many weeks (Monday to Sunday) the last backup of the week."""
    monthly: int = Field(default=0, ge=0, le=1000)
    """Of so many months the last backup of the month."""


class BackupSchedule(Model):
    """When backups are made, and how many are kept."""

    schedule: str = Field(min_length=1, max_length=SCHEDULE_MAX_LENGTH, json_schema_extra=_SCHEDULE_RULES)
    """When a backup is made, as a cron expression in UTC: minute, hour, day, month, weekday. It begins up to a quarter of an
    hour later, not with all others, and only if the tenant's data changed since the backup before."""
    keep: Keep = Field(default_factory=lambda: Keep(daily=7, weekly=4, monthly=3))
    """How many of the scheduled backups are kept; without it 7 daily, 4 weekly, 3 monthly. Backups that were made by hand
    are kept until a person removes them."""


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
    gtid: str | None = Field(default=None, max_length=64)
    """The last transaction of the server's log that it holds, where the server has one."""
    unchanged_since: ObjectName | None = None
    """Name of the TenantBackup that holds the same data: nothing was written for this one."""


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
            # Empty for one that was made by hand.
            {"name": "Scheduled", "type": "string", "jsonPath": _SCHEDULED_PATH},
            *step_columns(),
            {"name": "Taken", "type": "date", "jsonPath": ".status.takenAt"},
            {"name": "Bytes", "type": "integer", "jsonPath": ".status.bytes", "priority": 1},
            {"name": "Files", "type": "integer", "jsonPath": ".status.files", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]
