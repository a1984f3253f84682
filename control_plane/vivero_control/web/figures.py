"""The staff's pages about the figures of the business: tiles, each of which opens its rows."""

from datetime import date, timedelta
from typing import Any, Final

from litestar import Controller, Request, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from msgspec import Struct
from vivero_ui.filters import euro, number
from vivero_web.errors import NotFoundError

from vivero_control.domain.figures.policies import WEEKS
from vivero_control.domain.figures.schemas import Conversion, FigureRows, FiguresView, Rate, Tile, Verdict, WeekView
from vivero_control.domain.figures.service import FigureService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.staff_shell import FIGURES, shell

VERDICTS: Final = {
    Verdict.ABOVE: StatusLabel("Above the goal", "success"),
    Verdict.BELOW: StatusLabel("Below the goal", "warning"),
    Verdict.TOO_EARLY: StatusLabel("Too early to tell", "neutral"),
}
TILES: Final = {
    Tile.SIGNUP: "Signups",
    Tile.CONFIRMED: "Signups whose address is confirmed",
    Tile.PROVISIONED: "Signups whose workspace worked",
    Tile.FIRST_VALUE: "Signups whose workspace has held a record",
    Tile.ACTIVE: "Signups whose workspace was active",
    Tile.PAID: "Signups that have paid",
    Tile.CONVERSION: "Trials whose outcome is known",
    Tile.PAYING: "Customers who pay",
    Tile.LOST: "Customers lost in thirty days",
}
OF_CUSTOMERS: Final = frozenset({Tile.PAYING, Tile.LOST})
CHART_HEIGHT: Final = 120


class Column(Struct, frozen=True, kw_only=True):
    """A week in the chart: the height of all its signups, and of those that paid."""

    x: int
    all: int
    paid: int
    title: str


def columns(weeks: tuple[WeekView, ...]) -> tuple[Column, ...]:
    """The oldest first; the fullest week is as high as the chart."""
    most = max((one.signups for one in weeks), default=0) or 1
    return tuple(
        Column(
            x=at,
            all=round(CHART_HEIGHT * one.signups / most),
            paid=round(CHART_HEIGHT * one.paid.count / most),
            title=f"{week_words(one.week)}: {number(one.signups)} signups, {number(one.paid.count)} paid",
        )
        for at, one in enumerate(reversed(weeks))
    )


def week_words(monday: date) -> str:
    """Monday to Sunday, with the month once if it is the same."""
    sunday = monday + timedelta(days=6)
    if monday.month == sunday.month:
        return f"{monday.day}\N{EN DASH}{sunday:%-d %b %Y}"
    return f"{monday:%-d %b} \N{EN DASH} {sunday:%-d %b %Y}"


def span_words(week: date | None) -> str:
    """Of which time the rows are."""
    return f"Of the week {week_words(week)}." if week else f"Of the last {WEEKS} weeks."


def share_words(rate: Rate) -> str:
    """The share and its interval, such as 25 % (12 to 45 %); nothing where there is none to count."""
    if rate.share is None:
        return ""
    return f"{percent(rate.share)} ({rate.low * 100:.0f}\N{EN DASH}{percent(rate.high)})"


def percent(share: float) -> str:
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def amount(cents: int, currency: str) -> str:
    return euro(cents) if currency == "EUR" else f"{cents / 100:,.2f} {currency}"


def finding(view: FiguresView) -> str:
    """What the chart shows, in words."""
    signups, paid = sum(one.signups for one in view.weeks), sum(one.paid.count for one in view.weeks)
    return f"{number(paid)} of {number(signups)} signups of {WEEKS} weeks have paid"


def conversion_words(found: Conversion) -> str:
    rate = found.rate
    if rate.share is None:
        return "No trial has ended yet."
    return (
        f"{number(rate.count)} of {number(rate.of)} trials whose outcome is known; the goal is {percent(found.goal)}."
    )


def activity_words(view: FiguresView) -> str:
    """What becoming active is worth, as far as it can be told."""
    active, others = share_words(view.conversion_of_active), share_words(view.conversion_of_others)
    return f"Of active trials {active or 'none has ended'}, of the others {others or 'none has ended'}."


def _tile_of(word: str) -> Tile:
    """Raises NotFoundError."""
    if word not in set(Tile):
        raise NotFoundError("There is no such figure.")
    return Tile(word)


def _monday(text: str) -> date | None:
    """Of an address that a person may have changed: what is no day is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class FiguresController(Controller):
    """Behind the staff login."""

    path = FIGURES
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="figures")
    async def show(self, member: NamedDependency[StaffView], figures: NamedDependency[FigureService]) -> Template:
        view = await figures.view()
        context: dict[str, Any] = {
            "shell": shell(member, FIGURES),
            "here": FIGURES,
            "view": view,
            "finding": finding(view),
            "columns": columns(view.weeks),
            "conversion": conversion_words(view.conversion),
            "activity": activity_words(view),
            "verdict": VERDICTS[view.conversion.verdict],
            "week_words": week_words,
            "share_words": share_words,
            "amount": amount,
        }
        return Template("pages/figures.html.j2", context=context)

    @get("/{tile:str}", name="figure-rows")
    async def rows(
        self,
        request: Request[Any, Any, Any],
        tile: FromPath[str],
        member: NamedDependency[StaffView],
        figures: NamedDependency[FigureService],
    ) -> Template:
        chosen, week = _tile_of(tile), _monday(request.query_params.get("week", ""))
        found: FigureRows = await figures.rows(chosen, week if chosen not in OF_CUSTOMERS else None)
        context: dict[str, Any] = {
            "shell": shell(member, FIGURES),
            "here": FIGURES,
            "title": TILES[chosen],
            "found": found,
            "of_customers": chosen in OF_CUSTOMERS,
            "span": span_words(found.week) if chosen not in OF_CUSTOMERS else "",
            "place": "Figures",
        }
        return Template("pages/figure_rows.html.j2", context=context)
