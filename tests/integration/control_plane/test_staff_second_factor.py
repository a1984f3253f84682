"""Two-step login of staff: through the API, the pages, the database, the worker and a real mail server."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import base64
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import PASSWORD, TestClock, add_member, log_in
from vivero_control import composition
from vivero_control.domain.staff.schemas import Login
from vivero_web import totp

FACTOR = "/api/v1/auth/second-factor"
PROOF = {"current_password": PASSWORD}
Later = Callable[[timedelta], None]
Mails = Callable[[str], list[dict[str, Any]]]
Drain = Callable[[], Awaitable[None]]


class Person:
    """Somebody of the staff with an authenticator app."""

    def __init__(self, client: httpx.Client, email: str, clock: TestClock) -> None:
        self.client, self.email, self.clock = client, email, clock
        self.tokens: dict[str, str] = {}
        self.secret = b""
        self.turned_on_with = ""

    def code(self, ago: int = 0) -> str:
        return totp.code_at(self.secret, int(self.clock().timestamp()) // totp.SECONDS - ago)

    def log_in(self, code: str | None = None) -> httpx.Response:
        body = {"email": self.email, "password": PASSWORD, **({"code": code} if code else {})}
        return self.client.post("/api/v1/auth/login", json=body)

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return self.client.request(method, path, json=body, headers=headers)

    def set_up(self) -> list[str]:
        begun = self.ask("POST", FACTOR, PROOF)
        assert begun.status_code == 200, begun.text
        self.secret = base64.b32decode(begun.json()["secret"].replace(" ", ""))
        self.turned_on_with = self.code()
        codes = self.ask("POST", f"{FACTOR}/confirm", {"code": self.turned_on_with})
        assert codes.status_code == 200, codes.text
        found: list[str] = codes.json()["recovery_codes"]
        return found


@pytest.fixture
async def person(
    client: httpx.Client, infrastructure: composition.Infrastructure, clock: TestClock, later: Later
) -> Person:
    """Two minutes ago, so that a test need not wait for the next code: no token may be of the future."""
    later(timedelta(minutes=-2))
    made = Person(client, (await add_member(infrastructure)).email, clock)
    made.tokens = made.log_in().json()
    return made


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_a_login_needs_a_code_that_works_once(
    person: Person, later: Later, infrastructure: composition.Infrastructure, drain: Drain, mails: Mails
) -> None:
    services = composition.services(infrastructure)
    other = person.log_in().json()
    cookie = await services.sessions.open(
        await services.staff.login(Login(email=person.email, password=PASSWORD), secrets.token_hex(4))
    )
    codes = person.set_up()
    assert len(set(codes)) == 10
    assert person.ask("GET", FACTOR).json()["recovery_codes"] == 10, "the login at hand goes on"
    assert person.client.post("/api/v1/auth/refresh", json={"refresh_token": other["refresh_token"]}).status_code == 401
    assert await services.sessions.read(cookie.value) is None, "the other logins end"

    assert slug(person.log_in()) == (401, "code-needed")
    assert slug(person.log_in(person.turned_on_with)) == (401, "wrong-code"), "it works once"
    later(timedelta(seconds=-60))
    code = person.code()
    assert person.log_in(code).status_code == 200
    assert slug(person.log_in(code)) == (401, "wrong-code")
    assert person.log_in(codes[0].upper()).status_code == 200
    assert slug(person.log_in(codes[0])) == (401, "wrong-code")
    assert person.ask("GET", FACTOR).json()["recovery_codes"] == 9
    await drain()
    (mail,) = mails(person.email)
    assert "was turned on" in mail["subject"]


async def test_the_secret_is_sealed_and_the_codes_are_digests(person: Person, sql: Callable[..., Any]) -> None:
    codes = person.set_up()
    [(sealed,)] = sql(
        "SELECT f.secret FROM staff_second_factors f JOIN staff s ON s.id = f.staff_id WHERE s.email = %s", person.email
    )
    kept = sql(
        "SELECT c.digest FROM staff_recovery_codes c JOIN staff s ON s.id = c.staff_id WHERE s.email = %s", person.email
    )
    assert person.secret not in sealed
    assert len(kept) == len(codes)
    assert not {one for (one,) in kept} & set(codes)


async def test_of_many_wrong_codes_five_are_tried(person: Person, later: Later) -> None:
    person.set_up()
    later(timedelta(seconds=-60))
    wrong = "000000" if person.code() != "000000" else "000001"
    assert [person.log_in(wrong).status_code for _ in range(6)] == [401] * 5 + [429]
    assert person.log_in(person.code()).status_code == 429, "also the right one"


async def test_the_second_step_of_the_page(
    person: Person, later: Later, infrastructure: composition.Infrastructure
) -> None:
    person.set_up()
    later(timedelta(seconds=-60))
    origin = {"sec-fetch-site": "same-origin"}
    form = {"email": person.email, "password": PASSWORD, "next": "/staff/security"}
    page = person.client.post("/staff/login", data=form, headers=origin)
    assert "Enter your code" in page.text
    assert PASSWORD not in page.text
    challenge = page.text.partition('name="challenge" value="')[2].partition('"')[0]
    step = {"challenge": challenge, "code": person.code(), "next": "/staff/security"}
    answer = person.client.post("/staff/login/code", data=step, headers=origin)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/security")
    services = composition.services(infrastructure)
    cookie = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    who = await services.sessions.read(cookie)
    assert who is not None
    assert who.email == person.email
    again = person.client.post("/staff/login/code", data=step, headers=origin)
    assert again.status_code == 401, "a code works once, also here"


async def test_a_new_password_asks_for_the_code_still(
    person: Person, infrastructure: composition.Infrastructure, sql: Callable[..., Any]
) -> None:
    person.set_up()
    hashed = await infrastructure.passwords.hash("walnut orchard at dusk")
    sql("UPDATE staff SET password_hash = %s WHERE email = %s", hashed, person.email)
    answer = log_in(person.client, person.email, "walnut orchard at dusk")
    assert slug(answer) == (401, "code-needed")


@pytest.mark.parametrize("proof", ["", "not the password"])
async def test_nothing_changes_without_the_password(person: Person, proof: str) -> None:
    person.set_up()
    for path in ("", "/recovery-codes", "/end"):
        answer = person.ask("POST", f"{FACTOR}{path}", {"current_password": proof})
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == ["current_password"]
    assert slug(person.log_in()) == (401, "code-needed")


async def test_it_ends_by_its_person(person: Person, later: Later, sql: Callable[..., Any]) -> None:
    assert person.ask("POST", f"{FACTOR}/end", PROOF).status_code == 409
    assert person.ask("POST", f"{FACTOR}/confirm", {"code": "000000"}).status_code == 409
    old = person.set_up()
    assert person.ask("POST", FACTOR, PROOF).status_code == 409
    new = person.ask("POST", f"{FACTOR}/recovery-codes", PROOF).json()["recovery_codes"]
    assert slug(person.log_in(old[0])) == (401, "wrong-code")
    assert person.log_in(new[0]).status_code == 200
    later(timedelta(seconds=-60))
    assert person.ask("POST", f"{FACTOR}/end", PROOF).status_code == 204
    assert person.log_in().status_code == 200
    noted = sql("SELECT action FROM audit WHERE actor = %s ORDER BY id", person.email)
    own = [action for (action,) in noted if action not in {"login", "logout"}]
    assert own == ["start-second-factor", "renew-recovery-codes", "use-recovery-code", "end-second-factor"]


async def test_an_admin_ends_that_of_another(
    staff: httpx.Client, person: Person, drain: Drain, mails: Mails, sql: Callable[..., Any]
) -> None:
    mine = staff.headers["Authorization"]
    everybody = staff.get("/api/v1/staff").json()
    [staff_id] = [one["id"] for one in everybody if one["email"] == person.email]
    path = f"/api/v1/staff/{staff_id}/second-factor"
    assert staff.delete(path).status_code == 409, "there is none"
    person.set_up()
    assert staff.get(f"/api/v1/staff/{staff_id}").json()["second_factor"] is True
    assert staff.delete(path, headers={"Authorization": mine}).status_code == 204
    assert person.ask("GET", FACTOR).status_code == 401, "their logins end"
    assert person.log_in().status_code == 200
    assert sql(
        "SELECT COUNT(*) FROM staff_recovery_codes c JOIN staff s ON s.id = c.staff_id WHERE s.email = %s", person.email
    ) == [(0,)]
    await drain()
    on, off = sorted(mails(person.email), key=lambda mail: mail["subject"], reverse=True)
    assert "turned on" in on["subject"]
    assert "turned off by" in off["text"]
    assert sql(
        "SELECT COUNT(*) FROM audit WHERE action = 'reset-second-factor' AND detail LIKE %s", f"%{person.email}%"
    ) == [(1,)]


async def test_where_it_is_required_a_login_without_opens_nothing_but_the_set_up(
    person: Person, infrastructure: composition.Infrastructure
) -> None:
    """The setting is of the process, so this asks the services of one that has it."""
    settings = infrastructure.settings
    required = settings.model_copy(update={"staff": settings.staff.model_copy(update={"second_factor_required": True})})
    made = composition.infrastructure(required, infrastructure.clock)
    async with made.open():
        services = composition.services(made)
        who = await services.staff.login(Login(email=person.email, password=PASSWORD), secrets.token_hex(4))
        assert who.lacks_second_factor
        tokens = await services.tokens.issue(who)
        assert tokens.access_token
        found = await services.staff.find(who.id, who.stamp)
        assert found is not None
        assert found.lacks_second_factor
        person.set_up()
        assert await services.staff.find(who.id, who.stamp) is None
