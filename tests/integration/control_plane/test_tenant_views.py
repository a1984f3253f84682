"""Saved views of the tenants' list on a real database: whose they are, and that they are bounded."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from integration.control_plane.support import PASSWORD, add_member, log_in
from support.good import CONTROL_BODIES
from vivero_control import composition
from vivero_control.domain.staff.schemas import Role
from vivero_control.domain.tenant_views.schemas import MOST

PATH = "/api/v1/tenant-views"
GOOD = CONTROL_BODIES[f"POST {PATH}"]


class Somebody:
    """A member of the staff who sends requests."""

    def __init__(self, client: httpx.Client, email: str) -> None:
        self.email = email
        self._client = client
        answer = log_in(client, email, PASSWORD)
        assert answer.status_code == 200, answer.text
        self._headers = {"authorization": f"Bearer {answer.json()['access_token']}"}

    def ask(self, method: str, path: str = "", body: object = None) -> httpx.Response:
        return self._client.request(method, f"{PATH}{path}", json=body, headers=self._headers)

    def seen(self) -> list[dict[str, Any]]:
        return list(self.ask("GET").json()["items"])


async def somebody(client: httpx.Client, infrastructure: composition.Infrastructure, role: Role) -> Somebody:
    member = await add_member(infrastructure, role)
    return await asyncio.to_thread(Somebody, client, member.email)


async def test_a_view_is_its_makers_until_it_is_shared(
    client: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    ada = await somebody(client, infrastructure, "admin")
    grace = await somebody(client, infrastructure, "support")
    await asyncio.to_thread(_shared_and_taken_back, ada, grace)


def _shared_and_taken_back(ada: Somebody, grace: Somebody) -> None:
    made = grace.ask("POST", body={**GOOD, "shared": False})
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json()["wanted"] == GOOD["wanted"]
    assert grace.ask("GET", f"/{number}").json() == made.json()
    assert ada.ask("GET", f"/{number}").status_code == 404, "an admin, too, sees only what is shared"
    assert grace.ask("PUT", f"/{number}", GOOD).json()["shared"]
    seen = next(one for one in ada.seen() if one["id"] == number)
    assert (seen["owner"], seen["is_own"], seen["may_change"]) == (grace.email, False, True)

    assert ada.ask("PUT", "/default", {"view": number}).status_code == 204
    assert [one["id"] for one in ada.seen() if one["is_default"]] == [number]
    assert not any(one["is_default"] for one in grace.seen()), "each chooses for themselves"

    own = ada.ask("POST", body=GOOD).json()["id"]
    assert grace.ask("PUT", f"/{own}", GOOD).status_code == 403
    assert grace.ask("DELETE", f"/{own}").status_code == 403
    assert ada.ask("DELETE", f"/{number}").status_code == 204
    assert not any(one["is_default"] for one in ada.seen())
    assert ada.ask("DELETE", f"/{own}").status_code == 204


async def test_a_name_is_taken_once_and_there_are_no_more_than_allowed_however_many_save_at_once(
    client: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    grace = await somebody(client, infrastructure, "support")
    await asyncio.to_thread(_at_once, grace)


def _at_once(grace: Somebody) -> None:
    with ThreadPoolExecutor(8) as pool:
        same = list(pool.map(lambda _: grace.ask("POST", body={"name": "The same"}).status_code, range(8)))
        assert sorted(same) == [201, *[422] * 7]
        others = list(
            pool.map(lambda one: grace.ask("POST", body={"name": f"View {one}"}).status_code, range(MOST + 4))
        )
    assert others.count(201) == MOST - 1
    mine = [one for one in grace.seen() if one["is_own"]]
    assert len(mine) == MOST
    assert grace.ask("PUT", f"/{mine[0]['id']}", {"name": "Renamed"}).status_code == 200, "a full list can be renamed"
    for one in mine:
        assert grace.ask("DELETE", f"/{one['id']}").status_code == 204


def test_views_are_for_staff(client: httpx.Client, staff: httpx.Client) -> None:
    assert staff.get(f"{PATH}/999999999").status_code == 404
    assert staff.delete(f"{PATH}/999999999").status_code == 404
    assert staff.put(f"{PATH}/default", json={"view": 999999999}).status_code == 422
    assert staff.post(PATH, json={"name": "x", "wanted": {"sort": "colour"}}).status_code == 422
    del client.headers["authorization"]  # `staff` is the same client, logged in
    assert client.get(PATH).status_code == 401
