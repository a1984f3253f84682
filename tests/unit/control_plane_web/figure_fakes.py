"""Figures of a business with made-up signups and subscriptions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.acquisition import policies
from vivero_control.domain.acquisition.schemas import AcquisitionView, ChannelCost, CostChanges, NewCosts
from vivero_control.domain.acquisition.service import Acquisition
from vivero_control.domain.billing.schemas import Interval, SubscriptionStatus
from vivero_control.domain.figures.counting import VisitCounter
from vivero_control.domain.figures.policies import Prospect, Subscribed, Visits
from vivero_control.domain.figures.schemas import FigureRows, FiguresView, Tile
from vivero_control.domain.figures.service import FigureService, Rows, row_of, rows_of, view_of
from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.staff.schemas import StaffView
from vivero_web.errors import InvalidInputError


def prospect(number: int = 0, days: float = 0, **known: Any) -> Prospect:  # noqa: ANN401  fields of Prospect
    """Signed up so many days ago, and no more than that."""
    created = NOW - timedelta(days=days)
    made: dict[str, Any] = {
        "id": f"{number:032}",
        "company": f"Company {number}",
        "email": f"owner@company-{number}.example",
        "slug": f"company-{number}",
        "created_at": created,
        "trial_ends_at": created + timedelta(days=30),
        "confirmed_at": None,
        "provisioned_at": None,
        "first_value_at": None,
        "active_at": None,
        "paid_at": None,
        "source": "direct",
        "campaign": "",
    }
    return Prospect(**made | known)


def subscribed(customer: str = "acme", days: float = 0, **known: Any) -> Subscribed:  # noqa: ANN401  fields of Subscribed
    """Since so many days, by the month, and paid."""
    made: dict[str, Any] = {
        "customer": customer,
        "status": SubscriptionStatus.ACTIVE,
        "interval": Interval.MONTH,
        "amount_cents": 200_000,
        "currency": "EUR",
        "created_at": NOW - timedelta(days=days),
        "paid_until": NOW + timedelta(days=3),
    }
    return Subscribed(**made | known)


def _prospects() -> list[Prospect]:
    """Eighty of ten weeks, of which fewer come ever further."""
    made = []
    for number in range(80):
        days = number * 0.9
        at = NOW - timedelta(days=days)
        known: dict[str, datetime] = {"confirmed_at": at, "provisioned_at": at} if number % 4 else {}
        if number % 3 == 1:
            known["first_value_at"] = at + timedelta(minutes=number + 2)
        if number % 6 == 1:
            known["active_at"] = at + timedelta(days=1)
        paid = {"paid_at": at + timedelta(days=9)} if number % 5 == 1 and number > 20 else {}
        made.append(prospect(number, days, **known, **paid, source="newsletter" if number % 3 else "direct"))
    return made


ROWS = Rows(
    _prospects(),
    [
        *((subscribed(f"c{number}", 40), f"company-{number}") for number in range(9)),
        (subscribed("c9", 400, interval=Interval.YEAR, amount_cents=2_000_000), "company-9"),
        (
            subscribed("c10", 90, status=SubscriptionStatus.CANCELED, paid_until=NOW - timedelta(days=5)),
            "company-10",
        ),
    ],
    [Visits(NOW.date() - timedelta(days=day), "newsletter", "spring", 40 + day) for day in range(60)],
    NOW,
)
NOTHING = Rows([], [], [], NOW)


class FakeFigures(FigureService):
    def __init__(self, rows: Rows = ROWS) -> None:
        self.known = rows

    async def view(self) -> FiguresView:
        return view_of(self.known)

    async def rows(self, tile: Tile, week: date | None) -> FigureRows:
        found = rows_of(tile, week, self.known)
        return FigureRows(tile=tile, week=week, count=len(found), rows=tuple(found))


class FakeVisits(VisitCounter):
    def __init__(self) -> None:
        self.counted: list[Lead] = []

    def count(self, lead: Lead) -> None:
        self.counted.append(lead)


_CHANNELS = (
    ("direct", 0),
    ("newsletter", 31_050),
    ("linkedin.com", 80_000),
    ("donaudampfschifffahrtsgesellschaft-株式会社ビベロ-newsletter", 1_250_000),
)


class FakeAcquisition(Acquisition):
    """Costs in memory, over the signups of the figures."""

    def __init__(self, costs: Sequence[ChannelCost] | None = None) -> None:
        made = [
            ChannelCost(month=date(2026, month, 1), channel=channel, cents=cents)
            for month in (9, 10, 11)
            for channel, cents in _CHANNELS
        ]
        self.costs = {policies.key_of(one): one.cents for one in (made if costs is None else costs) if one.cents}

    def _said(self) -> list[ChannelCost]:
        return [
            ChannelCost(month=month, channel=channel, currency=currency, cents=cents)
            for (month, channel, currency), cents in self.costs.items()
        ]

    async def view(self) -> AcquisitionView:
        channels, months = policies.acquired(self._said(), ROWS.prospects, NOW)
        return AcquisitionView(since=policies.first_shown(NOW), channels=channels, months=months)

    async def signups(self, month: date, channel: str) -> FigureRows:
        found = [row_of(one) for one in policies.in_month(ROWS.prospects, month, policies.channel_of(channel))]
        return FigureRows(tile=Tile.SIGNUP, week=None, count=len(found), rows=tuple(found))

    async def preview(self, new: NewCosts) -> CostChanges:
        if found := policies.problems(new.costs):
            raise InvalidInputError.of_all(found)
        return CostChanges(changes=policies.changes(new.costs, self.costs))

    async def put(self, new: NewCosts, actor: StaffView) -> CostChanges:
        del actor
        found = await self.preview(new)
        self.costs |= {policies.key_of(one.cost): one.cost.cents for one in found.changes}
        return found
