import asyncio
from typing import Any

import pytest
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace
from vivero_data.lib import cookies

LOGIN, REFRESH, LOGOUT, ME = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/me"


async def tokens(workspace: Workspace) -> dict[str, Any]:
    answer = await workspace.client.post(LOGIN, json={"email": OWNER, "password": PASSWORD})
    body: dict[str, Any] = answer.json()
    return body


def bearer(body: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {body['access_token']}"}


async def test_a_refresh_token_works_once_and_a_replay_ends_the_session(either: Workspace) -> None:
    first = await tokens(either)
    other = await tokens(either)
    second = await either.client.post(REFRESH, json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (await either.client.get(ME, headers=bearer(second.json()))).status_code == 200

    replay = await either.client.post(REFRESH, json={"refresh_token": first["refresh_token"]})
    assert replay.status_code == 401
    after = await either.client.post(REFRESH, json={"refresh_token": second.json()["refresh_token"]})
    assert after.status_code == 401
    assert (await either.client.get(ME, headers=bearer(second.json()))).status_code == 401
    # Another login of the same user is another family.
    assert (await either.client.get(ME, headers=bearer(other))).status_code == 200


async def test_of_two_uses_at_once_one_wins(either: Workspace) -> None:
    body = {"refresh_token": (await tokens(either))["refresh_token"]}
    answers = await asyncio.gather(*(either.client.post(REFRESH, json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


@pytest.mark.parametrize("how", ["refresh token", "access token"])
async def test_logout_ends_the_session_at_once(either: Workspace, how: str) -> None:
    body = await tokens(either)
    if how == "refresh token":
        answer = await either.client.post(LOGOUT, json={"refresh_token": body["refresh_token"]})
    else:
        answer = await either.client.post(LOGOUT, headers=bearer(body))
    assert answer.status_code == 204, answer.text
    assert (await either.client.get(ME, headers=bearer(body))).status_code == 401
    again = await either.client.post(REFRESH, json={"refresh_token": body["refresh_token"]})
    assert again.status_code == 401


async def test_logout_of_nobody_is_fine(either: Workspace) -> None:
    assert (await either.client.post(LOGOUT, json={"refresh_token": "unknown"})).status_code == 204
    assert (await either.client.post(LOGOUT)).status_code == 204


async def test_a_wrong_password_and_an_unknown_address_sound_alike(either: Workspace) -> None:
    wrong = await either.client.post(LOGIN, json={"email": OWNER, "password": "wrong wrong wrong"})
    unknown = await either.client.post(LOGIN, json={"email": "nobody@example.com", "password": "wrong wrong wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert wrong.headers["content-type"] == "application/problem+json"


async def guesses(workspace: Workspace, *places: str, right: bool = False) -> list[int]:
    """What each place is told, all at once."""
    body = {"email": OWNER, "password": PASSWORD if right else "wrong wrong wrong"}
    asked = (workspace.client.post(LOGIN, json=body, headers={"x-forwarded-for": place}) for place in places)
    return [answer.status_code for answer in await asyncio.gather(*asked)]


async def test_of_fifty_concurrent_guesses_five_are_checked(either: Workspace) -> None:
    statuses = await guesses(either, *["2001:db8::1", "2001:db8::2"] * 25)
    assert sorted(statuses) == [401] * 5 + [429] * 45
    blocked = await either.client.post(
        LOGIN, json={"email": OWNER, "password": PASSWORD}, headers={"x-forwarded-for": "2001:db8::3"}
    )
    assert blocked.status_code == 429, "one household has any number of addresses"
    assert 1 <= int(blocked.headers["retry-after"]) <= 15 * 66
    assert await guesses(either, "198.51.100.9", right=True) == [200]


async def test_a_crowd_of_addresses_does_not_close_an_account(either: Workspace) -> None:
    assert await guesses(either, "198.51.100.9", right=True) == [200]
    crowd = [f"203.0.113.{number}" for number in range(40)]
    assert sorted(await guesses(either, *crowd)) == [401] * 20 + [429] * 20
    assert await guesses(either, "198.51.100.9", right=True) == [200], "where the owner was before"
    assert await guesses(either, "198.51.100.10", right=True) == [429]


async def test_the_form_for_a_new_password_is_no_place_for_guessing(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    body = {"current_password": "wrong wrong wrong", "new_password": "another orchard at dusk"}
    asked = [workspace.client.put(f"{ME}/password", json=body, headers=owner) for _ in range(20)]
    statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert sorted(statuses) == [422] * 5 + [429] * 15


async def door(workspace: Workspace, owner: dict[str, str], address: str) -> list[tuple[str, str, str]]:
    """Action, actor and account of all that came from an address, the oldest first."""
    page = await workspace.client.get("/api/v1/audit", params={"action": "session", "limit": 200}, headers=owner)
    found = [one for one in page.json()["items"] if one["address"] == address]
    return [(one["action"], one["actor"], one["subject"]) for one in reversed(found)]


async def test_logins_and_refusals_are_audited_with_client_addresses(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    address = "198.51.100.41"
    origin = {"x-forwarded-for": address}

    async def send(path: str, **body: str) -> dict[str, Any]:
        answer = await workspace.client.post(path, json=body, headers=origin)
        return dict(answer.json()) if answer.content else {}

    first = await send(LOGIN, email=OWNER, password=PASSWORD)
    await send(LOGIN, email=OWNER, password="wrong wrong wrong")
    await send(REFRESH, refresh_token=first["refresh_token"])
    await send(REFRESH, refresh_token=first["refresh_token"])
    second = await send(LOGIN, email=OWNER, password=PASSWORD)
    await send(LOGOUT, refresh_token=second["refresh_token"])
    third = await send(LOGIN, email=OWNER, password=PASSWORD)
    await workspace.client.post(LOGOUT, headers={**bearer(third), **origin})
    assert await door(workspace, owner, address) == [
        ("session.start", OWNER, OWNER),
        ("session.refuse", "anonymous", OWNER),
        ("session.replay", "anonymous", OWNER),
        ("session.start", OWNER, OWNER),
        ("session.end", OWNER, OWNER),
        ("session.start", OWNER, OWNER),
        ("session.end", OWNER, OWNER),
    ]


async def test_failed_logins_are_sampled_in_the_audit_log_without_typed_values(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    address = "198.51.100.42"
    body = {"email": "my-password-by-mistake", "password": "wrong wrong wrong"}
    answers = [await workspace.client.post(LOGIN, json=body, headers={"x-forwarded-for": address}) for _ in range(12)]
    assert 429 in [answer.status_code for answer in answers]
    assert sorted(await door(workspace, owner, address)) == [
        ("session.block", "anonymous", "unknown"),
        ("session.refuse", "anonymous", "unknown"),
    ]


async def test_a_deactivated_user_is_out_at_once(workspace: Workspace, owner: dict[str, str]) -> None:
    member = await workspace.user(owner, "member", "gone@example.com")
    user_id = (await workspace.client.get(ME, headers=member)).json()["id"]
    changed = await workspace.client.patch(f"/api/v1/users/{user_id}", json={"active": False}, headers=owner)
    assert changed.status_code == 200, changed.text
    assert (await workspace.client.get(ME, headers=member)).status_code == 401
    answer = await workspace.client.post(LOGIN, json={"email": "gone@example.com", "password": PASSWORD})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer nonsense", "Bearer " + "x" * 6000])
async def test_bad_credentials_are_refused(either: Workspace, header: str) -> None:
    answer = await either.client.get(ME, headers={"authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_api_call_with_expired_cookies_renews_them(either: Workspace) -> None:
    body = await tokens(either)
    jar = f"{cookies.ACCESS}=expired; {cookies.REFRESH}={body['refresh_token']}"
    answers = await asyncio.gather(*(either.client.get(ME, headers={"cookie": jar}) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    # Several requests of one browser: one renews for good, the others get an access cookie only.
    renewed = [answer.headers.get_list("set-cookie") for answer in answers]
    assert sorted(sum(cookies.REFRESH in line for line in lines) for lines in renewed) == [0, 0, 1]
    for lines in renewed:
        for line in lines:
            assert "Secure" in line
            assert "HttpOnly" in line
            assert "Path=/" in line
            assert "Domain" not in line


async def test_cookies_do_not_write_for_another_site(workspace: Workspace) -> None:
    body = await tokens(workspace)
    jar = {"cookie": f"{cookies.ACCESS}={body['access_token']}"}
    new = {"name": "Things", "fields": [{"name": "N", "type": "text"}]}
    foreign = await workspace.client.post(
        "/api/v1/collections", json=new, headers={**jar, "origin": "https://evil.example.com"}
    )
    assert foreign.status_code == 403
    own = await workspace.client.post("/api/v1/collections", json=new, headers={**jar, "sec-fetch-site": "same-origin"})
    assert own.status_code == 201
