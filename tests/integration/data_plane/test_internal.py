import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.data_plane.workspace import OWNER, Workspace
from vivero_data.db.compatibility import HEAD
from vivero_data.db.database import Connection
from vivero_web.errors import NotSignedInError

PROOF = "/internal/v1/proof"


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic x"])
async def test_only_the_operator_comes_in(workspace: Workspace, header: str | None) -> None:
    headers = {"authorization": header} if header else {}
    assert (await workspace.client.get(PROOF, headers=headers)).status_code == 401
    said = {"name": "Mine now", "public_url": "https://evil.example"}
    assert (await workspace.client.put("/internal/v1/workspace", json=said, headers=headers)).status_code == 401


async def test_a_users_token_does_not_open_it(workspace: Workspace, owner: dict[str, str]) -> None:
    assert (await workspace.client.get(PROOF, headers=owner)).status_code == 401


async def test_the_proof_uses_every_service(workspace: Workspace) -> None:
    answer = await workspace.client.get(PROOF, headers=workspace.operator)
    body = answer.json()
    assert answer.status_code == 200
    assert body["ok"] is True
    assert body["schema"] == HEAD
    assert body["version"]
    assert all(body[name]["ok"] and body[name]["ms"] > 0 for name in ("database", "storage", "cache"))


async def test_the_proof_commits_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not used is not to change: what is committed is archived, and backed up at night."""
    said: list[str] = []
    real = Connection.execute

    async def noted(connection: Connection, statement: str, *values: Any) -> Any:  # noqa: ANN401  as the real one
        said.append(statement)
        return await real(connection, statement, *values)

    monkeypatch.setattr(Connection, "execute", noted)
    assert (await workspace.client.get(PROOF, headers=workspace.operator)).json()["ok"] is True
    (written,) = (number for number, one in enumerate(said) if one.startswith("INSERT INTO counters"))
    ends = [one for one in said[written:] if one in {"COMMIT", "ROLLBACK"}]
    assert ends[0] == "ROLLBACK"


@pytest.mark.parametrize("broken", ["database", "storage", "cache"])
async def test_a_proof_that_fails_says_where(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    services = workspace.app.state.services
    if broken == "database":
        monkeypatch.setattr(services.database, "_pool", None)
    elif broken == "storage":
        signer = services.storage._signer  # noqa: SLF001  a secret that has changed elsewhere
        monkeypatch.setattr(services.storage, "_signer", type(signer)(signer.access_key, "wrong", signer.region))
    else:
        monkeypatch.setattr(services.cache, "_prefix", "control:")
    for path in (PROOF, "/readyz"):
        answer = await workspace.client.get(path, headers=workspace.operator)
        if path == "/readyz" and broken == "cache":
            continue  # readiness only asks whether it answers
        body = answer.json()
        assert body.get("workspace") is None
        assert answer.status_code == 503
        assert body["ok"] is False
        assert {name for name in ("database", "storage", "cache") if not body[name]["ok"]} == {broken}
        assert body[broken]["problem"]
        assert "wrong" not in answer.text
    assert (await workspace.client.get("/healthz")).status_code == 200


def ticket(workspace: Workspace, key: Ed25519PrivateKey | None = None, **changes: Any) -> str:  # noqa: ANN401  any claim
    now = datetime.now(UTC)
    body = {
        "iss": "vivero-control-plane",
        "aud": workspace.settings.env.tenant_id,
        "sub": OWNER,
        "jti": "signup-1",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        **changes,
    }
    return jwt.encode(body, key or workspace.ticket_key, algorithm="EdDSA")


async def test_a_ticket_is_one_login(workspace: Workspace) -> None:
    tickets = workspace.app.state.services.tickets
    tokens = await tickets.redeem(ticket(workspace), "192.0.2.1")
    me = await workspace.client.get("/api/v1/me", headers={"authorization": f"Bearer {tokens.access_token}"})
    assert me.json()["email"] == OWNER
    with pytest.raises(NotSignedInError, match="used already"):
        await tickets.redeem(ticket(workspace, iat=datetime.now(UTC) - timedelta(seconds=5)), "192.0.2.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "otherworld"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"sub": "nobody@example.com"},
        {"key": Ed25519PrivateKey.generate()},
    ],
)
async def test_a_bad_ticket_is_refused_and_not_spent(workspace: Workspace, changes: dict[str, Any]) -> None:
    tickets = workspace.app.state.services.tickets
    with pytest.raises(NotSignedInError):
        await tickets.redeem(ticket(workspace, **changes), "192.0.2.1")
    assert await tickets.redeem(ticket(workspace), "192.0.2.1")


USAGE = "/internal/v1/usage"


async def test_the_control_plane_reads_what_counts_against_the_plan(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    asked = {"authorization": f"Bearer {ticket(workspace, aud=f'{workspace.settings.env.tenant_id}/usage')}"}
    for _ in range(2):
        answer = await workspace.client.get(USAGE, headers=asked)
        assert answer.status_code == 200
        none = {"imported": False, "has_api_key": False, "returned": False}
        counted = (await workspace.client.get("/api/v1/usage", headers=owner)).json()
        assert answer.json() == counted | {"signs": none}


async def test_it_says_what_has_been_done_with_the_workspace(workspace: Workspace, owner: dict[str, str]) -> None:
    asked = {"authorization": f"Bearer {ticket(workspace, aud=f'{workspace.settings.env.tenant_id}/usage')}"}
    await workspace.client.post("/api/v1/api-keys", json={"name": "Nightly import"}, headers=owner)

    async def signs() -> dict[str, bool]:
        found: dict[str, bool] = (await workspace.client.get(USAGE, headers=asked)).json()["signs"]
        return found

    assert await signs() == {"imported": False, "has_api_key": True, "returned": False}
    async with workspace.app.state.services.database.transaction() as tx:
        await tx.execute("UPDATE users SET created_at = created_at - INTERVAL 25 HOUR")
        await tx.execute(
            "INSERT INTO imports (user_id, created_by, collection_name, makes, file_id, file_name, file_size, state, asks,"
            " mode, dry_run, mapping) SELECT id, email, 'x', TRUE, 'x', 'x', 1, 'done', FALSE, 'insert', FALSE, '{}'"
            " FROM users LIMIT 1"
        )
    assert await signs() == {"imported": True, "has_api_key": True, "returned": True}


async def test_no_one_else_reads_it_and_its_question_logs_no_one_in(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    ours = workspace.settings.env.tenant_id
    login, other, late, forged = (
        ticket(workspace, **changes)
        for changes in (
            {},
            {"aud": "otherworld/usage"},
            {"aud": f"{ours}/usage", "exp": datetime(2026, 1, 1, tzinfo=UTC)},
            {"aud": f"{ours}/usage", "key": Ed25519PrivateKey.generate()},
        )
    )
    refused = [{"authorization": f"Bearer {one}"} for one in (login, other, late, forged, "", "x" * 5000)]
    for headers in (*refused, owner, workspace.operator, {}):
        assert (await workspace.client.get(USAGE, headers=headers)).status_code == 401
    with pytest.raises(NotSignedInError):
        await workspace.app.state.services.tickets.redeem(ticket(workspace, aud=f"{ours}/usage"), "192.0.2.1")


async def test_the_login_page_of_a_ticket(workspace: Workspace) -> None:
    good = ticket(workspace)
    # As from the control plane's page: another origin, which its referrer policy does not name.
    foreign = {"sec-fetch-site": "same-site", "origin": "null"}
    answer = await workspace.client.post("/login/ticket", data={"ticket": good}, headers=foreign)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    lines = answer.headers.get_list("set-cookie")
    assert {line.partition("=")[0] for line in lines} >= {"__Host-session", "__Host-refresh"}
    workspace.client.cookies.clear()  # with a session it would only lead home
    again = await workspace.client.post("/login/ticket", data={"ticket": good}, headers=foreign)
    assert again.status_code != 303 or again.headers["location"] != "/"


async def test_probes_at_once_share_one_answer(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, asked = workspace.app.state.services.storage, []
    ping = storage.ping

    async def counted() -> None:
        asked.append(1)
        await ping()

    monkeypatch.setattr(storage, "ping", counted)
    answers = await asyncio.gather(*(workspace.client.get("/readyz") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1
    assert (await workspace.client.get("/readyz")).status_code == 200
    assert len(asked) == 2
