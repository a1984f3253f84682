"""Another e-mail address, with a real mail server."""

import secrets
from typing import Any

import httpx
import pytest
from integration.data_plane.test_links import Post, post, sink
from integration.data_plane.workspace import OWNER, PASSWORD

__all__ = ["post", "sink"]  # fixtures

EMAIL, CONFIRM = "/api/v1/me/email", "/api/v1/auth/email"


@pytest.fixture
async def grace(post: Post, owner: dict[str, str]) -> tuple[dict[str, str], str, str]:
    """A member's header, address, and the one that is to come."""
    number = secrets.token_hex(5)  # the mails of a tenant that a test before had are there as well
    old = f"grace-{number}@example.com"
    return await post.workspace.user(owner, "member", old), old, f"hopper-{number}@example.com"


async def ask(post: Post, who: dict[str, str], email: str, password: str = PASSWORD) -> httpx.Response:
    body = {"email": email, "current_password": password}
    return await post.client.post(EMAIL, json=body, headers=who)


async def confirm(post: Post, token: str) -> tuple[int, Any]:
    answer = await post.client.post(CONFIRM, json={"token": token})
    return answer.status_code, answer.json()["errors"][0]["field"] if answer.status_code == 422 else None


async def status(post: Post, email: str) -> int:
    login = {"email": email, "password": PASSWORD}
    return (await post.client.post("/api/v1/auth/login", json=login)).status_code


async def test_the_new_address_confirms_and_the_old_one_is_told(
    post: Post, grace: tuple[dict[str, str], str, str], owner: dict[str, str]
) -> None:
    who, old, new = grace
    assert (await ask(post, who, new.upper())).status_code == 202
    link = await post.link(new)
    assert "/confirm-email#" in link
    assert (await status(post, old), await status(post, new)) == (200, 401)
    assert await confirm(post, link) == (204, None)
    assert (await status(post, old), await status(post, new)) == (401, 200)
    assert new in await post.wait_for(old)
    assert await confirm(post, link) == (422, "token")
    assert (await post.client.get("/api/v1/me", headers=who)).json()["email"] == new
    entry = (await post.client.get("/api/v1/audit", params={"action": "user.change_email"}, headers=owner)).json()
    assert [(one["before"], one["after"]) for one in entry["items"]] == [({"email": old}, {"email": new})]


async def test_what_is_refused(post: Post, grace: tuple[dict[str, str], str, str], owner: dict[str, str]) -> None:
    who, old, new = grace
    for email, password, field in (
        ("nobody", PASSWORD, "email"),
        (old, PASSWORD, "email"),
        (new, "not the password", "current_password"),
    ):
        refused = await ask(post, who, email, password)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert (await ask(post, who, OWNER)).status_code == 409
    assert (await ask(post, owner, new)).status_code == 409, "the platform knows owners by their address"
    assert await confirm(post, "made-up") == (422, "token")


async def test_a_reset_password_ends_what_was_asked_for(post: Post, grace: tuple[dict[str, str], str, str]) -> None:
    who, old, new = grace
    assert (await ask(post, who, new)).status_code == 202
    link = await post.link(new)
    await post.forget(old)
    assert await post.choose(await post.link(old)) == 204
    assert await confirm(post, link) == (422, "token")


async def test_an_address_that_was_taken_meanwhile_stays_theirs(
    post: Post, grace: tuple[dict[str, str], str, str], owner: dict[str, str]
) -> None:
    who, old, new = grace
    assert (await ask(post, who, new)).status_code == 202
    link = await post.link(new)
    await post.workspace.user(owner, "viewer", new)
    assert (await post.client.post(CONFIRM, json={"token": link})).status_code == 409
    assert (await post.client.get("/api/v1/me", headers=who)).json()["email"] == old
