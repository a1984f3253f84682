"""Where two-step login is required, who has not set it up can do nothing else: every route of staff, pages and API."""

from collections import defaultdict
from pathlib import Path

import pytest
from litestar import Litestar
from support.asgi import ask
from support.programs import DOMAIN, SOMEBODY, Route, a_control_plane, routes_of, staff
from support.schema_cases import document_of
from vivero_control.domain.staff.guards import SETS_UP
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.sessions import StaffSessions
from vivero_control.domain.staff.tokens import StaffTokens
from vivero_control.web.staff_shell import SECURITY

WITHOUT_LOGIN = ("/staff/login", "/staff/logout", "/staff/forgotten-password")
VALUES = {"name": "acme", "which": "suspend", "operation": "x", "staff_id": SOMEBODY}
VALUES |= {"tile": "signup", "ident": "abcdefghij", "signup_id": "0" * 32}
"""What is not here is a number."""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    made = a_control_plane(tmp_path, monkeypatch)
    lacking = StaffView(id=SOMEBODY, email="ada@vivero.example", role="admin", lacks_second_factor=True)

    async def read(*_: object) -> StaffView:
        return lacking

    monkeypatch.setattr(StaffSessions, "read", read)
    monkeypatch.setattr(StaffTokens, "holder", read)
    return made


async def of_staff(app: Litestar) -> list[Route]:
    """Pages by their address, the API's as its document has them."""
    paths = (await document_of(app, DOMAIN))["paths"]

    def is_theirs(route: Route) -> bool:
        if route.is_page:
            return route.path.startswith("/staff/") and not route.path.startswith(WITHOUT_LOGIN)
        ways = paths.get(route.path, {}).get(route.method.lower(), {}).get("security", [])
        return any("staff" in way for way in ways)

    return [route for route in routes_of(app) if route.method not in {"OPTIONS", "HEAD"} and is_theirs(route)]


async def test_nothing_else_opens_and_no_body_is_read(app: Litestar) -> None:
    routes = await of_staff(app)
    closed = [route for route in routes if not SETS_UP.items() <= route.handler.opt.items()]
    assert len(closed) > 60
    assert len(routes) - len(closed) == 10, "five of the page and five of the API"
    for route in closed:
        headers = [*staff(), ("accept", "text/html" if route.is_page else "application/json")]
        path = route.path.format_map(defaultdict(lambda: "1", VALUES))
        answer = await ask(app, route.method, path, headers, [b"{}"], DOMAIN)
        assert answer.taken == 0, str(route)
        if route.is_page:
            assert (answer.status, dict(answer.headers)[b"location"]) == (303, SECURITY.encode()), str(route)
        else:
            assert answer.status == 403, str(route)
            assert b"second-factor-required" in answer.body, str(route)
