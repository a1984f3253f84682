"""Forgotten passwords and invitations, end to end: the workspace, its schema, a real mail server."""

import asyncio
import re
import secrets
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from faults.rig import eventually
from integration.data_plane.workspace import HOST, OWNER, PASSWORD, Workspace
from vivero_data.db.database import Row
from vivero_data.domain.limits import service as limits
from vivero_web.errors import NotSignedInError
from vivero_web.logins import Logins
from vivero_web.tokens import digest

FORGOTTEN, CHOOSE, INVITATIONS = "/api/v1/auth/password-reset", "/api/v1/auth/password", "/api/v1/invitations"
NEW = "walnut orchard at dusk"


class Post:
    """A workspace that can mail, and the mailbox behind it."""

    def __init__(self, workspace: Workspace, sink: httpx.AsyncClient) -> None:
        self.workspace = workspace
        self.client = workspace.client
        self._sink = sink

    async def mails(self, to: str) -> list[dict[str, Any]]:
        answer = await self._sink.get("/api/messages", params={"to": to})
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    async def wait_for(self, to: str, count: int = 1) -> str:
        """The text of the newest of `count` mails."""

        async def arrived() -> bool:
            return len(await self.mails(to)) >= count

        await eventually(arrived)
        text: str = (await self.mails(to))[0]["text"]
        return text

    async def link(self, to: str, count: int = 1) -> str:
        found = re.search(r"https://\S+", await self.wait_for(to, count))
        assert found
        return found[0]

    async def choose(self, code: str, password: str = NEW) -> int:
        return (await self.client.post(CHOOSE, json={"token": code, "password": password})).status_code

    async def forget(self, email: str) -> httpx.Response:
        return await self.client.post(FORGOTTEN, json={"email": email})

    async def row(self, sql: str, *params: object) -> Row | None:
        async with self.workspace.app.state.services.database.read() as connection:
            found: Row | None = await connection.fetch_one(sql, *params)
            return found

    async def run(self, sql: str, *params: object) -> None:
        async with self.workspace.app.state.services.database.transaction() as tx:
            await tx.execute(sql, *params)


@pytest.fixture
async def sink(platform: dict[str, Any]) -> Any:  # noqa: ANN401  a fixture that yields
    tls = ssl.create_default_context(cafile=platform["ca"])
    async with httpx.AsyncClient(base_url=platform["mail"]["url"], verify=tls) as made:
        yield made


@pytest.fixture
async def post(workspace: Workspace, platform: dict[str, Any], sink: httpx.AsyncClient) -> Post:
    folder = workspace.folder / "mail"
    folder.mkdir()
    files = {
        "host": "127.0.0.1",
        "port": str(platform["mail"]["smtp_port"]),
        "sender": "Vivero <tenants@vivero.example>",
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    return Post(workspace, sink)


def somebody() -> str:
    return f"grace-{secrets.token_hex(6)}@example.com"


@pytest.fixture
async def member(post: Post, owner: dict[str, str]) -> str:
    """The address of somebody with a password."""
    address = somebody()
    await post.workspace.user(owner, "member", address)
    return address


async def test_a_reset_by_mail_ends_every_session_and_tells(post: Post, member: str) -> None:
    sessions = [await post.workspace.login(member) for _ in range(2)]
    tokens = (await post.client.post("/api/v1/auth/login", json={"email": member, "password": PASSWORD})).json()
    assert (await post.forget(member.upper())).status_code == 202
    link = urlsplit(await post.link(member))
    assert (f"{link.scheme}://{link.netloc}", link.path, link.query) == (f"https://{HOST}:8443", "/set-password", "")
    assert await post.choose(link.geturl(), "short") == 422
    assert await post.choose(link.geturl()) == 204
    for session in sessions:
        assert (await post.client.get("/api/v1/me", headers=session)).status_code == 401
    refreshed = await post.client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401
    await post.workspace.login(member, NEW)
    assert "was reset" in " ".join((await post.wait_for(member, 2)).split())
    assert await post.choose(link.geturl(), PASSWORD) == 422


async def test_whoever_chose_a_password_is_no_stranger_where_they_did(post: Post, owner: dict[str, str]) -> None:
    address = somebody()
    body = {"email": address, "password": PASSWORD, "role": "member"}
    assert (await post.client.post("/api/v1/users", json=body, headers=owner)).status_code == 201
    crowd = Logins(post.workspace.app.state.services.limiter)
    for number in range(20):
        with suppress(NotSignedInError):
            async with crowd.guess(address, f"place {number}"):
                raise NotSignedInError("wrong")
    login = {"email": address, "password": PASSWORD}
    assert (await post.client.post("/api/v1/auth/login", json=login)).status_code == 429
    await post.forget(address)
    assert await post.choose(await post.link(address)) == 204
    await post.workspace.login(address, NEW)


async def test_the_audit_log_knows_it_and_no_secret_is_stored(post: Post, member: str, owner: dict[str, str]) -> None:
    await post.forget(member)
    link = await post.link(member)
    secret = urlsplit(link).fragment
    stored = await post.row("SELECT token_hash FROM mail_links")
    assert stored == (digest(secret),)
    await post.choose(secret)
    entries = (await post.client.get("/api/v1/audit?action=user", headers=owner)).json()["items"]
    assert [entry["action"] for entry in entries[:2]] == ["user.reset_own_password", "user.ask_for_reset"]
    assert [entry["actor"] for entry in entries[:2]] == [member, "anonymous"]
    assert all(entry["address"] for entry in entries[:2])
    assert secret not in str(entries)


async def test_account_existence_is_not_disclosed(post: Post, member: str, owner: dict[str, str]) -> None:
    gone = somebody()
    await post.workspace.user(owner, "viewer", gone)
    listed = (await post.client.get("/api/v1/users", headers=owner)).json()["items"]
    number = next(one["id"] for one in listed if one["email"] == gone)
    await post.client.patch(f"/api/v1/users/{number}", json={"active": False}, headers=owner)
    nobody = somebody()
    answers = [await post.forget(email) for email in (member, gone, nobody)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    await post.wait_for(member)
    await asyncio.sleep(0.5)
    assert not await post.mails(gone) + await post.mails(nobody)


async def test_the_database_is_not_asked_before_the_answer(post: Post, member: str) -> None:
    """What takes its time only for some addresses happens afterwards."""
    services = post.workspace.app.state.services
    asked: list[str] = []
    real = services.links.issue

    async def slow(*arguments: Any) -> str:  # noqa: ANN401  passed through
        await asyncio.sleep(1)
        asked.append("issued")
        made: str = await real(*arguments)
        return made

    services.links.issue = slow
    assert (await post.forget(member)).status_code == 202
    assert not asked
    await post.wait_for(member)
    assert asked


@pytest.mark.parametrize("known", [True, False])
async def test_mails_to_one_address_are_rate_limited(post: Post, member: str, *, known: bool) -> None:
    address = member if known else somebody()
    answers = [await post.forget(address) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_only_the_newest_link_counts_and_only_while_it_is_young(post: Post, member: str) -> None:
    await post.forget(member)
    first = await post.link(member)
    await post.forget(member)
    second = await post.link(member, 2)
    assert first != second
    assert await post.choose(first) == 422
    await post.run("UPDATE mail_links SET expires_at = CURRENT_TIMESTAMP(6)")
    assert await post.choose(second) == 422
    await post.workspace.login(member)


async def test_of_two_who_use_a_link_at_once_one_comes_first(post: Post, member: str) -> None:
    await post.forget(member)
    link = await post.link(member)
    answers = await asyncio.gather(*(post.choose(link, f"{NEW} {number}") for number in range(4)))
    assert sorted(answers) == [204, 422, 422, 422]


@pytest.mark.parametrize("code", ["", "#", "made-up", "é" * 43, "\x00"])
async def test_an_invalid_link_is_refused(post: Post, code: str) -> None:
    answer = await post.client.post(CHOOSE, json={"token": code, "password": NEW})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["token"]


async def test_the_link_leads_to_our_own_address_whatever_the_request_says(post: Post, member: str) -> None:
    await post.client.post(FORGOTTEN, json={"email": member}, headers={"host": "evil.example.com"})
    assert urlsplit(await post.link(member)).hostname == HOST


async def test_somebody_is_invited_and_chooses_a_password(post: Post, owner: dict[str, str]) -> None:
    address = somebody()
    body = {"email": address, "name": "Grace", "role": "member"}
    made = (await post.client.post(INVITATIONS, json=body, headers=owner)).json()
    assert made["invitation"]["sent_at"] is None
    link = await post.link(address)
    text = await post.wait_for(address)
    assert OWNER in text
    for password in (NEW, "!", ""):
        answer = await post.client.post("/api/v1/auth/login", json={"email": address, "password": password})
        assert answer.status_code == 401

    async def sent() -> bool:
        return bool((await the_user(post, owner, address))["invitation"]["sent_at"])

    await eventually(sent)
    assert (await post.client.get("/api/v1/usage", headers=owner)).json()["users"]["used"] == 2
    assert await post.choose(link) == 204
    await post.workspace.login(address, NEW)
    assert (await the_user(post, owner, address))["invitation"] is None
    again = await post.client.post(f"{INVITATIONS}/{made['id']}", headers=owner)
    assert again.status_code == 409


async def the_user(post: Post, owner: dict[str, str], email: str) -> dict[str, Any]:
    listed = (await post.client.get("/api/v1/users", headers=owner)).json()["items"]
    return next(one for one in listed if one["email"] == email)


async def test_an_invitation_is_sent_again_or_withdrawn(post: Post, owner: dict[str, str]) -> None:
    address = somebody()
    made = (await post.client.post(INVITATIONS, json={"email": address}, headers=owner)).json()
    first = await post.link(address)
    assert (await post.client.post(f"{INVITATIONS}/{made['id']}", headers=owner)).status_code == 200
    second = await post.link(address, 2)
    assert await post.choose(first) == 422
    assert (await post.client.delete(f"{INVITATIONS}/{made['id']}", headers=owner)).status_code == 204
    assert await post.choose(second) == 422
    assert (await post.client.get("/api/v1/usage", headers=owner)).json()["users"]["used"] == 1
    assert (await post.client.post(INVITATIONS, json={"email": address}, headers=owner)).status_code == 201


async def test_an_admin_invites_no_owner_and_withdraws_none(post: Post, owner: dict[str, str]) -> None:
    admin = await post.workspace.user(owner, "admin")
    body = {"email": somebody(), "role": "owner"}
    assert (await post.client.post(INVITATIONS, json=body, headers=admin)).status_code == 403
    made = (await post.client.post(INVITATIONS, json=body, headers=owner)).json()
    for method in ("POST", "DELETE"):
        assert (await post.client.request(method, f"{INVITATIONS}/{made['id']}", headers=admin)).status_code == 403


async def test_who_is_only_invited_is_no_owner_to_be_left_with(post: Post, owner: dict[str, str]) -> None:
    await post.client.post(INVITATIONS, json={"email": somebody(), "role": "owner"}, headers=owner)
    me = (await post.client.get("/api/v1/me", headers=owner)).json()["id"]
    assert (await post.client.patch(f"/api/v1/users/{me}", json={"role": "admin"}, headers=owner)).status_code == 409


@pytest.mark.parametrize(
    ("body", "field"), [({"email": "nobody"}, "email"), ({"email": "a@example.com", "name": "evil\u202egpj"}, "name")]
)
async def test_bad_input_names_the_field(post: Post, owner: dict[str, str], body: dict[str, str], field: str) -> None:
    answer = await post.client.post(INVITATIONS, json=body, headers=owner)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_full_plan_takes_no_invitation(post: Post, owner: dict[str, str]) -> None:
    post.workspace.set_limits(users=1)
    await asyncio.sleep(1.1)
    answer = await post.client.post(INVITATIONS, json={"email": somebody()}, headers=owner)
    assert answer.status_code == 402


async def test_a_new_owners_address_voids_what_went_to_the_old_one(post: Post) -> None:
    await post.forget(OWNER)

    async def sent() -> bool:
        return await post.row("SELECT 1 FROM mail_links WHERE sent_at IS NOT NULL") is not None

    await eventually(sent)
    link = await post.link(OWNER)
    told = await post.workspace.tell(owner={"email": somebody(), "replaces": OWNER})
    assert told.status_code == 200
    assert await post.choose(link) == 422


async def test_without_a_mail_server_nothing_is_offered(workspace: Workspace, owner: dict[str, str]) -> None:
    answers = [
        await workspace.client.post(FORGOTTEN, json={"email": OWNER}),
        await workspace.client.post(INVITATIONS, json={"email": somebody()}, headers=owner),
    ]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert all(answer.json()["type"].endswith("no-mail") for answer in answers)
    page = await workspace.client.get("/forgotten-password", headers={"accept": "text/html"})
    assert "sends no mail" in page.text


async def test_a_mail_server_that_is_away_leaves_the_invitation_unsent(
    post: Post, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivero_data.clients.mail._RETRY_DELAYS", (0.0,))
    (post.workspace.folder / "mail" / "port").write_text("1")
    address = somebody()
    assert (await post.client.post(INVITATIONS, json={"email": address}, headers=owner)).status_code == 201
    await asyncio.sleep(0.5)
    assert (await the_user(post, owner, address))["invitation"]["sent_at"] is None


async def test_a_spare_does_not_know_where_a_link_leads(
    new_workspace: Callable[..., Awaitable[Workspace]],
) -> None:
    spare = await new_workspace(spare=True)
    (spare.folder / "mail").mkdir()
    (spare.folder / "mail" / "host").write_text("127.0.0.1")
    assert (await spare.client.post(FORGOTTEN, json={"email": OWNER})).status_code == 409


async def test_who_has_not_confirmed_invites_nobody_until_that_is_done(
    post: Post, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_STAT_SECONDS", 0.0)
    invited = {"email": f"{secrets.token_hex(4)}@example.com"}
    post.workspace.set_limits(confirm_url="https://vivero.example/confirm/again?workspace=acme")
    refused = await post.client.post(INVITATIONS, json=invited, headers=owner)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:vivero:problem:owner-unconfirmed")
    assert await post.row("SELECT id FROM users WHERE email = %s", invited["email"]) is None
    assert (await post.forget(OWNER)).status_code < 300, "the way back in stays open"

    post.workspace.set_limits()
    assert (await post.client.post(INVITATIONS, json=invited, headers=owner)).status_code == 201
    await post.wait_for(invited["email"])
