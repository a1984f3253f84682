"""A status page with made-up days and incidents."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import structs
from vivero_control.domain.status import policies
from vivero_control.domain.status.policies import DAYS, MeasuredDay
from vivero_control.domain.status.schemas import (
    Component,
    ComponentState,
    IncidentState,
    IncidentView,
    NewIncident,
    NewUpdate,
    StatusView,
    UpdateView,
)
from vivero_control.domain.status.service import IncidentNotFoundError, Known, StatusService, view_of
from vivero_web.errors import InvalidInputError

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
MINUTES = 24 * 60


def measured(
    day: date = TODAY,
    *,
    component: Component = Component.SIGNUP,
    outage: int = 0,
    degraded: int = 0,
    missing: int = 0,
    state: ComponentState = ComponentState.OPERATIONAL,
    at: datetime = NOW,
) -> MeasuredDay:
    """A day of which so many minutes were not well, or not measured."""
    passed = 15 * 60 + 30 if day == TODAY else MINUTES
    return MeasuredDay(
        component=component,
        day=day,
        operational=passed - outage - degraded - missing,
        degraded=degraded,
        outage=outage,
        state=state,
        measured_at=at if day == TODAY else datetime.combine(day, datetime.max.time(), tzinfo=UTC),
    )


def history(component: Component, state: ComponentState = ComponentState.OPERATIONAL) -> list[MeasuredDay]:
    """Ninety days, of which some are not plainly well."""
    bad: dict[int, dict[str, Any]] = {
        3: {"outage": 41},
        17: {"degraded": 120, "outage": 2},
        40: {"missing": 700},
        41: {"missing": 90},
    }
    made: list[MeasuredDay] = []
    for back in range(DAYS):
        if back == 60:  # a day without any measurement
            continue
        known = bad.get(back, {})
        day = TODAY - timedelta(days=back)
        made.append(measured(day, component=component, state=state, **known))
    return made


def incident(number: int = 1, state: IncidentState = IncidentState.RESOLVED, **changes: object) -> IncidentView:
    over = state in policies.OVER
    made = IncidentView(
        id=number,
        title="Some workspaces answer slowly",
        kind=policies.kind_of(state),
        state=state,
        components=(Component.WORKSPACES, Component.API),
        begins_at=NOW - timedelta(days=number, hours=2),
        ends_at=NOW - timedelta(days=number) if over else None,
        is_open=not over,
        updates=(
            UpdateView(at=NOW - timedelta(days=number), state=state, text="A disk was full.\nIt has room again."),
            UpdateView(
                at=NOW - timedelta(days=number, hours=2),
                state=IncidentState.INVESTIGATING,
                text="We are looking at it.",
            ),
        ),
    )
    return structs.replace(made, **changes)


DAYS_KNOWN = (
    *history(Component.SIGNUP),
    *history(Component.WORKSPACES, ComponentState.DEGRADED),
    *history(Component.API),
    *history(Component.BACKUPS, ComponentState.OUTAGE),
)
INCIDENTS = (
    incident(3, IncidentState.MONITORING, title="Backups are behind"),
    incident(2, IncidentState.PLANNED, title="A new database server", ends_at=NOW + timedelta(days=2)),
    incident(1),
)


class FakeStatus(StatusService):
    """What it is given; it keeps what is announced. Away: the database does not answer."""

    def __init__(
        self,
        days: Sequence[MeasuredDay] = DAYS_KNOWN,
        incidents: Sequence[IncidentView] = INCIDENTS,
        *,
        away: bool = False,
        knows: bool = True,
    ) -> None:
        self.days = days
        self.incidents = tuple(incidents)
        self.away = away
        self.knows = knows
        self.announced: list[tuple[NewIncident, str]] = []
        self.told: list[tuple[int, NewUpdate, str]] = []

    async def view(self) -> StatusView:
        known = Known(self.days, self.incidents, NOW) if self.knows else None
        return view_of(known, NOW, current=not self.away)

    async def incident(self, number: int) -> IncidentView:
        found = next((one for one in self.incidents if one.id == number), None)
        if found is None:
            raise IncidentNotFoundError
        return found

    async def announce(self, new: NewIncident, actor: str, operation: object = None) -> IncidentView:  # noqa: ARG002  as the real one
        if found := policies.problems(new, NOW):
            raise InvalidInputError.of_all(found)
        self.announced.append((new, actor))
        return incident(9, new.state)

    async def say(self, number: int, new: NewUpdate, actor: str, operation: object = None) -> IncidentView:  # noqa: ARG002  as the real one
        found = await self.incident(number)
        if problem := policies.text_problem(new.text):
            raise InvalidInputError.of("text", problem)
        self.told.append((number, new, actor))
        return found
