"""The outbox on the real database, without a worker: failing entries and pending jobs."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import FunctionJob, Names, TestClock, signup_body
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_control import composition
from vivero_control.db.tables import OutboxEntry
from vivero_control.domain.dead_letters.service import DeadLetterService, ErasedError
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import Payload
from vivero_control.jobs.outbox import Outbox
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.worker import Worker

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


async def test_an_entry_whose_transaction_fails_is_postponed(
    infrastructure: composition.Infrastructure,
    clock: TestClock,
    sql: Ask,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever breaks the transaction of one entry, also where no action is at fault: those behind it go on."""
    done: list[str] = []

    async def fine(payload: Payload) -> None:
        done.append(payload["n"])

    later(timedelta(days=4))
    now = clock()  # it stands still: on a slow machine the first pause of a second or two is over before the drain
    async with infrastructure.database.transaction() as session:
        for number in range(3):
            payload = {"n": f"p{number}"}
            due = now - timedelta(days=4, minutes=-number)
            await OutboxRepository(session).enqueue(kind="fine", key=f"p{number}", payload=payload, now=now, due_at=due)
    attempt = Outbox._attempt  # noqa: SLF001  what breaks is of our making

    async def breaking(self: Outbox, session: AsyncSession, entry: OutboxEntry) -> None:
        await attempt(self, session, entry)
        if entry.key == "p0":
            entry.kind = "x" * 500  # too long for its column: refused when it is written

    monkeypatch.setattr(Outbox, "_attempt", breaking)
    await Outbox(infrastructure.database, {"fine": FunctionJob(fine)}, timedelta(hours=1), lambda: now).drain("fine")
    assert done == ["p0", "p1", "p2"]
    rows = {
        row[0]: row[1:]
        for row in sql("SELECT `key`, state, attempts, due_at > %s FROM outbox WHERE `key` LIKE 'p_'", now)
    }
    assert rows == {"p0": ("pending", 1, 1), "p1": ("done", 1, 0), "p2": ("done", 1, 0)}
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove(["p0", "p1", "p2"])


async def test_a_signup_whose_job_is_pending_does_not_show_a_failure(
    client: httpx.Client,
    names: Names,
    infrastructure: composition.Infrastructure,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    monkeypatch.setattr(TenantRepository, "create_password_secret", away)
    view = client.post("/api/v1/signups", json=signup_body(names.new())).json()  # noqa: ASYNC212  the server has its own thread
    assert "waiting" not in view, "its request is not over"
    gives_up: set[str] = set()
    for minutes in (1, 11, 60, 300, 1400):
        later(timedelta(minutes=minutes))
        before = infrastructure.clock()
        await Worker(infrastructure).drain()
        told = client.get(f"/api/v1/signups/{view['id']}").json()  # noqa: ASYNC212  as above
        assert told["state"] == "provisioning", minutes
        assert "is kept" in told["detail"]
        assert told["waiting"]["since"] == told["created_at"]
        assert datetime.fromisoformat(told["waiting"]["next_attempt_at"]) > before
        gives_up.add(told["waiting"]["until"])
    assert len(gives_up) == 1, "a promise that moves is none"


async def test_a_program_of_the_first_revision_still_works_on_this_schema(
    infrastructure: composition.Infrastructure, clock: TestClock, sql: Ask
) -> None:
    """It writes rows without the new columns, and what it gives up has no payload."""
    done: list[str] = []

    async def fine(payload: Payload) -> None:
        done.append(payload["n"])

    old = "INSERT INTO outbox (kind, `key`, payload, state, attempts, due_at, created_at) VALUES ('old', %s, %s, %s, 3, %s, %s)"
    past = clock() - timedelta(hours=1)
    sql(old, "old1", '{"n": "old1"}', "pending", past, past)
    sql(old, "old2", None, "dead", past, past)
    await Outbox(infrastructure.database, {"old": FunctionJob(fine)}, timedelta(hours=1), clock).drain("old")
    assert done == ["old1"]
    letters = DeadLetterService(infrastructure.database, {}, infrastructure.wake_up.notify, clock)
    (letter,) = (one for one in (await letters.newest()).items if one.what == "old")
    assert not letter.is_kept
    with pytest.raises(ErasedError):
        await letters.replay(letter.id, "ada@example.com")
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove(["old1", "old2"])


async def test_a_worker_of_one_job_kind_does_not_hide_entries_of_another(
    infrastructure: composition.Infrastructure, clock: TestClock
) -> None:
    """Nor of its own: each of several workers holds one, and the others find the next."""
    now = clock()
    kinds = ("apples", "mail", "zebras")
    async with infrastructure.database.transaction() as session:
        for kind in kinds:
            for number in range(2):
                key = f"{kind}{number}"
                await OutboxRepository(session).enqueue(kind=kind, key=key, payload={}, now=now, due_at=now)
    taken = []
    async with AsyncExitStack() as stack:
        for kind in ("none", *kinds, *reversed(kinds)):
            session = await stack.enter_async_context(infrastructure.database.transaction())
            entry = await OutboxRepository(session).lock_next_due(kind, now)
            taken.append(entry and entry.key)
        assert taken == [None, "apples0", "mail0", "zebras0", "zebras1", "mail1", "apples1"]
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove([f"{kind}{number}" for kind in kinds for number in range(2)])
