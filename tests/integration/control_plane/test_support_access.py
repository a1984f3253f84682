"""Support access: granted and ended by an owner, used by staff; with audit, mail and the job that tells the workspace."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from integration.control_plane.support import Names, TestClock, make_workspace
from sqlalchemy import select
from vivero_control import composition
from vivero_control.db.tables import OutboxEntry
from vivero_control.domain.accounts.service import Role, Visit
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.support import jobs
from vivero_control.domain.support.service import GrantRepository, NoSupportAccessError, SupportAccess
from vivero_core.backends.kube.client import KubeClient
from vivero_web.errors import InvalidInputError, NotAllowedError

Sql = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]
GRACE = StaffView(id=secrets.token_hex(16), email="grace@vivero.example", role="support")


@pytest.fixture
def support(infrastructure: composition.Infrastructure) -> SupportAccess:
    return composition.services(infrastructure).support_access


@pytest.fixture
async def visit(kube: KubeClient, names: Names) -> Visit:
    tenant = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=7))
    return Visit(tenant=tenant, role=Role.OWNER, email=f"owner@{tenant.name}.example.com")


async def test_an_owner_grants_it_staff_enter_and_it_ends_by_itself(
    support: SupportAccess,
    visit: Visit,
    sql: Sql,
    later: Later,
    drain: Callable[[], Awaitable[None]],
    mails: Callable[[str], list[dict[str, Any]]],
) -> None:
    name, owner = visit.tenant.name, visit.email
    with pytest.raises(NoSupportAccessError):
        await support.enter(name, "They asked.", GRACE)
    granted = await support.grant(visit, 4, "admin")
    assert await support.current(visit.tenant.id) == granted
    link = await support.enter(name, "They asked.", GRACE)
    claims = jwt.decode(link.partition("#")[2], options={"verify_signature": False})
    assert (claims["aud"], claims["sub"], claims["role"], claims["grant"]) == (
        f"{visit.tenant.id}/support",
        GRACE.email,
        "admin",
        granted.id,
    )
    assert claims["until"] - claims["iat"] <= 3600
    await drain()
    (mail,) = [one for one in mails(owner) if "Support has entered" in one["subject"]]
    assert GRACE.email in mail["text"]
    noted = sql("SELECT action, actor, reason FROM audit WHERE subject = %s ORDER BY id", f"tenant/{name}")
    assert noted == [("grant-support", owner, ""), ("enter-workspace", GRACE.email, "They asked.")]
    later(timedelta(hours=3, minutes=59))
    until = jwt.decode(
        (await support.enter(name, "Again.", GRACE)).partition("#")[2], options={"verify_signature": False}
    )
    assert until["until"] == int(granted.ends_at.timestamp()), "no session is longer than the grant"
    later(timedelta(hours=4, seconds=1))
    with pytest.raises(NoSupportAccessError):
        await support.enter(name, "Too late.", GRACE)


async def test_its_end_is_told_to_the_workspace_until_it_has_answered(
    support: SupportAccess, visit: Visit, infrastructure: composition.Infrastructure, clock: TestClock
) -> None:
    first = await support.grant(visit, 1, "viewer")
    second = await support.grant(visit, 72, "viewer")
    await support.end(visit)
    await support.end(visit)
    assert await support.current(visit.tenant.id) is None
    async with infrastructure.database.transaction() as session:
        grants = GrantRepository(session)
        assert await grants.forget(clock() - timedelta(days=1)) == 0
        assert await grants.forget(clock() + timedelta(minutes=1)) >= 2
    async with infrastructure.database.transaction() as session:
        of_both = OutboxEntry.key.in_([f"{jobs.END}:{one.id}" for one in (first, second)])
        payloads = [row.payload for row in await session.scalars(select(OutboxEntry).where(of_both))]
    assert len(payloads) == 2, "the one that was replaced, and the one that was ended"
    told: list[tuple[str, str, str]] = []

    async def tell(slug: str, path: str, token: str) -> bool:
        told.append((slug, path, jwt.decode(token, options={"verify_signature": False})["aud"]))
        return len(told) > 1

    tickets = support._tickets  # noqa: SLF001  the platform's key
    job = jobs.EndJob(infrastructure.tenants, tell, tickets, clock)
    payload = {"tenant": visit.tenant.name, "grant": second.id}
    with pytest.raises(jobs.WorkspaceAwayError):
        await job.perform(payload)
    await job.perform(payload)
    path = f"/internal/v1/support-grants/{second.id}"
    assert told == [(visit.tenant.spec.slug, path, f"{visit.tenant.id}/support-end")] * 2
    await job.perform({"tenant": "no-such-tenant", "grant": second.id})


async def test_only_the_owner_decides_and_only_what_is_offered(support: SupportAccess, visit: Visit) -> None:
    manager = replace(visit, role=Role.MANAGER, email="grace@example.com")
    for act in (support.grant(manager, 1, "viewer"), support.end(manager)):
        with pytest.raises(NotAllowedError):
            await act
    for hours in (-1, 0, 2, 73):
        with pytest.raises(InvalidInputError):
            await support.grant(visit, hours, "viewer")
    await support.grant(visit, 1, "viewer")
    for reason in ("", "   ", "x" * 501):
        with pytest.raises(InvalidInputError):
            await support.enter(visit.tenant.name, reason, GRACE)
