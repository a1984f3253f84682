"""Staff members: invitation, deactivation and roles, through the API, the worker and a real mail server."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from integration.control_plane.support import ADMIN, DOMAIN, PASSWORD, add_member, choose, link_in, log_in
from sqlalchemy import select
from vivero_control import composition
from vivero_control.db.tables import AuditRecord, OutboxEntry
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.staff.errors import NoSessionError
from vivero_control.domain.staff.schemas import Login, MemberChanges, Role, StaffView
from vivero_control.jobs.kinds import GiveUpError
from vivero_control.services import Services
from vivero_web import links
from vivero_web.clock import now
from vivero_web.errors import NotAllowedError, WebError
from vivero_web.mail import Mail

STAFF = "/api/v1/staff"
OLD, NEW = PASSWORD, "walnut orchard at dusk"
Mails = Callable[[str], list[dict[str, Any]]]
Drain = Callable[[], Awaitable[None]]
Later = Callable[[timedelta], None]
Made = Callable[..., Awaitable[StaffView]]


@pytest.fixture(autouse=True)
def _a_day_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzz tests of the same run (`program`) also send invitations, and may use up the daily limit."""
    limit = replace(links._INVITATIONS, name=f"invitations-{secrets.token_hex(4)}")  # noqa: SLF001
    monkeypatch.setattr(links, "_INVITATIONS", limit)


@pytest.fixture
def services(infrastructure: composition.Infrastructure) -> Services:
    return composition.services(infrastructure)


@pytest.fixture
def made(infrastructure: composition.Infrastructure, services: Services) -> Made:
    """A staff member whose password is OLD."""

    async def make(role: Role = "support") -> StaffView:
        row = await add_member(infrastructure, role)
        return await services.staff.login(Login(email=row.email, password=OLD), secrets.token_hex(4))

    return make


def address() -> str:
    return f"staff-{secrets.token_hex(6)}@{DOMAIN}.example"


def invite(staff: httpx.Client, email: str, role: str = "support") -> dict[str, Any]:
    answer = staff.post(STAFF, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shown(staff: httpx.Client, member: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = staff.get(f"{STAFF}/{member['id']}").json()
    return found


def change(staff: httpx.Client, staff_id: str, **changes: object) -> httpx.Response:
    return staff.patch(f"{STAFF}/{staff_id}", json=changes)


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def acts(infrastructure: composition.Infrastructure, staff_id: str) -> list[tuple[str, str]]:
    """Action and actor of a member's audit entries, oldest first."""
    statement = (
        select(AuditRecord.action, AuditRecord.actor)
        .where(AuditRecord.subject == f"staff/{staff_id}")
        .order_by(AuditRecord.id)
    )
    async with infrastructure.database.transaction() as session:
        return [(action, actor) for action, actor in await session.execute(statement)]


async def test_an_invited_member_chooses_a_password_and_is_logged_in(
    staff: httpx.Client, infrastructure: composition.Infrastructure, drain: Drain, mails: Mails
) -> None:
    email = address()
    member = invite(staff, f" {email.upper()} ")
    assert (member["email"], member["role"], member["active"]) == (email, "support", True)
    assert member["invitation"] == {"state": "sending", "expires_at": None}
    assert log_in(staff, email, "!").status_code == 401

    await drain()
    sent = shown(staff, member)["invitation"]
    assert sent["state"] == "sent"
    assert datetime.fromisoformat(sent["expires_at"]) - now() > timedelta(days=6, hours=23)
    assert member["id"] in [one["id"] for one in staff.get(STAFF).json()]
    (mail,) = mails(email)
    assert f"{ADMIN[0]} has added you to the staff of Vivero at {DOMAIN}." in " ".join(mail["text"].split())
    link = urlsplit(link_in(mail))
    assert (f"{link.scheme}://{link.netloc}", link.path, link.query) == (f"https://{DOMAIN}:8443", "/set-password", "")

    assert choose(staff, link.geturl(), "short") == 422
    assert choose(staff, link.geturl(), NEW) == 204
    assert choose(staff, link.geturl(), OLD) == 422
    assert log_in(staff, email, NEW).status_code == 200
    assert shown(staff, member)["invitation"] is None
    await drain()
    assert len(mails(email)) == 1, "nobody is told that a first password was changed"
    assert await acts(infrastructure, member["id"]) == [
        ("invite", ADMIN[0]),
        ("login-refused", "anonymous"),
        ("accept-invitation", email),
        ("login", email),
    ]


async def test_the_outbox_stores_the_invited_member_and_no_secret(
    staff: httpx.Client, infrastructure: composition.Infrastructure, drain: Drain, mails: Mails
) -> None:
    email = address()
    member = invite(staff, email)
    about = select(OutboxEntry).where(OutboxEntry.subject == f"staff/{member['id']}")
    async with infrastructure.database.transaction() as session:
        waiting = (await session.scalars(about)).one()
    assert waiting.payload == {"staff_id": member["id"], "email": email, "inviter": ADMIN[0]}
    await drain()
    secret = urlsplit(link_in(mails(email)[0])).fragment
    async with infrastructure.database.transaction() as session:
        done = (await session.scalars(about)).one()
    assert done.payload is None
    assert secret not in str((done.key, done.last_error))


async def test_a_new_link_invalidates_the_previous_one_when_requested(
    staff: httpx.Client, drain: Drain, mails: Mails
) -> None:
    email = address()
    member = invite(staff, email)
    await drain()
    first = link_in(mails(email)[0])
    again = staff.post(f"{STAFF}/{member['id']}/invitation")
    assert (again.status_code, again.json()["invitation"]["state"]) == (200, "sending")
    assert choose(staff, first, NEW) == 422, "before the new one is sent"
    await drain()
    assert choose(staff, first, NEW) == 422
    assert choose(staff, link_in(mails(email)[0]), NEW) == 204
    for send in (staff.post, staff.delete):
        answer = send(f"{STAFF}/{member['id']}/invitation")
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "invitation-accepted")


async def test_an_invitation_expires_after_seven_days_and_only_an_admin_renews_it(
    staff: httpx.Client, drain: Drain, mails: Mails, later: Later
) -> None:
    email = address()
    member = invite(staff, email)
    await drain()
    link = link_in(mails(email)[0])
    assert staff.post("/api/v1/auth/forgotten-password", json={"email": email}).status_code == 204
    await drain()
    assert len(mails(email)) == 1, "a stranger's request neither renews nor replaces it"
    later(timedelta(days=7, minutes=1))
    assert shown(staff, member)["invitation"]["state"] == "expired"
    assert choose(staff, link, NEW) == 422
    staff.post(f"{STAFF}/{member['id']}/invitation")
    await drain()
    assert choose(staff, link_in(mails(email)[0]), NEW) == 204


async def test_a_withdrawn_invitation_is_invalid_and_its_address_is_free(
    staff: httpx.Client, infrastructure: composition.Infrastructure, drain: Drain, mails: Mails
) -> None:
    email = address()
    member = invite(staff, email)
    await drain()
    staff.post(f"{STAFF}/{member['id']}/invitation")
    assert staff.delete(f"{STAFF}/{member['id']}/invitation").status_code == 204
    await drain()
    (mail,) = mails(email)
    assert choose(staff, link_in(mail), NEW) == 422
    assert staff.get(f"{STAFF}/{member['id']}").status_code == 404
    assert await acts(infrastructure, member["id"]) == [
        (action, ADMIN[0]) for action in ("invite", "invite-again", "withdraw-invitation")
    ]
    assert invite(staff, email)["id"] != member["id"]


async def test_a_refused_mail_is_reported(
    staff: httpx.Client, drain: Drain, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> None:
        raise GiveUpError("the mail server refuses it (550)")

    email = address()
    member = invite(staff, email)
    with monkeypatch.context() as patched:
        patched.setattr(MailSender, "send", refuses)
        await drain()
    assert shown(staff, member)["invitation"]["state"] == "unsent"
    assert not mails(email)


async def test_a_deactivation_ends_every_session_permanently(
    staff: httpx.Client,
    services: Services,
    infrastructure: composition.Infrastructure,
    made: Made,
    drain: Drain,
    mails: Mails,
) -> None:
    who = await made("admin")
    tokens = log_in(staff, who.email, OLD).json()
    cookie = await services.sessions.open(who)
    staff.post("/api/v1/auth/forgotten-password", json={"email": who.email})
    await drain()
    reset = link_in(mails(who.email)[0])

    async def over() -> bool:
        return (
            staff.get(STAFF, headers=bearer(tokens)).status_code == 401
            and staff.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401
            and await services.sessions.read(cookie.value) is None
            and log_in(staff, who.email, OLD).status_code == 401
        )

    assert not await over()
    tokens = log_in(staff, who.email, OLD).json()
    answer = change(staff, who.id, active=False)
    assert (answer.status_code, answer.json()["active"], answer.json()["invitation"]) == (200, False, None)
    assert await over()
    assert choose(staff, reset, NEW) == 422
    assert staff.post(f"{STAFF}/{who.id}/invitation").status_code == 409

    assert change(staff, who.id, active=True).json()["invitation"]["state"] == "sending"
    assert await over(), "what was opened with the old password stays closed"
    assert choose(staff, reset, NEW) == 422
    await drain()
    assert choose(staff, link_in(mails(who.email)[0]), NEW) == 204
    assert log_in(staff, who.email, NEW).status_code == 200
    assert await over()
    known = await acts(infrastructure, who.id)
    assert ("deactivate", ADMIN[0]) in known
    assert known[known.index(("reactivate", ADMIN[0])) + 1] == ("accept-invitation", who.email)


async def test_a_role_change_applies_to_open_sessions_at_once(
    staff: httpx.Client, infrastructure: composition.Infrastructure, made: Made
) -> None:
    who = await made()
    tokens = log_in(staff, who.email, OLD).json()
    for role, status in (("admin", 200), ("support", 403)):
        assert change(staff, who.id, role=role).json()["role"] == role
        assert staff.get(STAFF, headers=bearer(tokens)).status_code == status
        assert staff.get("/api/v1/tenants", headers=bearer(tokens)).status_code == 200
    before = await acts(infrastructure, who.id)
    for changes in ({"role": "support"}, {"active": True}, {}):
        assert change(staff, who.id, **changes).status_code == 200
    assert await acts(infrastructure, who.id) == before, "what is so already writes nothing"


@pytest.mark.parametrize("who", ["support", "nobody"])
async def test_only_admins_can_read_or_change_staff(staff: httpx.Client, made: Made, who: str) -> None:
    member, other = await made(), await made()
    headers = bearer(log_in(staff, member.email, OLD).json()) if who == "support" else {"Authorization": ""}
    answers = [
        staff.request(method, path, json=body, headers=headers)
        for staff_id in (other.id, str(uuid4()))
        for method, path, body in (
            ("GET", STAFF, None),
            ("POST", STAFF, {"email": other.email, "role": "admin"}),
            ("POST", STAFF, {"email": address(), "role": "admin"}),
            ("GET", f"{STAFF}/{staff_id}", None),
            ("PATCH", f"{STAFF}/{staff_id}", {"role": "admin"}),
            ("PATCH", f"{STAFF}/{member.id}", {"role": "admin"}),
            ("POST", f"{STAFF}/{staff_id}/invitation", None),
            ("DELETE", f"{STAFF}/{staff_id}/invitation", None),
        )
    ]
    details = {(answer.status_code, answer.json().get("detail")) for answer in answers}
    assert len(details) == 1, "the answer is the same, whoever there is"
    assert details.pop()[0] == (403 if who == "support" else 401)
    assert shown(staff, {"id": member.id})["role"] == "support"


@pytest.mark.parametrize("changes", [{"role": "support"}, {"active": False}])
def test_admins_cannot_change_themselves(staff: httpx.Client, changes: dict[str, object]) -> None:
    own = next(one for one in staff.get(STAFF).json() if one["email"] == ADMIN[0])
    answer = change(staff, own["id"], **changes)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "own-account")
    assert staff.get(f"{STAFF}/{own['id']}").json() == own


@pytest.mark.parametrize("changes", [MemberChanges(active=False), MemberChanges(role="support")])
async def test_of_two_admins_deactivating_each_other_concurrently_one_stays(
    services: Services, made: Made, changes: MemberChanges
) -> None:
    for _ in range(5):
        pair = await made("admin"), await made("admin")
        outcomes = await asyncio.gather(
            *(services.members.change(one, UUID(other.id), changes) for one, other in (pair, pair[::-1])),
            return_exceptions=True,
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(refusal) for refusal in refusals] == [NotAllowedError if changes.role else NoSessionError]
        left = [await services.members.get(UUID(one.id)) for one in pair]
        assert [one.active and one.role == "admin" for one in left].count(True) == 1


async def test_concurrent_invitations_create_one_account(staff: httpx.Client, services: Services, made: Made) -> None:
    who, email = await made(), address()
    for taken in (who.email, who.email.upper()):
        answer = staff.post(STAFF, json={"email": taken, "role": "admin"})
        assert answer.status_code == 409
        assert [error["field"] for error in answer.json()["errors"]] == ["email"]
    async with httpx.AsyncClient(base_url=staff.base_url, headers=staff.headers, timeout=20) as inviter:
        asked = [inviter.post(STAFF, json={"email": email, "role": "support"}) for _ in range(3)]
        answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert [one.email for one in await services.members.all()].count(email) == 1


async def test_mails_to_one_address_are_rate_limited_and_without_one_nothing_changes(
    staff: httpx.Client, drain: Drain, mails: Mails
) -> None:
    email = address()
    member = invite(staff, email)
    for _ in range(2):
        assert staff.post(f"{STAFF}/{member['id']}/invitation").status_code == 200
    await drain()
    newest = link_in(mails(email)[0])
    answer = staff.post(f"{STAFF}/{member['id']}/invitation")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert choose(staff, newest, NEW) == 204, "the link that was sent still opens"


@pytest.mark.parametrize("staff_id", [str(uuid4()), "nobody", "0", "9" * 60])
def test_an_unknown_member_is_404(staff: httpx.Client, staff_id: str) -> None:
    at = f"{STAFF}/{staff_id}"
    answers = [
        staff.get(at),
        change(staff, staff_id, role="admin"),
        change(staff, staff_id, active=False),
        staff.post(f"{at}/invitation"),
        staff.delete(f"{at}/invitation"),
    ]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "role": "support"}, "email"),
        ({"email": "", "role": "support"}, "email"),
        ({"email": f"{'x' * 300}@example.com", "role": "support"}, "email"),
        ({"email": "ada@example.com", "role": "owner"}, "role"),
        ({"email": "ada@example.com"}, "role"),
    ],
)
def test_an_invalid_invitation_is_refused_with_its_field(staff: httpx.Client, body: dict[str, str], field: str) -> None:
    answer = staff.post(STAFF, json=body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_link_issued_during_a_deactivation_is_invalid(
    staff: httpx.Client, drain: Drain, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has issued the link and is about to send it."""
    email = address()
    member = invite(staff, email)
    send = MailSender.send

    async def slow(self: MailSender, mail: Mail) -> None:
        assert change(staff, member["id"], active=False).status_code == 200
        await send(self, mail)

    with monkeypatch.context() as patched:
        patched.setattr(MailSender, "send", slow)
        await drain()
    assert choose(staff, link_in(mails(email)[0]), NEW) == 422
    assert shown(staff, member)["active"] is False


async def test_tokens_of_a_login_concurrent_with_a_deactivation_are_revoked(
    staff: httpx.Client, services: Services, made: Made
) -> None:
    """The deactivation happens between the password check and the tokens."""
    who = await made()
    assert change(staff, who.id, active=False).status_code == 200
    late, cookie = await services.tokens.issue(who), await services.sessions.open(who)
    assert change(staff, who.id, active=True).status_code == 200
    assert staff.get("/api/v1/tenants", headers={"Authorization": f"Bearer {late.access_token}"}).status_code == 401
    assert await services.sessions.read(cookie.value) is None
    with pytest.raises(WebError):
        await services.tokens.exchange(late.refresh_token)


async def test_dead_letters_of_invitations_name_the_recipient(
    staff: httpx.Client, services: Services, drain: Drain, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> None:
        raise GiveUpError("the mail server refuses it (550)")

    email = address()
    invite(staff, email)
    with monkeypatch.context() as patched:
        patched.setattr(MailSender, "send", refuses)
        await drain()
    letter = next(one for one in (await services.dead_letters.newest()).items if one.recipient == email)
    assert letter.what == "Invitation to the staff"
    await services.dead_letters.replay(letter.id, ADMIN[0])
    await drain()
    assert choose(staff, link_in(mails(email)[0]), NEW) == 204
