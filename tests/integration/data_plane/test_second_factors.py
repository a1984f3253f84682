"""Two-step login, end to end."""

import asyncio
import base64
import re
from typing import Any

import httpx
import pytest
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace
from vivero_web import clock, totp
from vivero_web.sealed import SealedSecrets

FACTOR, LOGIN = "/api/v1/me/second-factor", "/api/v1/auth/login"


def code_of(secret: str, later: int = 0) -> str:
    """The app's code, so many steps from now."""
    step = int(clock.now().timestamp()) // totp.SECONDS + later
    return totp.code_at(base64.b32decode(secret.replace(" ", "")), step)


async def login(workspace: Workspace, **body: str) -> tuple[int, str]:
    answer = await workspace.client.post(LOGIN, json={"email": OWNER, "password": PASSWORD, **body})
    return answer.status_code, answer.json().get("type", "").rpartition(":")[2]


async def begin(workspace: Workspace, who: dict[str, str]) -> str:
    answer = await workspace.client.post(FACTOR, json={"current_password": PASSWORD}, headers=who)
    assert answer.status_code == 200, answer.text
    assert (await workspace.client.get(FACTOR, headers=who)).json()["active"] is False
    secret: str = answer.json()["secret"]
    assert secret.replace(" ", "") in answer.json()["uri"]
    return secret


async def start(workspace: Workspace, who: dict[str, str]) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a second factor that is active; the code of now is used up."""
    secret = await begin(workspace, who)
    answer = await workspace.client.post(f"{FACTOR}/confirm", json={"code": code_of(secret)}, headers=who)
    assert answer.status_code == 200, answer.text
    return secret, answer.json()["recovery_codes"]


async def test_logins_need_a_code_from_then_on(workspace: Workspace, owner: dict[str, str]) -> None:
    other = await workspace.login()
    secret, codes = await start(workspace, owner)
    assert (await workspace.client.get("/api/v1/me", headers=other)).status_code == 401
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 200
    assert await login(workspace) == (401, "code-needed")
    assert await login(workspace, password="not the password", code=code_of(secret, 1)) == (401, "not-signed-in")
    assert await login(workspace, code=code_of(secret)) == (401, "wrong-code"), "it was used to confirm"
    assert await login(workspace, code=code_of(secret, 1)) == (200, "")
    assert await login(workspace, code=code_of(secret, 1)) == (401, "wrong-code"), "a code works once"
    assert await login(workspace, code=f" {codes[0].upper()} ") == (200, "")
    assert await login(workspace, code=codes[0]) == (401, "wrong-code")
    assert (await workspace.client.get(FACTOR, headers=owner)).json()["recovery_codes"] == 9
    shown = (await workspace.client.get("/api/v1/audit", headers=owner)).text
    assert "second_factor.use_recovery_code" in shown
    assert codes[1] not in shown


async def test_of_two_logins_with_one_code_one_is_let_in(workspace: Workspace, owner: dict[str, str]) -> None:
    secret, _ = await start(workspace, owner)
    code = code_of(secret, 1)
    answers = await asyncio.gather(*(login(workspace, code=code) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_codes_are_not_guessed_from_wherever(workspace: Workspace, owner: dict[str, str]) -> None:
    secret, codes = await start(workspace, owner)
    for _ in range(5):
        assert await login(workspace, code="000000") == (401, "wrong-code")
    assert (await login(workspace, code=code_of(secret, 1)))[0] == 429
    assert (await login(workspace, code=codes[0]))[0] == 429
    assert await login(workspace) == (401, "code-needed"), "which is no guess"


async def test_a_session_alone_changes_nothing(workspace: Workspace, owner: dict[str, str]) -> None:
    client, wrong = workspace.client, {"current_password": "not the password"}
    refused = await client.post(FACTOR, json=wrong, headers=owner)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "current_password")
    assert (await client.post(f"{FACTOR}/confirm", json={"code": "123456"}, headers=owner)).status_code == 409
    secret = await begin(workspace, owner)
    refused = await client.post(f"{FACTOR}/confirm", json={"code": "123456"}, headers=owner)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code")
    assert await login(workspace) == (200, ""), "not confirmed"
    await client.post(f"{FACTOR}/confirm", json={"code": code_of(secret)}, headers=owner)
    for path in ("/recovery-codes", "/end"):
        assert (await client.post(FACTOR + path, json=wrong, headers=owner)).status_code == 422
    again = await client.post(FACTOR, json={"current_password": PASSWORD}, headers=owner)
    assert again.status_code == 409


async def test_it_is_ended_and_recovery_codes_are_renewed(workspace: Workspace, owner: dict[str, str]) -> None:
    client, proof = workspace.client, {"current_password": PASSWORD}
    _, codes = await start(workspace, owner)
    renewed = (await client.post(f"{FACTOR}/recovery-codes", json=proof, headers=owner)).json()["recovery_codes"]
    assert len({*codes, *renewed}) == 20
    assert await login(workspace, code=codes[0]) == (401, "wrong-code")
    assert await login(workspace, code=renewed[0]) == (200, "")
    assert (await client.post(f"{FACTOR}/end", json=proof, headers=owner)).status_code == 204
    assert await login(workspace) == (200, "")
    assert (await client.post(f"{FACTOR}/end", json=proof, headers=owner)).status_code == 409


async def test_an_administrator_ends_that_of_who_lost_the_phone(workspace: Workspace, owner: dict[str, str]) -> None:
    client, member = workspace.client, await workspace.user(owner, "member", "grace@example.com")
    await start(workspace, member)
    admin = await workspace.user(owner, "admin")
    await start(workspace, owner)
    users: list[dict[str, Any]] = (await client.get("/api/v1/users", headers=owner)).json()["items"]
    numbers = {user["email"]: user["id"] for user in users}
    at = f"/api/v1/users/{numbers['grace@example.com']}/second-factor"
    assert (await client.delete(at, headers=member)).status_code == 403
    assert (await client.delete(f"/api/v1/users/{numbers[OWNER]}/second-factor", headers=admin)).status_code == 403
    assert (await client.delete(at, headers=admin)).status_code == 204
    assert (await client.delete(at, headers=admin)).status_code == 409
    assert await workspace.login("grace@example.com")


async def test_secrets_are_stored_sealed(workspace: Workspace, owner: dict[str, str]) -> None:
    secret, codes = await start(workspace, owner)
    async with workspace.app.state.services.database.read() as connection:
        row = await connection.fetch_one("SELECT secret FROM second_factors")
        hashes = await connection.fetch_all("SELECT code_hash FROM recovery_codes")
    assert base64.b32decode(secret.replace(" ", "")) not in row[0]
    assert len(hashes) == 10
    assert codes[0].replace("-", "").encode() not in b"".join(one[0] for one in hashes)
    # Five bits a character; with fewer than 112 bits a digest would have to be a slow one.
    assert {len(code.replace("-", "")) for code in codes} == {26}


async def test_a_copy_with_another_key_takes_recovery_codes(workspace: Workspace, owner: dict[str, str]) -> None:
    secret, codes = await start(workspace, owner)
    workspace.app.state.services.second_factors._secrets = SealedSecrets("x", "vivero-data", "second-factors")  # noqa: SLF001  as in a copy
    assert await login(workspace, code=code_of(secret, 1)) == (401, "wrong-code")
    assert await login(workspace, code=codes[0]) == (200, "")


async def test_a_view_of_the_past_asks_for_a_code_too(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    secret, codes = await start(workspace, owner)
    assert await login(view) == (401, "code-needed")
    assert await login(view, code=codes[0]) == (401, "wrong-code"), "it cannot be used up there"
    assert await login(view, code=code_of(secret)) == (200, "")
    assert await login(view, code=code_of(secret)) == (401, "wrong-code")


@pytest.mark.parametrize("path", ["", "/confirm", "/recovery-codes", "/end"])
async def test_no_key_changes_how_a_person_logs_in(workspace: Workspace, owner: dict[str, str], path: str) -> None:
    made = await workspace.client.post("/api/v1/api-keys", json={"name": "x"}, headers=owner)
    key = {"authorization": f"Bearer {made.json()['token']}"}
    assert (await workspace.client.post(FACTOR + path, json={}, headers=key)).status_code == 403


RULES = "/api/v1/workspace/login-rules"
SECURITY = "/account/security"


async def required(workspace: Workspace, owner: dict[str, str], *, now: bool = True) -> None:
    answer = await workspace.client.put(RULES, json={"second_factor_required": now}, headers=owner)
    assert (answer.status_code, answer.json()) == (200, {"second_factor_required": now}), answer.text


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and str(answer.json()["type"]).endswith(":second-factor-required")


async def test_who_requires_it_of_all_has_it(workspace: Workspace, owner: dict[str, str]) -> None:
    body = {"second_factor_required": True}
    first = await workspace.client.put(RULES, json=body, headers=owner)
    assert (first.status_code, "yourself" in first.json()["detail"]) == (409, True)
    await start(workspace, owner)
    await required(workspace, owner)
    await required(workspace, owner)
    query = {"action": "workspace.login_rules"}
    (entry,) = (await workspace.client.get("/api/v1/audit", params=query, headers=owner)).json()["items"]
    assert (entry["before"], entry["after"]) == ({"second_factor_required": False}, body)


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
async def test_owners_alone_require_it(workspace: Workspace, owner: dict[str, str], role: str) -> None:
    person = await workspace.user(owner, role)
    await start(workspace, person)
    answer = await workspace.client.put(RULES, json={"second_factor_required": True}, headers=person)
    assert answer.status_code == 403
    assert (await workspace.client.get(RULES, headers=person)).json() == {"second_factor_required": False}


async def test_who_has_none_can_do_nothing_else_before(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, name="Salaries")
    member = await workspace.user(owner, "member")
    key = await workspace.client.post("/api/v1/api-keys", json={"name": "P", "scopes": ["read"]}, headers=member)
    program = {"authorization": f"Bearer {key.json()['token']}"}
    await start(workspace, owner)
    await required(workspace, owner)
    document = (await workspace.client.get("/schema/openapi.json", headers=owner)).json()
    routes = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(routes) > 100
    for path, method in routes:
        operation = document["paths"][path][method]
        if operation.get("security") == [] or path.startswith(FACTOR):
            continue
        address = re.sub(r"\{[^}]+\}", "1", path)
        assert refused(await workspace.client.request(method.upper(), address, headers=member)), (method, path)
    as_page = {**member, "accept": "text/html"}
    for path in ("/", "/collections/Salaries", "/account", "/palette?q=sal", "/users", "/collections/Salaries/new"):
        answer = await workspace.client.get(path, headers=as_page)
        assert (answer.status_code, answer.headers["location"]) == (303, SECURITY), path
    page = await workspace.client.get(SECURITY, headers=as_page)
    assert (page.status_code, "This workspace requires two-step login" in page.text) == (200, True)
    assert "Salaries" not in page.text
    assert (await workspace.client.get("/api/v1/collections", headers=program)).status_code == 200, "keys go on"
    await start(workspace, member)
    assert (await workspace.client.get("/collections/Salaries", headers=as_page)).status_code == 200
    ended = await workspace.client.post(f"{FACTOR}/end", json={"current_password": PASSWORD}, headers=member)
    assert ended.status_code == 204
    assert refused(await workspace.client.get("/api/v1/me", headers=member)), "only to set it up anew"
    await required(workspace, owner, now=False)
    assert (await workspace.client.get("/api/v1/me", headers=member)).status_code == 200
