"""The signup API: progress by id, login with the bearer."""

import base64
import hashlib
import json
from collections.abc import Iterator

import pytest
from litestar import Litestar, Router
from litestar.testing import TestClient
from support.counting import unlimited
from unit.control_plane_web.fakes import NOW, FakeSignups, signup
from vivero_control.domain.signups.controllers import SignupController
from vivero_control.domain.signups.work import Work
from vivero_control.services import provide
from vivero_web.counts import LocalCounts
from vivero_web.limiter import Limiter
from vivero_web.problem import Answers

BODY = {"company": "Acme", "email": "ada@acme.example", "password": "seven green bottles"}


@pytest.fixture
def api() -> Iterator[TestClient[Litestar]]:
    signups = FakeSignups()
    signups.view = signup(7, "ready")
    routes = Router("/api/v1", route_handlers=[SignupController])
    provided = {"signups": signups, "work": Work(b"k" * 32, Limiter(LocalCounts()), 3, lambda: NOW)}
    app = Litestar(
        [routes],
        dependencies={name: provide(one) for name, one in provided.items()},
        exception_handlers={Exception: Answers(None).to},
    )
    app.asgi_handler = unlimited().around(app.asgi_handler)
    with TestClient(app) as made:
        yield made


def shown(api: TestClient[Litestar], **headers: str) -> list[dict[str, object]]:
    """The signup from GET, and from the last event."""
    events = api.get("/api/v1/signups/5f2c/events", headers=headers).text
    data = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
    return [api.get("/api/v1/signups/5f2c", headers=headers).json(), json.loads(data[-1])]


def test_the_bearer_is_in_the_answer_and_not_in_the_address(api: TestClient[Litestar]) -> None:
    answer = api.post("/api/v1/signups", json=BODY)
    assert answer.status_code == 202
    assert answer.json()["bearer"] == FakeSignups.bearer
    assert answer.headers["location"] == "/api/v1/signups/5f2c"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_bearer_gets_the_login(api: TestClient[Litestar], scheme: str) -> None:
    for view in shown(api, Authorization=f"{scheme} {FakeSignups.bearer}"):
        assert str(view["login_url"]).endswith("/login/ticket#t1ck3t")


@pytest.mark.parametrize("sent", ["", FakeSignups.bearer, f"Basic {FakeSignups.bearer}", "Bearer", "Bearer 5f2c"])
def test_without_the_bearer_only_the_progress_is_visible(api: TestClient[Litestar], sent: str) -> None:
    for view in shown(api, **({"Authorization": sent} if sent else {})):
        assert view["state"] == "ready"
        assert not {"login_url", "bearer"} & set(view)


def test_a_network_that_signs_up_often_is_asked_for_a_proof(api: TestClient[Litestar]) -> None:
    for _ in range(3):
        assert api.post("/api/v1/signups", json=BODY).status_code == 202
    assert api.post("/api/v1/signups", json=BODY).status_code == 428
    challenge = api.get("/api/v1/signups/challenge").json()
    number = next(
        number
        for number in range(challenge["maxnumber"])
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]
    )
    parts = ("algorithm", "challenge", "salt", "signature")
    solved = {part: challenge[part] for part in parts} | {"number": number}
    proof = base64.b64encode(json.dumps(solved).encode()).decode()
    assert api.post("/api/v1/signups", json={**BODY, "proof": proof}).status_code == 202
    assert api.post("/api/v1/signups", json={**BODY, "proof": proof}).status_code == 428
