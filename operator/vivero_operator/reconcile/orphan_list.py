"""Orphans that the last sweep found."""

from dataclasses import dataclass, field
from datetime import datetime

from vivero_operator.policies.orphans import Found


@dataclass(frozen=True)
class Orphan:
    """What is left of one tenant."""

    found: Found
    tenant: str | None
    """Name of its Tenant, where something remembers it."""
    shown_at: str | None
    """The DatabaseServer whose status names it."""
    since: datetime


@dataclass
class Orphans:
    """What the last sweep found, by id."""

    known: dict[str, Orphan] = field(default_factory=dict)
    """Some may have been adopted since."""
    swept: bool = False
    """Whether there was a sweep yet: before, nothing is said to be gone."""
    whole: bool = False
    """Whether every system answered the last one: what is not in `known` is nowhere."""

    def of(self, server: str) -> list[Orphan]:
        return [one for _, one in sorted(self.known.items()) if one.shown_at == server]
