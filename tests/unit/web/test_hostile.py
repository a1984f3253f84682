"""Odd requests to both programs with nothing behind them: whatever they are, no fault of ours comes of them."""

from pathlib import Path

import pytest
from litestar import Litestar
from support import good
from support.hostile import SEEDS, Program, misses, shots, some
from support.programs import (
    CONTACTS,
    DOMAIN,
    SOMEBODY,
    a_control_plane,
    a_workspace,
    member,
    operator,
    routes_of,
    staff,
)
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_data.lib.cookies import ACCESS, REFRESH
from vivero_data.web.page import NOTICE_COOKIE

SHARE = 400


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    return _of_a_workspace(a_workspace(tmp_path, monkeypatch))


def _of_a_workspace(app: Litestar) -> Program:
    return Program(
        app=app,
        host=DOMAIN,
        headers=lambda route: operator() if "/internal/" in route else member("owner"),
        values=lambda _: {
            "name": "Contacts",
            "record_id": "1",
            "collection_id": "1",
            "user_id": "1",
            "role_id": "1",
            "key_id": "1",
            "webhook_id": "1",
            "login_id": "1",
            "file_id": "a" * 26,
            "grant_id": "0" * 32,
            "workspace_id": "x",
            "file_path": "x.css",
        },
        bodies=good.workspace_bodies({field.name: field.id for field in CONTACTS.fields}),
        queries=good.WORKSPACE_QUERIES,
        cookies=(ACCESS, REFRESH, NOTICE_COOKIE, f"__Host-columns-{CONTACTS.id}"),
    )


@pytest.fixture
def control_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    return _of_a_control_plane(a_control_plane(tmp_path, monkeypatch))


def _of_a_control_plane(app: Litestar) -> Program:
    return Program(
        app=app,
        host=DOMAIN,
        headers=lambda _: staff(),
        values=lambda _: {
            "name": "acme",
            "which": "suspend",
            "signup_id": "0" * 32,
            "staff_id": SOMEBODY,
            "letter": "1",
            "number": "1",
            "tile": "signup",
            "ident": "abcdefghij",
            "file_path": "x.css",
        },
        bodies=good.CONTROL_BODIES,
        queries=good.CONTROL_QUERIES,
        cookies=(SESSION_COOKIE,),
    )


@pytest.fixture(params=["workspace", "control_plane"])
def program(request: pytest.FixtureRequest) -> Program:
    made: Program = request.getfixturevalue(request.param)
    return made


def test_every_body_that_somebody_reads_is_known_here(program: Program) -> None:
    routes = {str(route) for route in routes_of(program.app)}
    assert set(program.bodies) <= routes
    silent = (
        *(
            "logout",
            "/account/portal",
            "/account/leave",
            "/account/keep",
            "/account/resume",
            "/account/pause/take-back",
            "/usage/plan",
            "/delete",
            "/replay",
            "/resend",
            "/{staff_id}/invitation",
            "activate",
            "/quotes/{quote}/send",
            "/no-payment",
            "/withdraw",
            "/revoke",
            "/end-others",
        ),
        *("/end", "/undo", "/api/v1/trash/{entry_id}/restore", "/secret", "/hide", "/home", "/templates/{name}"),
        *(
            "/users/{user_id}/second-factor",
            "/people/{staff_id}/second-factor",
            "/favourite",
            "/copy",
            "/audit/verification",
            "/workspace-exports",
            "/workspace-export",
        ),
        "/stop-mails/{mailing}",
        *("/files", "/imports", "/imports/new"),  # forms with a file
    )
    reading = {route for route in routes if route.split(" ")[0] in {"POST", "PUT", "PATCH"}}
    reading.discard("POST /api/v1/invitations/{user_id}")
    assert {route for route in reading if not route.endswith(silent)} <= set(program.bodies)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_odd_request_is_a_fault_of_ours(program: Program, seed: int) -> None:
    assert await misses(program, some(shots(program), seed, SHARE), away=True) == []


@pytest.mark.full
async def test_none_of_them_all(program: Program) -> None:
    assert await misses(program, shots(program), away=True) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_nor_is_one_of_a_stranger(program: Program, seed: int) -> None:
    nobody = Program(
        program.app, program.host, lambda _: (), program.values, program.bodies, program.queries, program.cookies
    )
    assert await misses(nobody, some(shots(nobody), seed, SHARE), away=True) == []
