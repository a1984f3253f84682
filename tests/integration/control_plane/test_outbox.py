"""The outbox on the real database, without a worker beside it: entries that break, and orders that wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import Names, TestClock, signup_body
from vivero_control import composition
from vivero_control.db.tables import OutboxEntry
from vivero_control.domain.notifications.outbox import MAX_ATTEMPTS, Outbox
from vivero_control.domain.notifications.repository import OutboxRepository
from vivero_control.domain.signups.provisioning import order_key
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.worker import Jobs

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


async def test_an_entry_that_cannot_be_written_back_is_put_off(
    backends: composition.Backends, clock: TestClock, sql: Ask, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks the transaction of one entry, also where no action is at fault: those behind it go on."""
    done: list[str] = []

    async def fine(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    later(timedelta(days=4))
    now = clock()  # it stands still: on a slow machine the first pause of a second or two is over before the drain
    async with backends.database.transaction() as session:
        for number in range(3):
            payload = {"n": f"p{number}"}
            due = now - timedelta(days=4, minutes=-number)
            await OutboxRepository(session).put(kind="fine", key=f"p{number}", payload=payload, now=now, due_at=due)
    attempt = Outbox._attempt  # noqa: SLF001  what breaks is of our making

    async def breaking(self: Outbox, entry: OutboxEntry) -> None:
        await attempt(self, entry)
        if entry.key == "p0":
            entry.kind = "x" * 500  # too long for its column: refused when it is written

    monkeypatch.setattr(Outbox, "_attempt", breaking)
    await Outbox(backends.database, {"fine": fine}, lambda: now).drain()
    assert done == ["p0", "p1", "p2"]
    rows = {
        row[0]: row[1:]
        for row in sql("SELECT `key`, state, attempts, due_at > %s FROM outbox WHERE `key` LIKE 'p_'", now)
    }
    assert rows == {"p0": ("pending", 1, 1), "p1": ("done", 1, 0), "p2": ("done", 1, 0)}
    async with backends.database.transaction() as session:
        await OutboxRepository(session).drop(["p0", "p1", "p2"])


async def test_a_signup_whose_order_waits_is_not_told_that_it_failed(
    client: httpx.Client,
    names: Names,
    backends: composition.Backends,
    later: Later,
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = names.new()

    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    def told() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"/api/v1/signups/{view['id']}").json()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(TenantRepository, "leave_password_hash", away)
        view = client.post("/api/v1/signups", json=signup_body(slug)).json()  # noqa: ASYNC212  the server has its own thread
        for minutes in (1, 11, 60, 300):
            later(timedelta(minutes=minutes))
            await Jobs(backends).drain()
            assert told()["state"] == "provisioning", minutes
            assert ("is kept" in told()["detail"]) is (minutes > 10)
        sql("UPDATE outbox SET attempts = %s, due_at = NOW() WHERE `key` = %s", MAX_ATTEMPTS - 1, order_key(view["id"]))
        later(timedelta(hours=8))
        await Jobs(backends).drain()
    assert sql("SELECT state FROM outbox WHERE `key` = %s", order_key(view["id"])) == [("dead",)]
    assert (told()["state"], "could not be made" in told()["detail"]) == ("failed", True)
    later(timedelta(0))
    again = client.post("/api/v1/signups", json=signup_body(slug))  # noqa: ASYNC212  as above
    assert again.status_code == 202, "the name is free again"
