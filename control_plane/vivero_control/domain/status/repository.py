"""SQL of the status page: minutes of each component by day, and incidents with what was said about them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, case, delete, func, or_, select
from sqlalchemy.dialects.mysql import insert

from vivero_control.db.database import Repository
from vivero_control.db.tables import StatusDay, StatusIncident, StatusUpdate
from vivero_control.domain.status.policies import MeasuredDay
from vivero_control.domain.status.schemas import Component, ComponentState

MOST: Final = 100
"""Incidents on the page."""


class StatusDayRepository(Repository[StatusDay]):
    """Counted minutes."""

    model_type = StatusDay

    async def count(self, component: Component, at: datetime, state: ComponentState) -> None:
        """Count a minute once, however many processes have measured it, and none that is older than one counted already."""
        row = {
            "component": component,
            "day": at.astimezone(UTC).date(),
            **{name: int(state == name) for name in ("operational", "degraded", "outage")},
            "state": state,
            "measured_at": at,
        }
        fresh = insert(StatusDay).values(row)
        new = fresh.inserted
        is_newer = StatusDay.measured_at < new.measured_at
        counted = [
            (name, StatusDay.__table__.c[name] + case((is_newer, new[name]), else_=0))
            for name in ("operational", "degraded", "outage")
        ]
        # From left to right, as MariaDB assigns: the moment comes last, for all others compare with it.
        changes = [
            *counted,
            ("state", case((is_newer, new.state), else_=StatusDay.state)),
            ("measured_at", func.greatest(StatusDay.measured_at, new.measured_at)),
        ]
        await self.session.execute(fresh.on_duplicate_key_update(changes))

    async def since(self, day: date) -> list[MeasuredDay]:
        rows = await self.session.scalars(select(StatusDay).where(StatusDay.day >= day))
        return [
            MeasuredDay(
                component=Component(row.component),
                day=row.day,
                operational=row.operational,
                degraded=row.degraded,
                outage=row.outage,
                state=ComponentState(row.state),
                measured_at=row.measured_at,
            )
            for row in rows
            if row.component in set(Component)
        ]

    async def forget(self, before: date) -> int:
        """Delete older days; returns how many."""
        statement = delete(StatusDay).where(StatusDay.day < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class IncidentRepository(Repository[StatusIncident]):
    """Incidents and maintenance."""

    model_type = StatusIncident

    async def since(self, moment: datetime) -> Sequence[StatusIncident]:
        """Those that are open, and that began since; the open and then the newest first."""
        wanted = or_(StatusIncident.ended_at.is_(None), StatusIncident.begins_at >= moment)
        order = (StatusIncident.ended_at.is_not(None), StatusIncident.begins_at.desc(), StatusIncident.id.desc())
        return (await self.session.scalars(select(StatusIncident).where(wanted).order_by(*order).limit(MOST))).all()

    async def updates(self, incidents: Sequence[StatusIncident]) -> Sequence[StatusUpdate]:
        """What was said about these, the newest first."""
        which = StatusUpdate.incident_id.in_([one.id for one in incidents])
        statement = select(StatusUpdate).where(which).order_by(StatusUpdate.id.desc())
        return (await self.session.scalars(statement)).all() if incidents else ()

    async def forget(self, before: datetime) -> int:
        """Delete those that ended before, with what was said about them; returns how many."""
        statement = delete(StatusIncident).where(StatusIncident.ended_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount
