"""How far one tenant's part of the log is, by the backup bucket, and whether that means that nothing was changed."""

from dataclasses import dataclass
from datetime import datetime

from vivero_operator.archiver.bucket import Searched
from vivero_operator.archiver.chain import Chain, Segment
from vivero_operator.archiver.position import Position, Positions, gaps, lost, sequence
from vivero_operator.operations.errors import DamagedError


@dataclass(frozen=True)
class Head:
    """The end of a tenant's log; not secret."""

    last: str | None
    """GTID of the tenant's last transaction, archived or known to be lost; None if it has none."""
    until: int
    """Unix seconds: whatever the tenant committed before is counted."""
    gap_ends: int
    """Unix seconds: what was committed before, in the newest gap of the server's archive, is not known. 0 without a gap."""


def has_begun(store: Searched, tenant: str) -> bool:
    """Whether there is anything of the tenant in the archive, or it is known to be lost. Raises StepFailedError."""
    return any(store.first(f"{tenant}/{below}") is not None for below in ("log/", "backups/", "trimmed", "lost"))


def position_of(store: Searched, server: str, tenant: str) -> Position:
    """How far the server's log is archived, if all is there that this counts.

    Raises:
        DamagedError: an object is gone, or was not listed: the archive would pass for one in which less was committed.
    """
    return _known(store, server, tenant)[0]


def _known(store: Searched, server: str, tenant: str) -> tuple[Position, Segment | None]:
    """The position, and the tenant's newest segment; see `position_of`."""
    position = Positions(store, server).load()
    newest = Chain(store, tenant, position.heads.get(tenant, 0)).head()
    there = newest.number if newest is not None else 0
    if there < (last := position.heads.get(tenant, 0)):
        raise DamagedError(f"the archive of {tenant} lacks segment {there + 1}, and its newest is {last}")
    if len(gaps(store, server)) < position.gaps:
        raise DamagedError(f"of {position.gaps} gaps in the archive of the server some are not noted any more")
    if tenant in position.losses and lost(store, tenant) is None:
        raise DamagedError(f"{tenant}/lost is gone: what the archive of {tenant} lacks is not known")
    return position, newest


def read(store: Searched, server: str, tenant: str) -> Head:
    """Raises StepFailedError."""
    position, newest = _known(store, server, tenant)
    told = (newest.span.last if newest else None, lost(store, tenant))
    last = max(filter(None, told), key=sequence, default=None)
    until = min(position.until, position.waiting.get(tenant, position.until))
    return Head(last, until, max((gap.ends for gap in gaps(store, server)), default=0))


def unchanged(head: Head, gtid: str, taken_at: datetime, until: datetime) -> bool:
    """Whether it is certain that the tenant has changed nothing from a backup (its moment and last transaction) until then."""
    nothing_later = head.last is None or sequence(head.last) <= sequence(gtid)
    return nothing_later and head.until >= until.timestamp() and head.gap_ends < taken_at.timestamp()
