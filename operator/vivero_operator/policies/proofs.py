"""Which tenants are proven in which night, and what a Tenant says of it. Pure.

A night is the window in which proofs may begin. Each tenant has its own minute in the window's first half; the second half
is for those that found no room. Whoever found none in a whole night comes first in the next, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vivero_core.model import conditions as cond
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import Recovery, Tenant
from vivero_core.model.tenant_proof import TenantProof

from vivero_operator.policies import life
from vivero_operator.policies.schedule import share_of
from vivero_operator.settings import ProofSchedule

LONGEST: Final = timedelta(days=7)
"""A tenant that has not changed is proven again after so long all the same: what is stored may have been damaged."""
STEP: Final = timedelta(hours=1)
"""`to` of a tenant's recovery is written alone when it has moved so far: of a thousand tenants that is a write in four seconds."""
_ALL: Final = ("Passed", "Failed", "Refused")
_OUTCOMES: Final[Mapping[str, str]] = {Reason.FAILED: "Failed", Reason.REFUSED: "Refused"}


@dataclass(frozen=True)
class Night:
    """A window in which proofs begin."""

    begins: datetime
    ends: datetime

    def minute_of(self, ident: str) -> datetime:
        """When a tenant's turn comes: the same in every night, spread over all tenants."""
        return self.begins + (self.ends - self.begins) / 2 * share_of(ident)

    def proof_of(self, tenant: str) -> str:
        """Name of the TenantProof: one a night, however often it is asked for."""
        return f"{tenant}-{self.begins:%Y%m%d}"


def night(now: datetime, schedule: ProofSchedule) -> Night | None:
    """The one that it is now."""
    begins = now.astimezone(UTC).replace(hour=schedule.begins, minute=0, second=0, microsecond=0)
    if begins > now:
        begins -= timedelta(days=1)
    ends = begins + timedelta(hours=schedule.hours)
    return Night(begins, ends) if now < ends else None


def is_provable(tenant: Tenant) -> bool:
    """Whether there is data of somebody, in service or suspended, that is kept and looked after."""
    meta = tenant.metadata
    held = not tenant.is_spare and tenant.status.proven_at is not None and tenant.status.data_lost_at is None
    return held and meta.deletion_timestamp is None and not life.paused(meta)


def of_tenant(tenant: Tenant, proofs: Iterable[TenantProof]) -> list[TenantProof]:
    """Those of this very Tenant, and not of another that had its name, oldest first."""
    made = tenant.metadata.creation_timestamp
    return sorted((one for one in proofs if made is None or _made(one) >= made), key=_made)


def outcome(proof: TenantProof) -> str | None:
    """Passed, Failed or Refused, once it has ended."""
    complete = cond.find(proof.status.conditions, ConditionType.COMPLETE)
    if complete is None:
        return None
    return "Passed" if complete.status is Status.TRUE else _OUTCOMES.get(complete.reason)


def due(tenants: Iterable[tuple[Tenant, Sequence[TenantProof]]], tonight: Night, now: datetime) -> list[Tenant]:
    """Whose turn it is if they have changed, those first that have waited longest. With their own proofs, oldest first."""
    waiting = [
        (proofs[-1].metadata.creation_timestamp if proofs else None, tenant)
        for tenant, proofs in tenants
        if is_provable(tenant) and tonight.minute_of(tenant.id) <= now and not _is_done(proofs, tonight)
    ]
    first = datetime.min.replace(tzinfo=UTC)
    return [tenant for _, tenant in sorted(waiting, key=lambda one: (one[0] or first, one[1].id))]


def _is_done(proofs: Sequence[TenantProof], tonight: Night) -> bool:
    """Whether there is one of this night, or one that has not ended."""
    return bool(proofs) and (_made(proofs[-1]) >= tonight.begins or outcome(proofs[-1]) is None)


def settles(proofs: Sequence[TenantProof], last: int | None, now: datetime) -> bool:
    """Whether the newest proof still says all: it passed not long ago, and nothing was archived since.

    `last`: number of the last transaction in the tenant's archive; None if that is empty.
    """
    newest = proofs[-1] if proofs else None
    if newest is None or outcome(newest) != "Passed" or newest.status.transaction is None:
        return False
    proven = int(newest.status.transaction.rpartition("-")[2])
    return now - _made(newest) < LONGEST and last is not None and last <= proven


def superfluous(proofs: Sequence[TenantProof]) -> list[TenantProof]:
    """Those of a tenant that need not be kept: all that ended but the newest of them, and the last that passed."""
    ended = [one for one in proofs if outcome(one) is not None]
    return [one for one in ended[:-1] if one is not _newest(proofs, "Passed")]


def last_passed(proofs: Sequence[TenantProof]) -> datetime | None:
    """To which moment the tenant was proven last."""
    passed = _newest(proofs, "Passed")
    return passed.status.proven_at if passed is not None else None


def last_outcome(proofs: Sequence[TenantProof]) -> str | None:
    """Of the newest that has ended."""
    ended = _newest(proofs, *_ALL)
    return outcome(ended) if ended is not None else None


def _newest(proofs: Sequence[TenantProof], *outcomes: str) -> TenantProof | None:
    return next((one for one in reversed(proofs) if outcome(one) in outcomes), None)


def recovery(
    known: Recovery | None, proofs: Sequence[TenantProof], archived_to: datetime | None, now: datetime
) -> Recovery | None:
    """What a Tenant says, by its proofs and by how far its log is archived; what nobody knows any more stays as it was."""
    told = known or Recovery()
    ended, passed = _newest(proofs, *_ALL), _newest(proofs, "Passed")
    update: dict[str, object] = {}
    if passed is not None and passed.status.reachable_from is not None:
        update["begins"] = passed.status.reachable_from
    # What is archived stays so: the newest word is the best one, whoever has said it.
    said = told.ends, archived_to, passed.status.reachable_to if passed is not None else None
    ends = max((one for one in said if one is not None), default=None)
    if ends != told.ends:
        update |= {"ends": ends, "observed_at": now}
    if ended is not None:
        update |= {"last_proof": _ended(ended), "proof_result": outcome(ended), "message": ended.status.message}
    found = told.model_copy(update=update)
    return found if found != Recovery() else None


def worth_a_write(known: Recovery | None, found: Recovery | None) -> bool:
    """Whether a change is more than the archive's going on: that is shown along with the next one, or in steps."""
    if known is None or found is None or known.ends is None or found.ends is None:
        return known != found
    if not timedelta() <= found.ends - known.ends < STEP:
        return True
    same = {"ends": found.ends, "observed_at": found.observed_at}
    return known.model_copy(update=same) != found


def condition(tenant: Tenant, found: Recovery | None, now: datetime) -> Condition | None:
    """Recoverable, once a proof has said so or the contrary."""
    if found is None or found.proof_result is None:
        return None
    passed = found.proof_result == "Passed"
    return Condition(
        type=ConditionType.RECOVERABLE,
        status=Status.of(passed),
        reason=Reason.RECOVERY_PROVEN if passed else Reason.RECOVERY_NOT_PROVEN,
        message=found.message or "",
        last_transition_time=now,
        observed_generation=tenant.metadata.generation,
    )


def _made(proof: TenantProof) -> datetime:
    return proof.metadata.creation_timestamp or datetime.max.replace(tzinfo=UTC)


def _ended(proof: TenantProof) -> datetime:
    """The condition's time would not do: that it is not complete was said from the beginning."""
    return max((one.finished_at for one in proof.status.steps if one.finished_at is not None), default=_made(proof))
