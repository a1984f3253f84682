"""Figures of the business, read: all of one request are of one transaction, so that they agree with each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from prometheus_client import Gauge
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.domain.figures import policies
from vivero_control.domain.figures.policies import Prospect, Subscribed, Visits
from vivero_control.domain.figures.repository import JourneyRepository, VisitRepository
from vivero_control.domain.figures.schemas import FigureRow, FigureRows, FiguresView, Stage, Tile

MOST_ROWS: Final = 1000

revenue = Gauge("vivero_control_mrr_cents", "Monthly recurring revenue, in cents", ["currency"])
customers = Gauge("vivero_control_paying_customers", "Customers with a subscription that is paid", ["currency"])
funnel = Gauge("vivero_control_funnel", "Signups of the last weeks that have reached a stage", ["stage"])
trials = Gauge("vivero_control_trial_conversion", "Share of trials with a known outcome that became customers")


@dataclass(frozen=True, slots=True)
class Rows:
    """What all figures are calculated from."""

    prospects: Sequence[Prospect]
    subscriptions: Sequence[tuple[Subscribed, str]]
    visits: Sequence[Visits]
    now: datetime


class FigureService:
    """For staff."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def view(self) -> FiguresView:
        return view_of(await self._rows())

    async def rows(self, tile: Tile, week: date | None) -> FigureRows:
        """What a figure counts; `week` is a Monday, for figures of signups alone."""
        found = rows_of(tile, week, await self._rows())
        return FigureRows(tile=tile, week=week, count=len(found), rows=tuple(found[:MOST_ROWS]))

    async def measure(self) -> None:
        """The gauges."""
        rows = await self._rows()
        view = view_of(rows)
        for gauge in (revenue, customers):
            gauge.clear()  # what is sold in no currency any more has no figure
        for one in view.money:
            revenue.labels(one.currency).set(one.mrr_cents)
            customers.labels(one.currency).set(one.customers)
        for stage in Stage:
            funnel.labels(stage).set(len(policies.at_stage(rows.prospects, stage)))
        if view.conversion.rate.share is not None:
            trials.set(view.conversion.rate.share)

    async def _rows(self) -> Rows:
        now = self._clock()
        since = policies.first_shown(now)
        async with self._database.transaction() as session:
            journeys = JourneyRepository(session)
            return Rows(
                await journeys.prospects(since),
                await journeys.subscriptions(),
                await VisitRepository(session).since(since.date()),
                now,
            )


def view_of(rows: Rows) -> FiguresView:
    subscriptions = [one for one, _ in rows.subscriptions]
    active, others = policies.by_activity(rows.prospects, rows.now)
    return FiguresView(
        at=rows.now,
        weeks=policies.weeks(rows.prospects, rows.visits, rows.now),
        sources=policies.sources(rows.prospects, rows.visits),
        conversion=policies.conversion(rows.prospects, rows.now),
        conversion_of_active=active,
        conversion_of_others=others,
        first_value=policies.first_value(rows.prospects),
        money=policies.money(subscriptions, rows.now),
        churn=policies.churn(subscriptions, rows.now),
    )


def rows_of(tile: Tile, week: date | None, rows: Rows) -> list[FigureRow]:
    """Exactly those that the figure counts."""
    if tile in {Tile.PAYING, Tile.LOST}:
        subscriptions = [one for one, _ in rows.subscriptions]
        wanted = policies.lost(subscriptions, rows.now)[1] if tile is Tile.LOST else _live(subscriptions, rows.now)
        return _customers(wanted, rows.subscriptions)
    found = policies.in_week(rows.prospects, week)
    if tile is Tile.CONVERSION:
        return [row_of(one) for one in policies.decided(found, rows.now)]
    return [row_of(one) for one in policies.at_stage(found, Stage(tile))]


def _live(subscriptions: Iterable[Subscribed], now: datetime) -> set[str]:
    """Those whom `policies.money` counts."""
    return policies.paying((one for one in subscriptions if one.status in policies.LIVE), now)


def _customers(wanted: set[str], subscriptions: Iterable[tuple[Subscribed, str]]) -> list[FigureRow]:
    """By their first subscription, the newest customer first."""
    found: dict[str, FigureRow] = {}
    for one, tenant in sorted(subscriptions, key=lambda pair: pair[0].created_at):
        if one.customer in wanted:
            found.setdefault(one.customer, FigureRow(company=tenant, slug=tenant, at=one.created_at))
    return sorted(found.values(), key=lambda row: row.at, reverse=True)


def row_of(one: Prospect) -> FigureRow:
    """A signup among the rows behind a figure."""
    return FigureRow(
        company=one.company,
        slug=one.slug,
        at=one.created_at,
        confirmed_at=one.confirmed_at,
        provisioned_at=one.provisioned_at,
        first_value_at=one.first_value_at,
        active_at=one.active_at,
        paid_at=one.paid_at,
        source=" · ".join(part for part in (one.source, one.campaign) if part),
    )
