"""Object Lock: a time within which the store itself refuses to remove what was written to the backup bucket. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: the bucket has to be made with it, which also
keeps a version of what is written over or deleted; a request that locks has to carry the digest of what it sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

MODE: Final = "VIVERO_BACKUP_LOCK"
"""Variable of the programs that write to the backup bucket: GOVERNANCE or COMPLIANCE; without it nothing is locked."""
DAYS: Final = "VIVERO_BACKUP_LOCK_DAYS"
"""Variable beside it: for how long, from when something is written."""
_WRITTEN_ONCE: Final = frozenset({"log", "backups", "files", "state"})
"""The folders of a tenant, and of the platform, whose objects stay as they are. Beside them are notes of where one is."""


@dataclass(frozen=True, slots=True)
class Lock:
    """GOVERNANCE: the store's own administrators can lift it. COMPLIANCE: nobody can."""

    mode: str
    days: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self | None:
        """As the operator has told its programs."""
        return cls(environment[MODE], int(environment[DAYS])) if environment.get(MODE) else None

    def until(self, key: str, now: datetime) -> datetime | None:
        """Until when an object that is written now is kept; None if it is one that is written again and again."""
        parts = key.split("/")
        return now + timedelta(days=self.days) if len(parts) > 2 and parts[1] in _WRITTEN_ONCE else None  # noqa: PLR2004

    def environment(self) -> list[dict[str, str]]:
        """For a container that writes."""
        return [{"name": MODE, "value": self.mode}, {"name": DAYS, "value": str(self.days)}]
