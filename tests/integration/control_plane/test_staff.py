"""Staff: logins, tokens, sessions, tenants and actions."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import ADMIN, Names, eventually, make_workspace, signup_body
from vivero_control import composition
from vivero_control.domain.staff.schemas import Login
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_web.tokens import digest

LOGIN = "/api/v1/auth/login"


def login(client: httpx.Client, password: str = ADMIN[1], email: str = ADMIN[0]) -> httpx.Response:
    return client.post(LOGIN, json={"email": email, "password": password})


def test_login_gives_tokens(client: httpx.Client) -> None:
    tokens = login(client).json()
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert (
        client.get("/api/v1/tenants", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    )


def test_wrong_password_and_unknown_account_are_indistinguishable(client: httpx.Client) -> None:
    wrong, unknown = login(client, "not the password"), login(client, email=f"{secrets.token_hex(4)}@example.com")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert login(client).status_code == 200


def test_after_five_failed_logins_even_the_right_password_is_refused(client: httpx.Client) -> None:
    email = f"{secrets.token_hex(4)}@example.com"
    assert [login(client, "wrong", email).status_code for _ in range(6)] == [401] * 5 + [429]
    assert int(login(client, "wrong", email).headers["retry-after"]) > 0
    assert login(client).status_code == 200, "others are not locked out"


async def test_of_fifty_concurrent_guesses_five_are_checked(server: str, client: httpx.Client) -> None:
    email = f"{secrets.token_hex(4)}@example.com"
    async with httpx.AsyncClient(base_url=server, headers=client.headers, timeout=30) as guesser:
        asked = [guesser.post(LOGIN, json={"email": email, "password": "wrong"}) for _ in range(50)]
        answers = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert 1 <= answers.count(401) <= 5
    assert set(answers) <= {401, 429, 503}, (
        "503: on a busy machine the count of some does not come in time, and they are refused"
    )


def test_one_address_cannot_lock_out_a_staff_account(client: httpx.Client) -> None:
    """Nor does another spelling that the database takes for the same account make a new count."""
    guesser = {"X-Forwarded-For": f"203.0.113.{secrets.randbelow(250) + 1}"}
    spellings = [ADMIN[0], ADMIN[0].upper(), ADMIN[0].replace("a", "á"), f" {ADMIN[0]}"]
    statuses = [
        client.post(LOGIN, json={"email": email, "password": "wrong"}, headers=guesser).status_code
        for email in spellings * 3
    ]
    assert statuses == [401] * 5 + [429] * 7
    assert login(client).status_code == 200


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."])
def test_tenants_are_for_staff(client: httpx.Client, token: str) -> None:
    for method, path in (
        ("GET", "/api/v1/tenants"),
        ("GET", "/api/v1/tenants/acme"),
        ("POST", "/api/v1/tenants/acme/suspend"),
    ):
        answer = client.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_refresh_token_works_once_and_a_replay_revokes_the_session(client: httpx.Client) -> None:
    first = login(client).json()
    second = client.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert client.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    newest = second.json()["refresh_token"]
    assert client.post("/api/v1/auth/refresh", json={"refresh_token": newest}).status_code == 401


def test_logout_ends_the_refresh_token(client: httpx.Client) -> None:
    token = {"refresh_token": login(client).json()["refresh_token"]}
    assert client.post("/api/v1/auth/logout", json=token).status_code == 204
    assert client.post("/api/v1/auth/refresh", json=token).status_code == 401
    assert client.post("/api/v1/auth/logout", json=token).status_code == 204


def bearer(body: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {body['access_token']}"}


@pytest.mark.parametrize("end", ["logout", "a stolen refresh token"])
def test_the_end_of_a_session_revokes_its_access_tokens_at_once(client: httpx.Client, end: str) -> None:
    first, other = login(client).json(), login(client).json()
    spent = {"refresh_token": first["refresh_token"]}
    second = client.post("/api/v1/auth/refresh", json=spent).json()
    for tokens in (first, second, other):
        assert client.get("/api/v1/tenants", headers=bearer(tokens)).status_code == 200
    if end == "logout":
        client.post("/api/v1/auth/logout", json={"refresh_token": second["refresh_token"]})
    else:
        client.post("/api/v1/auth/refresh", json=spent)
    statuses = [client.get("/api/v1/tenants", headers=bearer(one)).status_code for one in (first, second, other)]
    assert statuses == [401, 401, 200], "another login of the same person goes on"


Sql = Callable[..., list[tuple[Any, ...]]]


def entries(sql: Sql, address: str) -> list[tuple[Any, ...]]:
    """Action, actor and account of all that came from an address, the oldest first."""
    return sql(
        "SELECT a.action, a.actor, COALESCE(s.email, a.subject) FROM audit a"
        " LEFT JOIN staff s ON REPLACE(a.subject, '-', '') = CONCAT('staff/', REPLACE(s.id, '-', ''))"
        " WHERE a.address = %s ORDER BY a.id",
        address,
    )


def from_address(client: httpx.Client, address: str) -> httpx.Client:
    return httpx.Client(
        base_url=client.base_url, headers={**client.headers, "X-Forwarded-For": address}, timeout=client.timeout
    )


def test_logins_and_refusals_are_audited_with_client_addresses(client: httpx.Client, sql: Sql) -> None:
    address = "203.0.113.41"
    with from_address(client, address) as door:
        tokens = login(door).json()
        login(door, "not the password")
        spent = {"refresh_token": tokens["refresh_token"]}
        door.post("/api/v1/auth/refresh", json=spent)
        door.post("/api/v1/auth/refresh", json=spent)
        ended = login(door).json()
        door.post("/api/v1/auth/logout", json={"refresh_token": ended["refresh_token"]})
    assert entries(sql, address) == [
        ("login", ADMIN[0], ADMIN[0]),
        ("login-refused", "anonymous", ADMIN[0]),
        ("refresh-replayed", "anonymous", ADMIN[0]),
        ("login", ADMIN[0], ADMIN[0]),
        ("logout", ADMIN[0], ADMIN[0]),
    ]


def test_failed_logins_are_sampled_in_the_audit_log_without_typed_values(client: httpx.Client, sql: Sql) -> None:
    address, typed = "203.0.113.42", f"{secrets.token_hex(8)}@example.com"
    with from_address(client, address) as door:
        statuses = [login(door, "guess", typed).status_code for _ in range(12)]
    assert 429 in statuses
    found = entries(sql, address)
    assert sorted(found) == [
        ("login-blocked", "anonymous", "staff/unknown"),
        ("login-refused", "anonymous", "staff/unknown"),
    ]


async def test_sessions_of_pages(infrastructure: composition.Infrastructure) -> None:
    services = composition.services(infrastructure)
    member = await services.staff.login(Login(email=ADMIN[0].upper(), password=ADMIN[1]), secrets.token_hex(4))
    cookie = await services.sessions.open(member)
    assert (cookie.key, cookie.secure, cookie.httponly, cookie.path) == ("__Host-vivero-staff", True, True, "/")
    assert await services.sessions.read(cookie.value) == member
    for made_up in ("made up", f"{cookie.value}x", f"1{cookie.value}"):
        assert await services.sessions.read(made_up) is None
    assert (await services.sessions.close(cookie.value)).max_age == 0
    assert await services.sessions.read(cookie.value) is None


async def test_a_session_of_pages_ends_within_a_day_however_much_it_is_used(
    infrastructure: composition.Infrastructure, later: Callable[[timedelta], None]
) -> None:
    services = composition.services(infrastructure)
    member = await services.staff.login(Login(email=ADMIN[0], password=ADMIN[1]), secrets.token_hex(4))
    cookie = await services.sessions.open(member)
    later(timedelta(hours=23, minutes=59))
    assert await services.sessions.read(cookie.value) == member
    later(timedelta(hours=24))
    assert await services.sessions.read(cookie.value) is None


def test_a_login_of_a_program_ends_after_a_fortnight_however_often_its_token_is_exchanged(
    client: httpx.Client, later: Callable[[timedelta], None], sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    tokens = [login(client).json()["refresh_token"]]
    tokens.append(client.post("/api/v1/auth/refresh", json={"refresh_token": tokens[0]}).json()["refresh_token"])
    ends = "SELECT expires_at FROM staff_refresh_tokens WHERE digest = %s"
    assert sql(ends, digest(tokens[0]).hex()) == sql(ends, digest(tokens[1]).hex()) != []
    later(timedelta(days=14))
    assert client.post("/api/v1/auth/refresh", json={"refresh_token": tokens[1]}).status_code == 401


def test_tenants_are_listed_filtered_and_paged(staff: httpx.Client, names: Names) -> None:
    slugs = [names.new() for _ in range(3)]
    for slug in slugs:
        assert staff.post("/api/v1/signups", json=signup_body(slug)).status_code == 202

    def found(**query: object) -> dict[str, Any]:
        answer = staff.get("/api/v1/tenants", params={"search": names.prefix, "limit": 200, **query})  # type: ignore[dict-item]
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    eventually(lambda: {row["slug"] for row in found()["items"]} >= set(slugs))
    by_name = [row["name"] for row in found(sort="name", descending=False)["items"]]
    assert by_name == sorted(by_name)
    page = found(sort="name", descending=False, limit=2, offset=1)
    assert [row["name"] for row in page["items"]] == by_name[1:3]
    assert page["total"] == len(by_name)
    assert found(plan="starter")["items"] == []
    assert {row["state"] for row in found(state="starting")["items"]} <= {"starting"}
    assert [row["slug"] for row in found(search=f"OWNER@{slugs[0]}.")["items"]] == [slugs[0]]
    for bad in ({"limit": 0}, {"limit": 201}, {"offset": -1}, {"sort": "password"}, {"state": "gone"}):
        assert staff.get("/api/v1/tenants", params=bad).status_code == 422


async def test_actions_change_the_tenant_and_are_audited(staff: httpx.Client, names: Names, kube: KubeClient) -> None:
    slug = names.new()
    tenant = staff.post("/api/v1/signups", json=signup_body(slug)).json()["tenant"]["name"]
    at = f"/api/v1/tenants/{tenant}"

    def act(name: str, **body: object) -> httpx.Response:
        return staff.post(f"{at}/{name}", json={"reason": f"test of {name}", **body})

    suspended = act("suspend", kind="Unpaid", message="Please pay.")
    assert suspended.status_code == 200
    assert suspended.json()["tenant"]["state"] == "suspended"
    assert Tenant.parse(await kube.get(TENANT, tenant)).spec.suspended is not None
    assert act("suspend").status_code == 409
    assert act("resume").json()["tenant"]["suspended_reason"] is None
    assert act("resume").status_code == 409

    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    extended = act("extend-trial", trial_ends_at=ends.isoformat())
    assert datetime.fromisoformat(extended.json()["tenant"]["trial_ends_at"]) == ends
    past = act("extend-trial", trial_ends_at="2020-01-01T00:00:00Z")
    assert (past.status_code, past.json()["errors"][0]["field"]) == (422, "trial_ends_at")
    assert act("confirm-owner").json()["tenant"]["owner_confirmed"] is True
    owner = Tenant.parse(await kube.get(TENANT, tenant)).spec.owner
    assert owner is not None
    assert (owner.confirmed, owner.email) == (True, f"owner@{slug}.example.com")
    assert act("confirm-owner").status_code == 409
    assert act("change-plan", plan="no-such-plan").json()["errors"][0]["field"] == "plan"

    stale = act("suspend", generation=1)
    assert stale.status_code == 409
    assert staff.get(at).json()["generation"] > 1
    assert staff.post("/api/v1/tenants/no-such-tenant/resume", json={"reason": "test"}).status_code == 404
    assert staff.post(f"{at}/suspend", json={"reason": ""}).status_code == 422

    history = staff.get(f"{at}/history").json()
    assert [entry["action"] for entry in history] == ["confirm-owner", "extend-trial", "resume", "suspend", "signup"]
    assert {entry["actor"] for entry in history[:-1]} == {ADMIN[0]}
    assert {entry["outcome"] for entry in history} == {"done"}
    assert history[-2]["reason"] == "test of suspend"
    assert staff.get("/api/v1/tenants/never-heard-of/history").status_code == 404


async def test_one_order_for_several_is_previewed_and_then_given(
    staff: httpx.Client, names: Names, kube: KubeClient
) -> None:
    slugs = [names.new() for _ in range(3)]
    for slug in slugs:
        await make_workspace(kube, slug, datetime.now(UTC) + timedelta(days=9))
    targets: list[dict[str, Any]] = [{"name": name} for name in (*slugs, "no-such-tenant")]

    def order(**body: object) -> dict[str, str]:
        given = {"action": "suspend", "tenants": targets, "reason": "They asked for it.", **body}
        answer = staff.post("/api/v1/tenant-orders", json=given)
        assert answer.status_code == 200, answer.text
        return {line["name"]: line["outcome"] for line in answer.json()["lines"]}

    async def suspended() -> list[bool]:
        return [Tenant.parse(await kube.get(TENANT, slug)).spec.suspended is not None for slug in slugs]

    assert order(preview=True) == {**dict.fromkeys(slugs, "possible"), "no-such-tenant": "refused"}
    assert await suspended() == [False] * 3
    assert order() == {**dict.fromkeys(slugs, "done"), "no-such-tenant": "refused"}
    assert await suspended() == [True] * 3
    assert set(order().values()) == {"refused"}, "given again, it does nothing"
    for slug in slugs:
        history = staff.get(f"/api/v1/tenants/{slug}/history").json()
        assert [one["action"] for one in history] == ["suspend"]
    assert (
        staff.post("/api/v1/tenant-orders", json={"action": "resume", "tenants": [], "reason": "x"}).status_code == 422
    )


async def test_an_action_retries_on_the_operators_concurrent_writes(
    staff: httpx.Client, names: Names, kube: KubeClient
) -> None:
    """Status is written all the time; that alone is no conflict."""
    slug = names.new()
    tenant = staff.post("/api/v1/signups", json=signup_body(slug)).json()["tenant"]["name"]
    seen = staff.get(f"/api/v1/tenants/{tenant}").json()["generation"]
    await kube.patch_status(TENANT, tenant, {"version": "1"})
    answer = await asyncio.to_thread(
        staff.post, f"/api/v1/tenants/{tenant}/suspend", json={"reason": "status moved", "generation": seen}
    )
    assert answer.status_code == 200


def test_hosts_pages_and_the_control_planes_routes_are_separate(
    staff: httpx.Client, names: Names, later: Callable[[timedelta], None]
) -> None:
    del later
    slug = names.new()
    tenant = staff.post("/api/v1/signups", json=signup_body(slug)).json()["tenant"]["name"]
    host = {"Host": f"{slug}.vivero.localhost:8443", "Accept": "text/html"}
    eventually(lambda: staff.get("/", headers=host).status_code == 503)
    staff.post(f"/api/v1/tenants/{tenant}/suspend", json={"reason": "testing", "message": "Closed for a test."})
    eventually(lambda: "Closed for a test." in staff.get("/any/path", headers=host).text)
    assert staff.post("/login", headers=host).status_code == 503
    assert staff.get("/api/v1/plans", headers=host).status_code == 503
    assert staff.get("/", headers={"Host": "nobody.vivero.localhost", "Accept": "text/html"}).status_code == 404
    assert staff.get("/", headers={"Host": "evil.example.com", "Accept": "text/html"}).status_code == 404
