"""Support access: the platform's staff look at a workspace by leave of its owner, and change nothing in it."""

import secrets
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pymysql
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.data_plane.conftest import NOWHERE
from integration.data_plane.workspace import HOST, Workspace
from support.asgi import ask
from support.hostile import Program
from support.programs import routes_of
from unit.web.test_bodies import PUBLIC
from vivero_data.domain.auth.guards import ENDS
from vivero_data.domain.tickets.service import TicketSpentError
from vivero_data.lib.cookies import ACCESS, REFRESH
from vivero_web.errors import NotSignedInError
from vivero_web.tokens import TICKET_ISSUER

ADA = "ada@vivero.example"
NOTES = ("support_sessions", "spent_tickets", "audit_log")
"""What a session writes itself: that it began."""


def ticket(workspace: Workspace, key: Ed25519PrivateKey | None = None, **changes: Any) -> str:  # noqa: ANN401  any claim
    now = datetime.now(UTC)
    body = {
        "iss": TICKET_ISSUER,
        "aud": f"{workspace.settings.env.tenant_id}/support",
        "sub": ADA,
        "jti": secrets.token_hex(16),
        "iat": now,
        "exp": now + timedelta(minutes=10),
        "grant": "0" * 32,
        "role": "viewer",
        "until": int((now + timedelta(hours=1)).timestamp()),
        **changes,
    }
    return jwt.encode(body, key or workspace.ticket_key, algorithm="EdDSA")


async def enter(workspace: Workspace, **changes: Any) -> dict[str, str]:  # noqa: ANN401  any claim
    tokens = await workspace.app.state.services.support.enter(ticket(workspace, **changes))
    assert tokens.refresh_token == ""
    return {"authorization": f"Bearer {tokens.access_token}"}


async def status(workspace: Workspace, who: dict[str, str], path: str = "/api/v1/collections") -> int:
    return (await workspace.client.get(path, headers=who)).status_code


async def test_the_page_lets_in_and_everybody_sees_that(workspace: Workspace, owner: dict[str, str]) -> None:
    assert "Support access" in (await workspace.client.get("/login/support")).text
    good = ticket(workspace)
    same = {"sec-fetch-site": "same-origin"}
    answer = await workspace.client.post("/login/support", data={"ticket": good}, headers=same)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert REFRESH not in answer.headers["set-cookie"], "it is not extended"
    page = (await workspace.client.get("/")).text
    assert "You look at this workspace for support" in page
    again = await workspace.client.post("/login/support", data={"ticket": good}, headers=same)
    assert again.status_code == 401
    workspace.client.cookies.clear()
    mine = (await workspace.client.get("/", headers={"cookie": f"{ACCESS}={owner['authorization'].split()[1]}"})).text
    assert "Support looks at this workspace right now" in mine
    assert ADA in mine
    entries = (await workspace.client.get("/api/v1/audit", headers=owner)).json()["items"]
    assert (entries[0]["actor"], entries[0]["action"]) == (f"{ADA} (support of the platform)", "support.start")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "abcdefghij/support"},
        {"iss": "somebody"},
        {"role": "owner"},
        {"role": "member"},
        {"grant": "x"},
        {"grant": None},
        {"until": "soon"},
        {"exp": datetime.now(UTC) - timedelta(minutes=5)},
        {"exp": datetime.now(UTC) + timedelta(hours=5)},
        {"key": Ed25519PrivateKey.generate()},
        {"until": int(datetime.now(UTC).timestamp()) - 1},
    ],
    ids=str,
)
async def test_a_bad_ticket_lets_nobody_in(workspace: Workspace, changes: dict[str, Any]) -> None:
    with pytest.raises(NotSignedInError):
        await workspace.app.state.services.support.enter(ticket(workspace, **changes))


async def test_no_ticket_is_for_two_things(workspace: Workspace) -> None:
    services, ours = workspace.app.state.services, workspace.settings.env.tenant_id
    good = ticket(workspace)
    await services.support.enter(good)
    with pytest.raises(TicketSpentError):
        await services.support.enter(good)
    with pytest.raises(NotSignedInError):
        await services.tickets.redeem(ticket(workspace), "192.0.2.1")
    for purpose in ("", "/usage", "/support-end"):
        with pytest.raises(NotSignedInError):
            await services.support.enter(ticket(workspace, aud=f"{ours}{purpose}"))


async def test_it_ends_by_itself_at_the_second(workspace: Workspace, admin_sql: pymysql.Connection) -> None:
    who = await enter(workspace)
    assert await status(workspace, who) == 200
    with admin_sql.cursor() as cursor:
        schema = workspace.settings.database.name
        cursor.execute(f"UPDATE `{schema}`.support_sessions SET expires_at = CURRENT_TIMESTAMP(6)")  # noqa: S608  our own name
    assert await status(workspace, who) == 401


async def test_its_owner_ends_it_and_no_ticket_of_before_opens_anything(workspace: Workspace) -> None:
    grant, other = "a" * 32, "b" * 32
    who, others, unused = (
        await enter(workspace, grant=grant),
        await enter(workspace, grant=other),
        ticket(workspace, grant=grant),
    )
    path, ours = f"/internal/v1/support-grants/{grant}", workspace.settings.env.tenant_id
    for wrong in ({}, who, workspace.operator, {"authorization": f"Bearer {ticket(workspace, aud=f'{ours}/usage')}"}):
        assert (await workspace.client.delete(path, headers=wrong)).status_code == 401
    assert await status(workspace, who) == 200
    asked = {"authorization": f"Bearer {ticket(workspace, aud=f'{ours}/support-end')}"}
    assert (await workspace.client.delete(path, headers=asked)).status_code == 204
    assert (await workspace.client.delete(path, headers=asked)).status_code == 204
    assert (await status(workspace, who), await status(workspace, others)) == (401, 200)
    with pytest.raises(NotSignedInError, match="ended the access"):
        await workspace.app.state.services.support.enter(unused)


async def test_who_leaves_is_out(workspace: Workspace) -> None:
    who = await enter(workspace)
    assert (await workspace.client.post("/api/v1/auth/logout", headers=who, json={})).status_code == 204
    assert await status(workspace, who) == 401


@pytest.mark.parametrize(("role", "log"), [("viewer", 403), ("admin", 200)])
async def test_what_it_sees_is_the_roles(workspace: Workspace, role: str, log: int) -> None:
    who = await enter(workspace, role=role)
    assert await status(workspace, who) == 200
    assert await status(workspace, who, "/api/v1/audit") == log


@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_it_changes_nothing_whatever_it_sends_to_any_route(
    workspace: Workspace, program: Program, admin_sql: pymysql.Connection, role: str
) -> None:
    who = await enter(workspace, role=role)
    before = checksums(admin_sql, workspace)
    refused = 0
    for route in routes_of(program.app):
        name = str(route)
        if name in PUBLIC or route.path.startswith("/internal/") or ENDS.items() <= route.handler.opt.items():
            continue
        token = who["authorization"].split()[1]
        headers = [("cookie", f"{ACCESS}={token}"), ("sec-fetch-site", "same-origin")]
        headers = headers if route.is_page else [("authorization", who["authorization"])]
        address = route.path.format_map(defaultdict(lambda: "1", {**NOWHERE, **program.values(name)}))
        answer = await ask(program.app, route.method, address, headers, [b"{}"] if route.method != "GET" else [], HOST)
        assert answer.status < 500, name
        if route.method not in {"GET", "HEAD", "OPTIONS"}:
            refused += 1
            assert (answer.status, answer.taken) == (403, 0), name
    assert refused > 100
    assert checksums(admin_sql, workspace) == before


def checksums(admin_sql: pymysql.Connection, workspace: Workspace) -> dict[str, Any]:
    """Of every table of the workspace, but for what says that somebody has entered; of jobs what they are to do.

    How far a job is, its runner writes, which goes on beside the test.
    """
    schema = workspace.settings.database.name
    with admin_sql.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema,))
        names = [str(row[0]) for row in cursor.fetchall() if row[0] not in {*NOTES, "jobs"}]
        cursor.execute("CHECKSUM TABLE " + ", ".join(f"`{schema}`.`{name}`" for name in names))
        found: dict[str, Any] = dict(cursor.fetchall())
        cursor.execute(f"SELECT id, kind, subject, work, user_id FROM `{schema}`.jobs ORDER BY id")  # noqa: S608  a name of ours
        return found | {"jobs": cursor.fetchall()}
