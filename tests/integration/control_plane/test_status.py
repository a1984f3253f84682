"""The status page on a real database: minutes are counted once, incidents are read by everybody, outages are shown."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from integration.control_plane.support import TestClock
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_control import composition
from vivero_control.db.database import Database, DatabaseUnavailableError
from vivero_control.domain.signups.provisioning import KIND
from vivero_control.domain.status.measuring import Probe, Probes, StatusTask
from vivero_control.domain.status.policies import DAYS
from vivero_control.domain.status.repository import StatusDayRepository
from vivero_control.domain.status.schemas import Component, ComponentState, IncidentState, NewIncident
from vivero_control.domain.status.service import FRESH, StatusService
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.worker import Worker
from vivero_web.errors import UnavailableError

Ask = Callable[..., list[tuple[Any, ...]]]
GOOD, SLOW, DOWN, _ = ComponentState
NOON = (datetime.now(UTC) - timedelta(days=30)).replace(hour=12, minute=0, second=20, microsecond=0)
"""Of a day that no worker of another test measures."""
INCIDENT = {"title": "Slow pages", "text": "We look.", "state": "investigating", "components": ["api", "workspaces"]}
OVER = NewIncident(title="Over", text="It was.", state=IncidentState.RESOLVED, components=[Component.API])


class Away(Database):
    """The real one, which can be away."""

    def __init__(self, real: Database) -> None:
        self._real = real
        self.is_away = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        if self.is_away:
            raise DatabaseUnavailableError
        async with self._real.transaction() as session:
            yield session


class Minutes:
    """A clock and what is measured at it."""

    def __init__(self, begin: datetime) -> None:
        self.now = begin
        self.asked = 0
        self.state: ComponentState | None = GOOD

    def __call__(self) -> datetime:
        return self.now

    async def probe(self, _: datetime) -> ComponentState | None:
        self.asked += 1
        await asyncio.sleep(0)
        return self.state

    @property
    def probes(self) -> Mapping[Component, Probe]:
        return {Component.BACKUPS: self.probe}


def counted(sql: Ask, day: datetime) -> tuple[Any, ...]:
    (row,) = sql(
        "SELECT operational, degraded, outage, state FROM status_days WHERE component = 'backups' AND day = %s",
        day.date(),
    )
    return row


async def test_a_minute_is_counted_once_however_many_workers_measure_it(
    infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    minutes = Minutes(NOON)
    tasks = [StatusTask(infrastructure.database, minutes.probes, minutes) for _ in range(4)]
    for state in (GOOD, GOOD, SLOW, DOWN, None, GOOD):
        minutes.state = state
        for _ in range(2):  # more often than once a minute
            await asyncio.gather(*(one.run() for one in tasks))
        minutes.now += timedelta(minutes=1)
    assert counted(sql, NOON) == (3, 1, 1, "operational")
    assert minutes.asked == 6 * len(tasks)


async def test_minutes_of_an_outage_of_the_database_are_written_when_it_is_back(
    infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    database, minutes = Away(infrastructure.database), Minutes(NOON - timedelta(days=1))
    task = StatusTask(database, minutes.probes, minutes)
    await task.run()
    database.is_away, minutes.state = True, DOWN
    for _ in range(3):
        minutes.now += timedelta(minutes=1)
        with pytest.raises(UnavailableError):
            await task.run()
    database.is_away, minutes.state = False, GOOD
    minutes.now += timedelta(minutes=1)
    await task.run()
    assert counted(sql, minutes.now) == (2, 0, 3, "operational")


async def test_a_minute_before_the_newest_is_not_counted_any_more(
    infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    day = NOON - timedelta(days=2)
    async with infrastructure.database.transaction() as session:
        days = StatusDayRepository(session)
        await days.count(Component.BACKUPS, day, GOOD)
        await days.count(Component.BACKUPS, day - timedelta(minutes=1), DOWN)
    assert counted(sql, day) == (1, 0, 0, "operational")


async def test_a_signup_that_waits_is_seen(infrastructure: composition.Infrastructure, clock: TestClock) -> None:
    class Ingress:
        async def status(self, *_: str) -> int:
            return 200

    database = Away(infrastructure.database)
    probes = Probes(
        database=database,
        tenants=infrastructure.tenants,
        ingress=cast("Any", Ingress()),
        host="vivero.localhost",
        ask_provider=None,
    )
    key = f"status-{secrets.token_hex(4)}"
    made = clock() - timedelta(days=800)  # longer ago than any of another test
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).enqueue(
            kind=KIND, key=key, payload={}, now=made, due_at=made + timedelta(days=4000)
        )
    assert await probes.signup(made + timedelta(minutes=1)) is GOOD
    assert await probes.signup(made + timedelta(minutes=3)) is SLOW
    assert await probes.signup(made + timedelta(minutes=20)) is DOWN
    database.is_away = True
    assert await probes.signup(made + timedelta(minutes=1)) is DOWN
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove([key])


async def test_without_the_database_the_page_is_what_was_known(
    infrastructure: composition.Infrastructure, later: Callable[[timedelta], None], clock: TestClock
) -> None:
    database = Away(infrastructure.database)
    async with database.transaction() as session:
        await StatusDayRepository(session).count(Component.PAYMENTS, clock(), GOOD)
    status, fresh = StatusService(database, clock), StatusService(database, clock)
    before = await status.view()
    assert before.current
    database.is_away = True
    later(2 * FRESH)
    after, nothing = await status.view(), await fresh.view()
    assert (after.current, after.read_at) == (False, before.read_at)
    assert after.components[-1].component in {one.component for one in before.components}
    assert (nothing.current, nothing.read_at, nothing.components) == (False, None, ())
    later(timedelta(hours=1))
    assert {one.state for one in (await status.view()).components} == {ComponentState.NOT_MEASURED}


def test_staff_announce_and_everybody_reads_it(staff: httpx.Client, server: str, sql: Ask) -> None:
    headers = {"Host": staff.headers["Host"], "X-Forwarded-For": staff.headers["X-Forwarded-For"]}
    with httpx.Client(base_url=server, headers=headers) as visitor:
        assert visitor.post("/api/v1/status/incidents", json=INCIDENT).status_code == 401
        made = staff.post("/api/v1/status/incidents", json=INCIDENT)
        assert made.status_code == 201, made.text
        number = made.json()["id"]
        assert made.json()["components"] == ["workspaces", "api"], "in the order of the page"
        shown = next(one for one in visitor.get("/api/v1/status").json()["incidents"] if one["id"] == number)
        assert (shown["is_open"], shown["state"], shown["ends_at"]) == (True, "investigating", None)
        assert f'id="incident-{number}"' in visitor.get("/status").text

        address = f"/api/v1/status/incidents/{number}"
        refused = staff.post(f"{address}/updates", json={"state": "completed", "text": "Done."})
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == ["state"]
        for state in ("resolved", "identified", "resolved"):
            said = staff.post(f"{address}/updates", json={"state": state, "text": f"It is {state}."})
            assert said.status_code == 201, said.text
            assert said.json()["is_open"] is (state == "identified")
        assert [one["state"] for one in staff.get(address).json()["updates"]] == [
            "resolved",
            "identified",
            "resolved",
            "investigating",
        ]
        assert f"#incident-{number}</id>" in visitor.get("/status/feed.atom").text
    acts = sql("SELECT action FROM audit WHERE subject = %s ORDER BY id", f"incident/{number}")
    assert [one for (one,) in acts] == ["announce-incident", *["update-incident"] * 3]
    assert staff.get("/api/v1/status/incidents/999999999").status_code == 404


async def test_what_is_too_old_is_deleted(
    infrastructure: composition.Infrastructure, later: Callable[[timedelta], None], clock: TestClock, sql: Ask
) -> None:
    day = clock()
    async with infrastructure.database.transaction() as session:
        await StatusDayRepository(session).count(Component.PAYMENTS, day, GOOD)
    status = StatusService(infrastructure.database, clock)

    def left() -> tuple[int, int]:
        ((days,),) = sql("SELECT COUNT(*) FROM status_days WHERE day = %s", day.date())
        ((updates,),) = sql("SELECT COUNT(*) FROM status_updates WHERE incident_id = %s", number)
        return days, updates

    made = await status.announce(OVER, "ada@vivero.example")
    number = made.id
    worker = Worker(infrastructure)
    await worker.tidy()
    assert left()[1] == 1
    later(timedelta(days=DAYS + 1))
    await worker.tidy()
    assert left() == (0, 1)
    later(timedelta(days=367))
    await worker.tidy()
    assert left() == (0, 0)
