"""Decisions of the status page: what a measurement means, what a day was, what staff may announce. No I/O, the time passed in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from vivero_web.errors import FieldError
from vivero_web.text import name_problem, tidy, unseen

from vivero_control.domain.status.schemas import (
    TEXT_MAX,
    TITLE_MAX,
    Component,
    ComponentState,
    ComponentView,
    DayView,
    IncidentState,
    NewIncident,
)

DAYS: Final = 90
"""Of history, today included."""
STALE: Final = timedelta(minutes=5)
"""A state that was measured longer ago says nothing about now."""
LONG_OUTAGE: Final = 15
"""Minutes from which on a whole day counts as one with an outage, and not as degraded."""
SLOW_SIGNUP: Final = timedelta(minutes=2)
STUCK_SIGNUP: Final = timedelta(minutes=15)
ALL_BUT: Final = 0.98
"""From this share on, all is well; one of fifty may just restart."""
HALF: Final = 0.5
LONGEST_AHEAD: Final = timedelta(days=366)
CLOCKS_DIFFER: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)

MAINTENANCE: Final = (IncidentState.PLANNED, IncidentState.UNDER_WAY, IncidentState.COMPLETED)
INCIDENT: Final = (
    IncidentState.INVESTIGATING,
    IncidentState.IDENTIFIED,
    IncidentState.MONITORING,
    IncidentState.RESOLVED,
)
OVER: Final = frozenset({IncidentState.RESOLVED, IncidentState.COMPLETED})
_WORST_FIRST: Final = (ComponentState.OUTAGE, ComponentState.DEGRADED, ComponentState.NOT_MEASURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDay:
    """Minutes of one component on one day, and the last measurement of it."""

    component: Component
    day: date
    operational: int
    degraded: int
    outage: int
    state: ComponentState
    measured_at: datetime

    @property
    def measured(self) -> int:
        return self.operational + self.degraded + self.outage


def of_share(good: int, among: int) -> ComponentState | None:
    """What it means that so many of those asked are well; None when there was none to ask."""
    if not among:
        return None
    share = good / among
    if share >= ALL_BUT:
        return ComponentState.OPERATIONAL
    return ComponentState.DEGRADED if share >= HALF else ComponentState.OUTAGE


def of_signups(*, page_answers: bool, waiting: timedelta) -> ComponentState:
    """`waiting` is the age of the signup that waits longest for its workspace."""
    if not page_answers or waiting >= STUCK_SIGNUP:
        return ComponentState.OUTAGE
    return ComponentState.DEGRADED if waiting >= SLOW_SIGNUP else ComponentState.OPERATIONAL


def of_answer(answers: bool) -> ComponentState:  # noqa: FBT001  the one thing that was seen
    return ComponentState.OPERATIONAL if answers else ComponentState.OUTAGE


def day_view(day: date, found: MeasuredDay | None, now: datetime) -> DayView:
    """A day; a minute that was not measured counts for nothing."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    passed = min(max(now - begin, timedelta(0)), _DAY) // _MINUTE
    if found is None or not found.measured:
        state = ComponentState.NOT_MEASURED
    elif found.outage >= LONG_OUTAGE:
        state = ComponentState.OUTAGE
    else:
        state = ComponentState.DEGRADED if found.outage or found.degraded else ComponentState.OPERATIONAL
    return DayView(
        day=day,
        state=state,
        operational=found.operational if found else 0,
        degraded=found.degraded if found else 0,
        outage=found.outage if found else 0,
        not_measured=max(0, passed - (found.measured if found else 0)),
    )


def uptime(days: Iterable[DayView]) -> float | None:
    """Share of the measured minutes that were no outage; None without any."""
    known = [(one.outage, one.operational + one.degraded + one.outage) for one in days]
    measured = sum(minutes for _, minutes in known)
    return 1 - sum(outage for outage, _ in known) / measured if measured else None


def component_views(found: Sequence[MeasuredDay], now: datetime) -> tuple[ComponentView, ...]:
    """Every component that was measured in the last DAYS days, in the order of their names' list."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    by_component: dict[Component, dict[date, MeasuredDay]] = {}
    for one in found:
        if days[0] <= one.day <= today:
            by_component.setdefault(one.component, {})[one.day] = one
    return tuple(
        _component_view(component, by_component[component], days, now)
        for component in Component
        if component in by_component
    )


def _component_view(
    component: Component, known: Mapping[date, MeasuredDay], days: Sequence[date], now: datetime
) -> ComponentView:
    newest = known[max(known)]
    views = tuple(day_view(day, known.get(day), now) for day in days)
    return ComponentView(
        component=component,
        state=newest.state if now - newest.measured_at <= STALE else ComponentState.NOT_MEASURED,
        measured_at=newest.measured_at,
        uptime=uptime(views),
        days=views,
    )


def overall(states: Iterable[ComponentState], *, has_open_incident: bool) -> ComponentState:
    """The worst of them; an incident that is being worked on is at least a degraded service."""
    seen = {*states, *([ComponentState.DEGRADED] if has_open_incident else [])}
    if not seen:
        return ComponentState.NOT_MEASURED
    return next((state for state in _WORST_FIRST if state in seen), ComponentState.OPERATIONAL)


def kind_of(state: IncidentState) -> Literal["incident", "maintenance"]:
    return "maintenance" if state in MAINTENANCE else "incident"


def states_of(state: IncidentState) -> tuple[IncidentState, ...]:
    """Those that what is in this state can get into."""
    return MAINTENANCE if state in MAINTENANCE else INCIDENT


def problems(new: NewIncident, now: datetime) -> list[FieldError]:
    """What is wrong with an announcement, by field."""
    found = _worded("title", _title_problem(new.title)) + _worded("text", text_problem(new.text))
    if not new.components:
        found.append(FieldError("components", "Choose at least one."))
    if len(set(new.components)) != len(new.components):
        found.append(FieldError("components", "Name each once."))
    return found + (_planned_problems(new, now) if new.state in MAINTENANCE else _begun_problems(new, now))


def text_problem(text: str) -> str | None:
    """Of several lines, so that every line is looked at."""
    if not text.strip():
        return "Say what is known."
    if len(text) > TEXT_MAX:
        return f"Use at most {TEXT_MAX:,} characters."
    hidden = any(True for line in text.splitlines() for _ in unseen(line.replace("\t", " ")))
    return "Leave out control characters and invisible formatting characters." if hidden else None


def _title_problem(title: str) -> str | None:
    return name_problem(tidy(title), TITLE_MAX) if tidy(title) else "Say in a few words what it is."


def _begun_problems(new: NewIncident, now: datetime) -> list[FieldError]:
    found: list[FieldError] = []
    if new.begins_at is not None and not now - DAYS * _DAY <= new.begins_at <= now + CLOCKS_DIFFER:
        found.append(FieldError("begins_at", f"An incident began within the last {DAYS} days; leave it empty for now."))
    if new.ends_at is not None:
        found.append(FieldError("ends_at", "Only planned maintenance has an end that is known before."))
    return found


def _planned_problems(new: NewIncident, now: datetime) -> list[FieldError]:
    if new.begins_at is None or not now - _DAY <= new.begins_at <= now + LONGEST_AHEAD:
        return [FieldError("begins_at", "Maintenance begins at a moment that you choose, at most a year ahead.")]
    if new.ends_at is None or not new.begins_at < new.ends_at <= new.begins_at + 7 * _DAY:
        return [FieldError("ends_at", "It ends after it begins, and within seven days.")]
    return []


def _worded(field: str, problem: str | None) -> list[FieldError]:
    return [FieldError(field, problem)] if problem else []
