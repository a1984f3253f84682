"""Who owns the workspace: what the operator orders is carried out, once, and what is answered is what is there."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace

NEW = "new@example.com"
OTHER_PASSWORD = "figs under morning snow"
NewWorkspace = Callable[..., Awaitable[Workspace]]


@pytest.fixture(scope="module")
def other_hash() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(OTHER_PASSWORD)


def order(email: str, **changes: object) -> dict[str, object]:
    return {"email": email, "name": "Ada", **changes}


async def rows(workspace: Workspace, sql: str) -> list[Any]:
    async with workspace.app.state.services.database.read() as connection:
        found: list[Any] = await connection.fetch_all(sql)
        return found


async def accounts(workspace: Workspace) -> list[Any]:
    return await rows(workspace, "SELECT email, role, active FROM users ORDER BY id")


async def counted(workspace: Workspace) -> int:
    return int((await rows(workspace, "SELECT value FROM counters WHERE name = 'users'"))[0][0])


async def audited(workspace: Workspace) -> list[Any]:
    """What the platform changed after the workspace was set up."""
    found = f"SELECT action, subject FROM {workspace.audit_log} WHERE actor = 'system' AND id > 1 ORDER BY id"  # noqa: S608  our own words
    return await rows(workspace, found)


async def ordered(workspace: Workspace, owner: object, status: int = 200) -> dict[str, Any] | None:
    """The answer's owner; the same order once more changes nothing and says so."""
    first = await workspace.tell(owner=owner)
    assert first.status_code == status, first.text
    everything = f"SELECT * FROM {workspace.audit_log}"  # noqa: S608  our own words
    before = [await accounts(workspace), await counted(workspace), await rows(workspace, everything)]
    again = await workspace.tell(owner=owner)
    assert again.status_code == 200
    after = [await accounts(workspace), await counted(workspace), await rows(workspace, everything)]
    assert after == before
    said, said_again = first.json()["owner"], again.json()["owner"]
    assert said_again == (None if said is None else {**said, "created": False, "changed": False})
    return dict(said) if said else None


async def refused(workspace: Workspace, email: str, password: str) -> bool:
    answer = await workspace.client.post("/api/v1/auth/login", json={"email": email, "password": password})
    return answer.status_code == 401


async def test_the_owners_new_address_is_the_one_that_logs_in(workspace: Workspace) -> None:
    said = await ordered(workspace, order("New@example.com", replaces=OWNER))
    assert said == {"email": NEW, "created": False, "changed": True}
    assert await accounts(workspace) == [(NEW, "owner", 1)]
    assert await audited(workspace) == [("user.update", NEW)]
    await workspace.login(NEW)
    assert await refused(workspace, OWNER, PASSWORD)


async def test_a_new_password_is_carried_out_and_ends_every_session(workspace: Workspace, other_hash: str) -> None:
    body = {"email": OWNER, "password": PASSWORD}
    tokens = (await workspace.client.post("/api/v1/auth/login", json=body)).json()
    said = await ordered(workspace, order(OWNER, password_hash=other_hash))
    assert said == {"email": OWNER, "created": False, "changed": True}
    assert await audited(workspace) == [("user.reset_password", OWNER)]
    header = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await workspace.client.get("/api/v1/me", headers=header)).status_code == 401
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await workspace.client.post("/api/v1/auth/refresh", json=refresh)).status_code == 401
    assert await refused(workspace, OWNER, PASSWORD)
    await workspace.login(OWNER, OTHER_PASSWORD)


async def test_the_same_password_ends_no_session(
    workspace: Workspace, owner: dict[str, str], password_hash: str
) -> None:
    said = await ordered(workspace, order(OWNER, password_hash=password_hash))
    assert said == {"email": OWNER, "created": False, "changed": False}
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 200
    assert await audited(workspace) == []


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
@pytest.mark.parametrize("active", [True, False])
async def test_an_account_of_the_address_becomes_the_owner(
    workspace: Workspace, owner: dict[str, str], other_hash: str, role: str, *, active: bool
) -> None:
    await workspace.user(owner, role, NEW)
    number = (await rows(workspace, f"SELECT id FROM users WHERE email = '{NEW}'"))[0][0]  # noqa: S608  our own word
    if not active:
        answer = await workspace.client.patch(f"/api/v1/users/{number}", json={"active": False}, headers=owner)
        assert answer.status_code == 200
    workspace.set_limits(users=1)  # full: an owner counts, and is not held against it
    said = await ordered(workspace, order(NEW, password_hash=other_hash, replaces=OWNER))
    assert said == {"email": NEW, "created": False, "changed": True}
    assert await accounts(workspace) == [(OWNER, "owner", 1), (NEW, "owner", 1)]
    assert await counted(workspace) == 2
    changed = [("user.update", NEW)] if role != "owner" or not active else []
    assert await audited(workspace) == [*changed, ("user.reset_password", NEW)]
    await workspace.login(NEW, OTHER_PASSWORD)
    await workspace.login()  # who owned it before still does


async def test_an_address_without_an_account_gets_one_for_a_password(workspace: Workspace, other_hash: str) -> None:
    workspace.set_limits(users=1)
    said = await ordered(workspace, order(NEW, password_hash=other_hash, replaces="gone@example.com"), status=201)
    assert said == {"email": NEW, "created": True, "changed": False}
    assert await accounts(workspace) == [(OWNER, "owner", 1), (NEW, "owner", 1)]
    assert await counted(workspace) == 2
    assert await audited(workspace) == [("user.create", NEW)]
    await workspace.login(NEW, OTHER_PASSWORD)


async def test_only_an_owners_account_is_replaced(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.user(owner, "admin", "admin@example.com")
    said = await ordered(workspace, order(NEW, replaces="admin@example.com"))
    assert said == {"email": OWNER, "created": False, "changed": False}, "who can log in"
    assert await accounts(workspace) == [(OWNER, "owner", 1), ("admin@example.com", "admin", 1)]


async def test_a_deactivated_owner_who_is_replaced_can_log_in_again(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    second = await workspace.user(owner, "owner", "second@example.com")
    me = (await workspace.client.get("/api/v1/me", headers=owner)).json()
    answer = await workspace.client.patch(f"/api/v1/users/{me['id']}", json={"active": False}, headers=second)
    assert answer.status_code == 200
    assert (await workspace.tell()).json()["owner"]["email"] == "second@example.com", "an active one comes first"
    assert await counted(workspace) == 1
    await ordered(workspace, order(NEW, replaces=OWNER))
    assert await accounts(workspace) == [(NEW, "owner", 1), ("second@example.com", "owner", 1)]
    assert await counted(workspace) == 2
    await workspace.login(NEW)


async def test_without_an_account_or_a_password_nothing_is_made(new_workspace: NewWorkspace) -> None:
    spare = await new_workspace(spare=True)
    assert await ordered(spare, order(NEW, replaces=OWNER)) is None
    assert await ordered(spare, None) is None
    assert await accounts(spare) == []
    assert await counted(spare) == 0


async def test_an_adopted_workspace_says_who_can_log_in(workspace: Workspace) -> None:
    known = {"email": OWNER, "created": False, "changed": False}
    assert await ordered(workspace, None) == known
    assert await ordered(workspace, order(NEW)) == known
    assert await accounts(workspace) == [(OWNER, "owner", 1)]


@pytest.mark.parametrize(
    "email", ["!#$%&'*+/=?^_`{|}~-@x.io", "..@1.2.abc", f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.co"]
)
async def test_any_address_that_a_tenant_may_have_logs_in(workspace: Workspace, email: str) -> None:
    await ordered(workspace, order(email, replaces=OWNER))
    await workspace.login(email)


async def test_a_new_name_or_address_of_the_workspace_is_in_the_audit_log_once(workspace: Workspace) -> None:
    for _ in range(2):
        assert (await workspace.tell(name="Rocket Ltd")).status_code == 200
    assert await audited(workspace) == [("workspace.update", "Rocket Ltd")]
