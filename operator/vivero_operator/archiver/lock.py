"""Object Lock: a time within which the store itself refuses to remove what was written to the backup bucket. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: the bucket has to be made with it, which also
keeps a version of what is written over or deleted; a request that locks has to carry the digest of what it sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Self, cast

Mode = Literal["GOVERNANCE", "COMPLIANCE"]
"""GOVERNANCE: the store's own administrators can lift it. COMPLIANCE: nobody can."""
MODE: Final = "VIVERO_BACKUP_LOCK"
"""Variable of the programs that write to the backup bucket; without it nothing is locked."""
DAYS: Final = "VIVERO_BACKUP_LOCK_DAYS"
"""Variable beside it: for how long, from when something is written."""
_WRITTEN_ONCE: Final = frozenset({"log", "backups", "files", "state"})
"""The folders of a tenant, and of the platform, whose objects stay as they are. Beside them are notes of where one is."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What a request asks for, that writes an object."""

    mode: Mode
    until: datetime


@dataclass(frozen=True, slots=True)
class Lock:
    """How what is written once is kept."""

    mode: Mode
    days: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self | None:
        """As the operator has told its programs."""
        mode = environment.get(MODE)
        return cls(cast("Mode", mode), int(environment[DAYS])) if mode else None

    def environment(self) -> list[dict[str, str]]:
        """For a container that writes."""
        return [{"name": MODE, "value": self.mode}, {"name": DAYS, "value": str(self.days)}]


def retention(lock: Lock | None, key: str, now: datetime) -> Retention | None:
    """Of an object that is written now; None without a lock, and for one that is written again and again."""
    parts = key.split("/")
    if lock is None or len(parts) < 3 or parts[1] not in _WRITTEN_ONCE:  # noqa: PLR2004
        return None
    return Retention(lock.mode, now + timedelta(days=lock.days))
