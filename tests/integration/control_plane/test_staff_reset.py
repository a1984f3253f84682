"""Password reset of staff: through the API, the outbox, the worker and a real mail server."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from integration.control_plane.support import DOMAIN, PASSWORD, add_member, choose, link_in, log_in
from sqlalchemy import select
from vivero_control import composition
from vivero_control.db.tables import AuditRecord, OutboxEntry, StaffLink
from vivero_control.domain.staff.jobs import RESET
from vivero_control.domain.staff.schemas import Login
from vivero_control.jobs.repository import DEAD
from vivero_web.tokens import digest

FORGOTTEN = "/api/v1/auth/forgotten-password"
OLD, NEW = PASSWORD, "walnut orchard at dusk"
Mails = Callable[[str], list[dict[str, Any]]]
Drain = Callable[[], Awaitable[None]]


@pytest.fixture
async def member(infrastructure: composition.Infrastructure) -> str:
    """The e-mail address of a staff member."""
    return (await add_member(infrastructure)).email


def forget(client: httpx.Client, email: str) -> httpx.Response:
    return client.post(FORGOTTEN, json={"email": email})


async def test_a_reset_revokes_all_sessions_and_tokens_and_notifies(
    client: httpx.Client, infrastructure: composition.Infrastructure, member: str, drain: Drain, mails: Mails
) -> None:
    tokens = log_in(client, member, OLD).json()
    services = composition.services(infrastructure)
    who = await services.staff.login(Login(email=member, password=OLD), secrets.token_hex(4))
    cookie = await services.sessions.open(who)
    assert await services.sessions.read(cookie.value) == who

    assert forget(client, member.upper()).status_code == 204
    await drain()
    (mail,) = mails(member)
    link = urlsplit(link_in(mail))
    assert (f"{link.scheme}://{link.netloc}", link.path, link.query) == (f"https://{DOMAIN}:8443", "/set-password", "")
    assert choose(client, link.geturl(), "short") == 422
    assert choose(client, link.geturl(), NEW) == 204

    assert await services.sessions.read(cookie.value) is None
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/api/v1/tenants", headers=bearer).status_code == 401
    assert client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401
    assert log_in(client, member, OLD).status_code == 401
    assert log_in(client, member, NEW).status_code == 200
    assert choose(client, link.geturl(), OLD) == 422
    await drain()
    assert "was changed" in mails(member)[0]["subject"]
    async with infrastructure.database.transaction() as session:
        actions = (await session.scalars(select(AuditRecord.action).where(AuditRecord.actor == member))).all()
    assert "reset-password" in actions


async def test_no_secret_is_stored(
    client: httpx.Client, infrastructure: composition.Infrastructure, member: str, drain: Drain, mails: Mails
) -> None:
    forget(client, member)
    async with infrastructure.database.transaction() as session:
        waiting = (await session.scalars(select(OutboxEntry).where(OutboxEntry.kind == RESET))).all()
    assert member in [entry.payload["email"] for entry in waiting if entry.payload]
    await drain()
    secret = urlsplit(link_in(mails(member)[0])).fragment
    async with infrastructure.database.transaction() as session:
        stored = (await session.scalars(select(StaffLink.digest))).all()
        outbox = (await session.scalars(select(OutboxEntry))).all()
    assert digest(secret).hex() in stored
    assert secret not in str([(entry.key, entry.payload) for entry in outbox])


async def test_account_existence_is_not_disclosed(
    client: httpx.Client, infrastructure: composition.Infrastructure, member: str, drain: Drain, mails: Mails
) -> None:
    nobody = f"nobody-{secrets.token_hex(6)}@example.com"

    async def entries() -> int:
        async with infrastructure.database.transaction() as session:
            return len((await session.scalars(select(OutboxEntry.id).where(OutboxEntry.kind == RESET))).all())

    before = await entries()
    answers = [forget(client, email) for email in (member, nobody)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(204, answers[0].text)}
    assert await entries() == before + 2, "the same work for both"
    await drain()
    assert mails(member)
    assert not mails(nobody)


@pytest.mark.parametrize("known", [True, False])
async def test_mails_to_one_address_are_rate_limited(client: httpx.Client, member: str, *, known: bool) -> None:
    address = member if known else f"nobody-{secrets.token_hex(6)}@example.com"
    answers = [forget(client, address) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_only_the_newest_link_is_valid_and_only_for_an_hour(
    client: httpx.Client,
    member: str,
    drain: Drain,
    mails: Mails,
    later: Callable[[timedelta], None],
) -> None:
    for _ in range(2):
        forget(client, member)
        await drain()
    newest, first = (link_in(mail) for mail in mails(member))
    assert choose(client, first, NEW) == 422
    later(timedelta(minutes=61))
    assert choose(client, newest, NEW) == 422


async def test_an_outdated_reset_mail_is_given_up(
    client: httpx.Client,
    infrastructure: composition.Infrastructure,
    member: str,
    drain: Drain,
    mails: Mails,
    later: Callable[[timedelta], None],
) -> None:
    forget(client, member)
    later(timedelta(minutes=61))
    await drain()
    assert not mails(member)
    async with infrastructure.database.transaction() as session:
        newest = select(OutboxEntry.state).where(OutboxEntry.kind == RESET).order_by(OutboxEntry.id.desc()).limit(1)
        assert await session.scalar(newest) == DEAD


@pytest.mark.parametrize("email", ["nobody", "", "a@b", "x" * 300 + "@example.com"])
def test_an_invalid_address_is_refused(client: httpx.Client, email: str) -> None:
    answer = forget(client, email)
    assert answer.status_code == 422
    assert "email" in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("code", ["", "#", "made-up", "é" * 43])
def test_an_invalid_link_is_refused(client: httpx.Client, code: str) -> None:
    assert choose(client, code, NEW) == 422
