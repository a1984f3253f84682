"""What a customer costs by channel, read; and the costs, written by admins."""

from datetime import date

from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.db.database import Database
from vivero_control.domain.acquisition import policies
from vivero_control.domain.acquisition.repository import ChannelCostRepository
from vivero_control.domain.acquisition.schemas import AcquisitionView, CostChange, CostChanges, NewCosts
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.figures.repository import JourneyRepository
from vivero_control.domain.figures.schemas import FigureRows, Tile
from vivero_control.domain.figures.service import MOST_ROWS, row_of
from vivero_control.domain.staff.schemas import StaffView

SUBJECT = "costs/channels"
AUDITED = 100
"""Lines of a table that its entry in the audit log has; all are counted."""


class Acquisition:
    """For staff."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def view(self) -> AcquisitionView:
        """Costs and signups of one transaction, so that they agree with each other."""
        now = self._clock()
        since = policies.first_shown(now)
        async with self._database.transaction() as session:
            costs = await ChannelCostRepository(session).since(since)
            prospects = await JourneyRepository(session).prospects(policies.beginning(since)) if costs else []
        channels, months = policies.acquired(costs, prospects, now)
        return AcquisitionView(since=since, channels=channels, months=months)

    async def signups(self, month: date, channel: str) -> FigureRows:
        """Who signed up in the month and came by the channel."""
        async with self._database.transaction() as session:
            prospects = await JourneyRepository(session).prospects(policies.beginning(month))
        found = [row_of(one) for one in policies.in_month(prospects, month, policies.channel_of(channel))]
        return FigureRows(tile=Tile.SIGNUP, week=None, count=len(found), rows=tuple(found[:MOST_ROWS]))

    async def preview(self, new: NewCosts) -> CostChanges:
        """What the table would change. Raises InvalidInputError, naming every line at fault."""
        _check(new)
        async with self._database.transaction() as session:
            known = await ChannelCostRepository(session).known({policies.key_of(one) for one in new.costs})
        return CostChanges(changes=policies.changes(new.costs, known))

    async def put(self, new: NewCosts, actor: StaffView) -> CostChanges:
        """Replace what was said of the table's months, channels and currencies; idempotent. Raises as `preview`."""
        _check(new)
        async with self._database.transaction() as session:
            costs = ChannelCostRepository(session)
            found = policies.changes(new.costs, await costs.known({policies.key_of(one) for one in new.costs}))
            if found:
                await costs.put([one.cost for one in found])
                act = AuditAction(
                    actor=actor.email, action="set-channel-costs", subject=SUBJECT, reason="", detail=_detail(found)
                )
                await AuditRepository(session).add(record(act, self._clock(), DONE))
        return CostChanges(changes=found)


def _check(new: NewCosts) -> None:
    if found := policies.problems(new.costs):
        raise InvalidInputError.of_all(found)


def _detail(found: tuple[CostChange, ...]) -> dict[str, object]:
    return {
        "lines": len(found),
        "changes": [
            f"{one.cost.month:%Y-%m} {one.cost.channel}: {one.before or 0} to {one.cost.cents} cents {one.cost.currency}"
            for one in found[:AUDITED]
        ],
    }
