import pytest
from litestar import Litestar, get, post
from litestar.testing import TestClient
from vivero_ui.security import CONTENT_SECURITY_POLICY, is_same_origin, same_origin_guard, security_headers
from vivero_ui.static import static_router


@get("/", sync_to_thread=False)
def page() -> str:
    return "page"


@post("/", guards=[same_origin_guard], sync_to_thread=False)
def form() -> str:
    return "done"


@get("/own", sync_to_thread=False, response_headers={"referrer-policy": "no-referrer"})
def own() -> str:
    return "own"


def client(*, hsts: bool = False) -> TestClient[Litestar]:
    app = Litestar([page, form, own, static_router()], before_send=[security_headers(hsts=hsts)])
    return TestClient(app, base_url="https://vivero.test:8443")


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_every_answer_carries_the_headers_also_a_404(path: str) -> None:
    answer = client().get(path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_hsts_on_request() -> None:
    assert "max-age=31536000" in client(hsts=True).get("/").headers["strict-transport-security"]


def test_a_handlers_own_header_wins() -> None:
    assert client().get("/own").headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),  # another tenant's host is same-site
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://vivero.test:8443"}, True),
        ({"origin": "https://acme.vivero.test:8443"}, False),
        ({"origin": "https://vivero.test"}, False),
        ({"origin": "null"}, False),
        ({}, False),
        # What the browser itself says beats what could be an old header.
        ({"sec-fetch-site": "cross-site", "origin": "https://vivero.test:8443"}, False),
    ],
)
def test_forms_are_accepted_from_our_own_pages_only(headers: dict[str, str], *, allowed: bool) -> None:
    assert client().post("/", headers=headers).status_code == (201 if allowed else 403)


def test_reading_needs_no_origin() -> None:
    assert is_same_origin("GET", {})
    assert is_same_origin("HEAD", {"sec-fetch-site": "cross-site"})


def test_static_files_are_cached_for_thirty_days() -> None:
    from vivero_ui.assets import asset  # noqa: PLC0415  next to its one use

    answer = client().get(asset("app.css"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "max-age=2592000, public, immutable"
    assert answer.headers["content-type"].startswith("text/css")


def test_static_serves_no_listing_and_nothing_above() -> None:
    for path in ("/static/", "/static/../assets.py", "/static/%2e%2e/assets.py"):
        assert client().get(path).status_code in {403, 404}
