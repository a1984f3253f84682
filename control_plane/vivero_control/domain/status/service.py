"""The status page, read and written: what was last read is kept, so that the page stands while the database is away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import to_builtins
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, NotFoundError, UnavailableError
from vivero_web.text import tidy

from vivero_control.db.database import Database
from vivero_control.db.tables import AuditRecord, StatusIncident, StatusUpdate
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.status import policies
from vivero_control.domain.status.policies import DAYS, OVER, MeasuredDay
from vivero_control.domain.status.repository import IncidentRepository, StatusDayRepository
from vivero_control.domain.status.schemas import (
    Component,
    IncidentState,
    IncidentView,
    NewIncident,
    NewUpdate,
    StatusView,
    UpdateView,
)
from vivero_control.lib.idempotency import IdempotentOperation

FRESH: Final = timedelta(seconds=15)
"""For so long what was read is shown again, however many ask."""
_HISTORY: Final = timedelta(days=DAYS)


class IncidentNotFoundError(NotFoundError):
    """There is no incident of this number, or no more."""

    def __init__(self) -> None:
        super().__init__("There is no such incident.")


@dataclass(frozen=True, slots=True)
class Known:
    """What the database said, and when."""

    days: Sequence[MeasuredDay]
    incidents: tuple[IncidentView, ...]
    read_at: datetime


class StatusService:
    """For the public page and the staff's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: Known | None = None

    async def view(self) -> StatusView:
        """The page now. It never fails: without the database it is what was known last, and says so."""
        now = self._clock()
        known, current = self._known, True
        if known is None or not timedelta(0) <= now - known.read_at < FRESH:
            try:
                known = self._known = await self._read(now)
            except UnavailableError:
                current = False
        return view_of(known, now, current=current)

    async def incident(self, number: int) -> IncidentView:
        """Raises IncidentNotFoundError."""
        async with self._database.transaction() as session:
            found = await IncidentRepository(session).get_one_or_none(id=number)
            if found is None:
                raise IncidentNotFoundError
            return incident_view(found, await IncidentRepository(session).updates([found]))

    async def announce(
        self, new: NewIncident, actor: str, operation: IdempotentOperation | None = None
    ) -> IncidentView:
        """Put it on the page, at once; `operation` keeps the answer.

        Raises:
            InvalidInputError: naming every field at fault.
        """
        now = self._clock().replace(microsecond=0)  # as the database keeps it
        if found := policies.problems(new, now):
            raise InvalidInputError.of_all(found)
        made = StatusIncident(
            title=tidy(new.title),
            state=new.state,
            components=[str(one) for one in Component if one in new.components],
            begins_at=new.begins_at or now,
            planned_end=new.ends_at,
            ended_at=now if new.state in OVER else None,
        )
        async with self._database.transaction() as session:
            await IncidentRepository(session).add(made)
            said = StatusUpdate(incident_id=made.id, at=now, state=new.state, text=new.text.strip())
            session.add(said)
            await AuditRepository(session).add(_audited("announce-incident", made, said, actor, now))
            view = incident_view(made, [said])
            if operation:
                await operation.store(session, to_builtins(view))
        self._known = None
        return view

    async def say(
        self, number: int, new: NewUpdate, actor: str, operation: IdempotentOperation | None = None
    ) -> IncidentView:
        """What is known of it now; one that was over can be open again. `operation` keeps the answer.

        Raises:
            InvalidInputError: naming every field at fault.
            IncidentNotFoundError: there is none of this number.
        """
        now = self._clock().replace(microsecond=0)
        async with self._database.transaction() as session:
            incidents = IncidentRepository(session)
            found = await incidents.get_one_or_none(id=number, with_for_update=True)
            if found is None:
                raise IncidentNotFoundError
            if new.state not in policies.states_of(IncidentState(found.state)):
                kind = policies.kind_of(IncidentState(found.state))
                raise InvalidInputError.of("state", f"Choose one of the states of {_A_KIND[kind]}.")
            if problem := policies.text_problem(new.text):
                raise InvalidInputError.of("text", problem)
            found.state = new.state
            found.ended_at = now if new.state in OVER else None
            said = StatusUpdate(incident_id=found.id, at=now, state=new.state, text=new.text.strip())
            session.add(said)
            await AuditRepository(session).add(_audited("update-incident", found, said, actor, now))
            view = incident_view(found, await incidents.updates([found]))
            if operation:
                await operation.store(session, to_builtins(view))
        self._known = None
        return view

    async def _read(self, now: datetime) -> Known:
        async with self._database.transaction() as session:
            incidents = IncidentRepository(session)
            found = await incidents.since(now - _HISTORY)
            updates = await incidents.updates(found)
            days = await StatusDayRepository(session).since((now - _HISTORY).astimezone(UTC).date())
        return Known(
            days,
            tuple(incident_view(one, [said for said in updates if said.incident_id == one.id]) for one in found),
            now,
        )


_A_KIND: Final = {"incident": "an incident", "maintenance": "maintenance"}


def view_of(known: Known | None, now: datetime, *, current: bool) -> StatusView:
    """What is shown of what is known: the older it is, the less it says about now."""
    components = policies.component_views(known.days, now) if known else ()
    incidents = known.incidents if known else ()
    worked_on = any(one.is_open and one.kind == "incident" for one in incidents)
    return StatusView(
        state=policies.overall((one.state for one in components), has_open_incident=worked_on),
        current=current,
        read_at=known.read_at if known else None,
        components=components,
        incidents=incidents,
    )


def incident_view(row: StatusIncident, updates: Sequence[StatusUpdate]) -> IncidentView:
    """`updates` are those of this incident, the newest first."""
    state = IncidentState(row.state)
    return IncidentView(
        id=row.id,
        title=row.title,
        kind=policies.kind_of(state),
        state=state,
        components=tuple(one for one in Component if one in row.components),
        begins_at=row.begins_at,
        ends_at=row.ended_at or row.planned_end,
        is_open=row.ended_at is None,
        updates=tuple(UpdateView(at=one.at, state=IncidentState(one.state), text=one.text) for one in updates),
    )


def _audited(action: str, row: StatusIncident, said: StatusUpdate, actor: str, now: datetime) -> AuditRecord:
    detail = {"title": row.title, "state": said.state, "text": said.text}
    about = AuditAction(actor=actor, action=action, subject=f"incident/{row.id}", reason="", detail=detail)
    return record(about, now, DONE)
