"""Leads on a real database: from signs of a workspace's use to the mail of the person who looks after it, once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from integration.control_plane.support import Names, TestClock, add_member, eventually, signup_body
from integration.control_plane.test_figures import Used
from vivero_control import composition, worker
from vivero_control.domain.accounts.usage import Signs
from vivero_control.domain.figures.counting import JourneyTask
from vivero_control.domain.figures.repository import JourneyRepository
from vivero_control.domain.leads.repository import SignRepository
from vivero_control.domain.leads.routing import LeadTask
from vivero_control.domain.leads.schemas import Sign
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

Ask = Callable[..., list[tuple[Any, ...]]]
Inbox = Callable[[str], list[dict[str, Any]]]
HOT = (Sign.TEAM, Sign.IMPORT, Sign.RETURNED, Sign.NEAR_LIMIT)
"""With a company's address: 50 points."""


async def signed_up(staff: httpx.Client, names: Names) -> tuple[str, str]:
    """Id of the signup and name of its Tenant."""
    made = await asyncio.to_thread(staff.post, "/api/v1/signups", json=signup_body(names.new()))
    assert made.status_code == 202, made.text
    return made.json()["id"], made.json()["tenant"]["name"]


def get(staff: httpx.Client, signup_id: str) -> dict[str, Any]:
    answer = staff.get(f"/api/v1/leads/{signup_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["lead"]
    return found


async def lead(staff: httpx.Client, signup_id: str) -> dict[str, Any]:
    return await asyncio.to_thread(get, staff, signup_id)


@asynccontextmanager
async def working(running: Worker) -> AsyncIterator[None]:
    """The tasks between a workspace's use and a mail, as a worker runs them."""
    tasks = running.tasks()
    names = ("wake", "leads", "jobs mail.send")
    async with composition.running({name: tasks[name] for name in names}):
        yield


async def test_who_looks_after_a_trial_is_mailed_soon_after_it_became_promising(
    staff: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    clock: TestClock,
    mails: Inbox,
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "LEADS_SECONDS", 1.0)
    await add_member(infrastructure)
    signup_id, name = await signed_up(staff, names)
    tenant = Tenant.parse(await kube.get(TENANT, name))
    proven = {"provenAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")}
    await kube.patch_status(TENANT, name, proven)
    used, one = Used(tenant.metadata.uid, records=1), Worker(infrastructure)
    one.journeys = JourneyTask(infrastructure.database, infrastructure.tenants, used.read, clock)

    def score() -> int:
        return int(get(staff, signup_id)["score"])

    def sent() -> list[dict[str, Any]]:
        owner = get(staff, signup_id)["owner"]
        return [one for one in mails(owner["email"]) if tenant.spec.slug in one["subject"]] if owner else []

    async with working(one):
        await asyncio.to_thread(eventually, lambda: score() >= 15)
        assert (await lead(staff, signup_id))["owner"] is None, "it is not promising yet"
        used.records, used.users, used.signs = 20, 2, Signs(imported=True, returned=True)
        await asyncio.to_thread(eventually, sent)
    (mail,) = sent()
    found = get(staff, signup_id)
    assert f"{found['score']} of 100 points" in mail["text"]
    assert all(reason["words"] in mail["text"] for reason in found["reasons"])
    assert f"/staff/leads/{signup_id}" in mail["text"]
    subject = signup_subject(signup_digest(signup_id))
    assert [
        row[0] for row in sql("SELECT actor FROM audit WHERE action = 'assign-lead' AND subject = %s", subject)
    ] == ["leads"]
    history = await asyncio.to_thread(staff.get, f"/api/v1/tenants/{name}/history")
    assert "assign-lead" in {entry["action"] for entry in history.json()}


async def promising(infrastructure: composition.Infrastructure, signup_id: str, *signs: Sign) -> None:
    async with infrastructure.database.transaction() as session:
        await JourneyRepository(session).put(signup_id, str(uuid4()), infrastructure.clock())
        await SignRepository(session).note(signup_id, signs, infrastructure.clock())


def task(infrastructure: composition.Infrastructure) -> LeadTask:
    return LeadTask(infrastructure.database, lambda: None, infrastructure.settings.lead_page, infrastructure.clock)


async def test_each_threshold_is_told_once_however_many_workers_look_at_once(
    staff: httpx.Client, names: Names, infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    await add_member(infrastructure)
    signup_id, _ = await signed_up(staff, names)
    subject = signup_subject(signup_digest(signup_id))

    def told() -> list[str]:
        rows = sql("SELECT `key` FROM outbox WHERE kind = 'mail.send' AND subject = %s ORDER BY id", subject)
        return [row[0] for row in rows if row[0].startswith("mail.lead:")]

    await promising(infrastructure, signup_id, *HOT)
    for _ in range(3):
        await asyncio.gather(*(task(infrastructure).run() for _ in range(6)))
    assert told() == [f"mail.lead:{signup_id}:50"]
    owner = (await lead(staff, signup_id))["owner"]
    assert owner is not None
    await promising(infrastructure, signup_id, *Sign)
    await asyncio.gather(*(task(infrastructure).run() for _ in range(6)))
    assert told() == [f"mail.lead:{signup_id}:50", f"mail.lead:{signup_id}:75"]
    assert (await lead(staff, signup_id))["owner"] == owner, "it stays with the same person"
    assert len(sql("SELECT id FROM audit WHERE action = 'assign-lead' AND subject = %s", subject)) == 1


async def test_leads_are_given_in_turn_and_who_has_gone_gets_none(
    staff: httpx.Client, names: Names, infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    for _ in range(3):
        await add_member(infrastructure)
    signups = [(await signed_up(staff, names))[0] for _ in range(3)]
    for signup_id in signups:
        await promising(infrastructure, signup_id, *HOT)
    await asyncio.gather(*(task(infrastructure).run() for _ in range(3)))
    owners = [(await lead(staff, signup_id))["owner"]["email"] for signup_id in signups]
    assert len(set(owners)) == 3, "who has had none for longest is next"
    sql("UPDATE staff SET active = FALSE WHERE email = %s", owners[0])
    try:
        await promising(infrastructure, signups[0], *Sign)
        await task(infrastructure).run()
        assert (await lead(staff, signups[0]))["owner"]["email"] != owners[0]
    finally:
        sql("UPDATE staff SET active = TRUE WHERE email = %s", owners[0])


async def test_a_lead_is_given_by_hand_and_then_left_there(
    staff: httpx.Client, names: Names, infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    member = await add_member(infrastructure)
    signup_id, _ = await signed_up(staff, names)
    path = f"/api/v1/leads/{signup_id}/owner"
    for _ in range(2):
        answer = await asyncio.to_thread(staff.put, path, json={"staff_id": str(member.id)})
        assert answer.json()["lead"]["owner"] == {"id": str(member.id), "email": member.email}
    subject = signup_subject(signup_digest(signup_id))
    assert len(sql("SELECT id FROM audit WHERE action = 'assign-lead' AND subject = %s", subject)) == 1
    await promising(infrastructure, signup_id, *HOT)
    await task(infrastructure).run()
    assert (await lead(staff, signup_id))["owner"]["email"] == member.email
    answer = await asyncio.to_thread(staff.put, path, json={"staff_id": str(uuid4())})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "staff_id")
    listed = await asyncio.to_thread(staff.get, "/api/v1/leads", params={"owner": str(member.id), "least": 50})
    assert [one["id"] for one in listed.json()["items"]] == [signup_id]
    answer = await asyncio.to_thread(staff.put, path, json={"staff_id": None})
    assert answer.json()["lead"]["owner"] is None


def test_leads_are_for_staff(client: httpx.Client, staff: httpx.Client) -> None:
    unknown = secrets.token_hex(16)
    assert staff.get(f"/api/v1/leads/{unknown}").status_code == 404
    assert staff.put(f"/api/v1/leads/{unknown}/owner", json={"staff_id": None}).status_code == 404
    assert staff.get("/api/v1/leads", params={"outcome": "soon"}).status_code == 422
    bands = staff.get("/api/v1/leads/calibration").json()["bands"]
    assert [one["least"] for one in bands] == [75, 50, 25, 0]
    del client.headers["Authorization"]
    for path in ("", "/calibration", f"/{unknown}"):
        assert client.get(f"/api/v1/leads{path}").status_code == 401
