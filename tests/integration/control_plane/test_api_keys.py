"""API keys of staff on a real database: whose they are, what they open, and how they end."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import PASSWORD, add_member, log_in
from support.good import CONTROL_BODIES as GOOD
from vivero_control import composition
from vivero_control.domain.staff.policies import scopes_open_to
from vivero_control.domain.staff.schemas import Login, Role, Scope
from vivero_web.api_keys import MAX_KEYS

PATH = "/api/v1/api-keys"
OF_PERSONS = (PATH, "/api/v1/staff", "/api/v1/auth/second-factor", "/api/v1/webhooks")
Later = Callable[[timedelta], None]


@dataclass
class Person:
    """One of the staff, who makes keys."""

    client: httpx.Client
    id: str
    email: str
    token: str

    def ask(self, method: str, path: str = "", body: object = None) -> httpx.Response:
        return self.client.request(
            method, f"{PATH}{path}", json=body, headers={"authorization": f"Bearer {self.token}"}
        )

    def key(self, *scopes: Scope, days: int = 90) -> dict[str, Any]:
        made = self.ask("POST", body={"name": "Report", "scopes": scopes, "valid_days": days})
        assert made.status_code == 201, made.text
        return dict(made.json())

    def by(self, key: dict[str, Any], path: str = "/api/v1/tenants", method: str = "GET") -> httpx.Response:
        """An answer to a program with the key."""
        return self.client.request(method, path, headers={"authorization": f"Bearer {key['token']}"})


async def person_of(client: httpx.Client, infrastructure: composition.Infrastructure, role: Role) -> Person:
    member = await add_member(infrastructure, role)
    answer = await asyncio.to_thread(log_in, client, member.email, PASSWORD)
    return Person(client, str(member.id), member.email, answer.json()["access_token"])


@pytest.fixture
async def person(client: httpx.Client, infrastructure: composition.Infrastructure) -> Person:
    return await person_of(client, infrastructure, "support")


async def test_a_key_is_shown_once_and_only_its_digest_kept(person: Person, sql: Callable[..., list[Any]]) -> None:
    key = person.key(Scope.MANAGE_LEADS)
    assert re.fullmatch(r"vivst_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}", key["token"])
    assert key["token"].startswith(f"{key['prefix']}_")
    assert person.by(key).status_code == 200
    (listed,) = person.ask("GET").json()["items"]
    assert listed == person.ask("GET", f"/{key['id']}").json()
    assert listed["scopes"] == ["read", "manage_leads"]
    assert listed["last_used_at"] is not None
    assert "token" not in listed
    rows = sql("SELECT * FROM staff_api_keys WHERE id = %s", key["id"])
    assert key["token"].rpartition("_")[2] not in str(rows)


async def test_of_a_key_every_character_counts(person: Person) -> None:
    key = person.key()
    for wrong in (
        key["token"][:-1],
        key["token"] + "a",
        key["token"].swapcase(),
        f"{key['prefix']}_" + "a" * 38,
        "vivst_",
    ):
        answer = person.by({"token": wrong})
        assert answer.status_code == 401, wrong
        assert answer.headers["content-type"] == "application/problem+json"


async def test_it_is_its_owners_alone(
    person: Person, client: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    other, key = await person_of(client, infrastructure, "admin"), person.key()
    path = f"/{key['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"name": "Mine"}),
        ("POST", f"{path}/rotate", {}),
        ("DELETE", path, None),
    ):
        assert other.ask(method, where, body).status_code == 404, method
    assert other.ask("GET").json()["items"] == []
    assert person.by(key).status_code == 200


async def test_another_secret_and_the_end(person: Person, later: Later) -> None:
    old = person.key(days=30)
    new = person.ask("POST", f"/{old['id']}/rotate", {"overlap_hours": 1}).json()
    assert [person.by(one).status_code for one in (old, new)] == [200, 200]
    later(timedelta(minutes=61))
    assert [person.by(one).status_code for one in (old, new)] == [401, 200]
    later(timedelta(days=30))
    assert person.by(new).status_code == 401, "expired"
    later(timedelta(0))
    person.ask("DELETE", f"/{old['id']}")
    assert person.by(new).status_code == 401, "revoked"
    assert person.ask("GET", f"/{old['id']}").status_code == 404


@pytest.mark.parametrize("change", [{"active": False}, {"active": True}])
async def test_it_ends_with_the_person(person: Person, staff: httpx.Client, change: dict[str, bool]) -> None:
    """Also when they come back."""
    key = person.key()
    assert staff.patch(f"/api/v1/staff/{person.id}", json={"active": False}).status_code == 200
    assert staff.patch(f"/api/v1/staff/{person.id}", json=change).status_code == 200
    assert person.by(key).status_code == 401


async def test_a_role_that_is_taken_is_taken_from_the_keys(
    client: httpx.Client, staff: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    person = await person_of(client, infrastructure, "admin")
    key = person.key(*Scope)
    path = "/api/v1/quotes/999999/send"
    assert person.by(key, path, "POST").status_code == 404
    assert staff.patch(f"/api/v1/staff/{person.id}", json={"role": "support"}).status_code == 200
    answer = person.by(key, path, "POST")
    assert (answer.status_code, "Only admins" in answer.json()["detail"]) == (403, True)


async def test_what_cannot_be_is_refused_by_its_field(person: Person) -> None:
    answer = person.ask("POST", body={"name": " ", "scopes": ["read", "sell"]})
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"name", "scopes[1]"}
    for body in ({"name": "x", "valid_days": 366}, {"name": "x", "scopes": ["root"]}, {"name": "x", "owner": "y"}):
        assert person.ask("POST", body=body).status_code == 422, body


async def test_of_many_made_at_once_no_more_than_there_may_be(person: Person) -> None:
    async with httpx.AsyncClient(base_url=person.client.base_url, headers=person.client.headers, timeout=60) as many:
        headers = {"authorization": f"Bearer {person.token}"}
        asked = [many.post(PATH, json={"name": f"Key {one}"}, headers=headers) for one in range(MAX_KEYS + 5)]
        answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201] * MAX_KEYS + [409] * 5


async def test_the_audit_log_says_by_which_key(person: Person, sql: Callable[..., list[Any]]) -> None:
    key = person.key(Scope.PUBLISH_STATUS)
    headers = {"authorization": f"Bearer {key['token']}"}
    made = person.client.post("/api/v1/status/incidents", json=GOOD["POST /api/v1/status/incidents"], headers=headers)
    assert made.status_code == 201, made.text
    details = [json.loads(row[0]) for row in sql("SELECT detail FROM audit WHERE actor = %s ORDER BY id", person.email)]
    assert details[-2]["prefix"] == details[-1]["api_key"] == key["prefix"]
    assert "api_key" not in details[-2], "a person made it"
    assert key["token"] not in str(details)


async def test_each_route_opens_for_a_key_of_its_scope_alone(
    client: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    """Every operation of staff in the OpenAPI document, every scope, both roles; a body that is none decides nothing."""
    document = client.get("/schema/openapi.json").json()
    routes = [
        (
            method.upper(),
            re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000" if "staff_id" in path else "1", path),
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if any("staff" in one for one in operation.get("security", ()))
    ]
    assert len(routes) > 60
    for role in ("admin", "support"):
        person = await person_of(client, infrastructure, role)
        closed, by_scope = set(routes), dict[Scope, set[tuple[str, str]]]()
        for scope in scopes_open_to(role):
            headers = {"authorization": f"Bearer {person.key(scope)['token']}", "content-type": "application/json"}
            answers = {
                (method, path): client.request(method, path, headers=headers, content=b"{") for method, path in routes
            }
            by_scope[scope] = {
                where for where, answer in answers.items() if "API key" not in answer.text or answer.status_code != 403
            }
            closed -= by_scope[scope]
        reads = by_scope.pop(Scope.READ)
        assert {method for method, _ in reads} == {"GET"}
        for scope, opened in by_scope.items():
            assert opened > reads, scope
            for other, theirs in by_scope.items():
                assert scope is other or opened & theirs == reads, (scope, other)
        of_persons = {where for where in routes if where[1].startswith(OF_PERSONS)}
        assert of_persons <= closed
        assert role == "support" or of_persons == closed


async def test_who_lacks_the_second_factor_that_is_required_has_no_key_that_opens(
    person: Person, infrastructure: composition.Infrastructure
) -> None:
    """The setting is of the process, so this asks the services of one that has it."""
    key = person.key()
    settings = infrastructure.settings
    required = settings.model_copy(update={"staff": settings.staff.model_copy(update={"second_factor_required": True})})
    made = composition.infrastructure(required, infrastructure.clock)
    async with made.open():
        services = composition.services(made)
        found = await services.api_keys.holder(key["token"])
        assert found is not None
        assert found.lacks_second_factor
        who = await services.staff.login(Login(email=person.email, password=PASSWORD), secrets.token_hex(4))
        assert not who.api_key
