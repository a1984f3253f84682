"""Whether a TenantErasure begins, waits, or is never to begin. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from vivero_core.model.constants import Reason
from vivero_core.model.tenant_erasure import TenantErasure

from vivero_operator.escrow.record import Record


class Turn(Enum):
    """What becomes of it now."""

    BEGIN = "begin"
    WAIT = "wait"
    END = "end"
    """Nothing is erased, by this order."""


@dataclass(frozen=True)
class Decision:
    """And why."""

    turn: Turn
    reason: Reason
    message: str


@dataclass(frozen=True)
class Holder:
    """The Tenant that has the id."""

    name: str
    going: bool
    """It is being deleted."""


@dataclass(frozen=True)
class Seen:
    """What there is, read in this order: the record, then who has its id. So a claim of the record tells of whoever came since."""

    item: TenantErasure
    record: Record | None
    holder: Holder | None
    servers: Collection[str]
    """DatabaseServers, by name."""
    others: Collection[str]
    """UIDs of the other TenantErasures."""
    elsewhere: bool = False
    """One of them has begun to erase this very data, or has erased it."""


BEGIN: Final = Decision(Turn.BEGIN, Reason.ERASING, "Erasing")


def decide(seen: Seen, now: datetime) -> Decision:
    at = seen.item.spec.at
    if at is not None and seen.elsewhere:
        return Decision(Turn.END, Reason.CANCELLED, "Another TenantErasure erases this data")
    if at is not None and now < at:
        return _early(seen, at)
    looks: tuple[Callable[[Seen], Decision | None], ...] = (_claimed, _held, _out_of_date, _out_of_reach)
    return next((found for look in looks if (found := look(seen)) is not None), BEGIN)


def _early(seen: Seen, at: datetime) -> Decision:
    if seen.holder is not None and not seen.holder.going:
        return Decision(Turn.END, Reason.CANCELLED, f"Tenant {seen.holder.name} has adopted the data")
    message = f"Kept until {at:%Y-%m-%dT%H:%M:%SZ}, then erased; until then spec.adopt takes the data back"
    return Decision(Turn.WAIT, Reason.SCHEDULED, message)


def _claimed(seen: Seen) -> Decision | None:
    """What an erasure began that was deleted meanwhile goes on under the next one."""
    if seen.record is None or seen.record.erasing not in seen.others:
        return None
    return Decision(Turn.END, Reason.CANCELLED, "Another TenantErasure erases this data")


def _held(seen: Seen) -> Decision | None:
    holder = seen.holder
    if holder is None:
        return None
    if holder.going:
        return Decision(Turn.WAIT, Reason.DELETING, f"Waiting for Tenant {holder.name} to be deleted")
    if seen.item.spec.at is not None:
        return Decision(Turn.END, Reason.CANCELLED, f"Tenant {holder.name} has adopted the data")
    return Decision(Turn.END, Reason.REFUSED, f"Refused: the data belongs to Tenant {holder.name}; delete that first")


def _out_of_date(seen: Seen) -> Decision | None:
    """An order of the operator is for the deletion that it followed, and the record says which that was."""
    at, record = seen.item.spec.at, seen.record
    if at is None or (record is not None and record.erase_at == at):
        return None
    return Decision(Turn.END, Reason.CANCELLED, "The data was adopted, or erased, since this was ordered")


def _out_of_reach(seen: Seen) -> Decision | None:
    if seen.record is None or seen.record.database_server in seen.servers:
        return None
    message = f"DatabaseServer {seen.record.database_server}, which has the data, does not exist"
    return Decision(Turn.WAIT, Reason.DATABASE_SERVER_NOT_FOUND, message)
