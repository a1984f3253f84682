"""A workspace's host without a running workspace: 404 or 503 on every path and method, for browsers and programs."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from integration.control_plane.support import DOMAIN, Names, eventually
from vivero_core.backends.kube.client import KubeClient
from vivero_ui.assets import asset

PATHS = (
    "/",
    "/healthz",
    "/healthz/abcdefghij",
    "/readyz",
    "/metrics",
    "/static/nothing.css",
    "/api/v1/plans",
    "/api/v1/nowhere",
    "/schema",
    "/signup",
    "/staff/login",
    "/internal/v1/proof",
    "//",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
STATUS = {"starting": 503, "suspended": 503, "unknown": 404, "address": 404, "none": 404}


@pytest.fixture
async def hosts(kube: KubeClient, names: Names, client: httpx.Client) -> dict[str, str]:
    """A host for each state; a plan that does not exist keeps a Tenant from becoming ready."""
    chosen = {"starting": names.new(), "suspended": names.new()}
    for state, slug in chosen.items():
        spec: dict[str, Any] = {
            "displayName": f"Company {slug}",
            "slug": slug,
            "plan": "no-such-plan",
            "owner": {"email": "owner@example.com"},
        }
        if state == "suspended":
            spec["suspended"] = {"reason": "Unpaid", "message": "Please pay."}
        body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": slug}, "spec": spec}
        await kube.create(body)

    def known() -> bool:
        at = [client.get("/", headers={"Host": f"{slug}.{DOMAIN}:8443"}).status_code for slug in chosen.values()]
        return at == [503, 503]

    await asyncio.to_thread(eventually, known)
    return {state: f"{slug}.{DOMAIN}:8443" for state, slug in chosen.items()} | {
        "unknown": f"nobody-has-this.{DOMAIN}",
        "address": "10.244.0.7:8080",
        "none": "",
    }


async def test_every_path_and_method_of_an_unknown_host_is_404(client: httpx.Client, hosts: dict[str, str]) -> None:
    for state, host in hosts.items():
        for path in (*PATHS, asset("app.css")):
            for method in METHODS:
                for accept in (BROWSER, {"Accept": "application/json"}, {}):
                    answer = client.request(method, path, headers={"Host": host, **accept})
                    assert answer.status_code == STATUS[state], f"{method} {path} at {host}"
                    assert answer.headers["cache-control"] == "no-store"
                    assert "access-control-allow-origin" not in answer.headers


async def test_a_request_to_upgrade_is_answered_like_any_other(client: httpx.Client, hosts: dict[str, str]) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    for state, host in hosts.items():
        assert client.get("/", headers={"Host": host, **upgrade}).status_code == STATUS[state]


async def test_programs_get_a_problem_and_browsers_a_page(client: httpx.Client, hosts: dict[str, str]) -> None:
    for state, host in hosts.items():
        for path, accept in (("/x", {"Accept": "application/json"}), ("/x", {}), ("/api/v1/me", BROWSER)):
            answer = client.get(path, headers={"Host": host, **accept})
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert (body["status"], bool(body["title"]), bool(body["detail"])) == (STATUS[state], True, True)
            assert ("retry-after" in answer.headers) == (state == "starting")
        page = client.get("/any/page", headers={"Host": host, **BROWSER})
        assert page.headers["content-type"].startswith("text/html")
        assert ("retry-after" in page.headers) == (state == "starting")
        assert "/static/" not in page.text
        assert re.search(r"style-src 'sha256-[^']+'", page.headers["content-security-policy"])
        assert page.headers["x-frame-options"] == "DENY"
    assert "Please pay." in client.get("/", headers={"Host": hosts["suspended"], **BROWSER}).text
    assert "Please pay." in client.get("/", headers={"Host": hosts["suspended"]}).json()["detail"]


async def test_the_control_planes_own_host_is_not_affected(client: httpx.Client) -> None:
    statuses: Callable[[str], int] = lambda path: client.get(path).status_code  # noqa: E731  three words
    assert [statuses(path) for path in ("/healthz", "/readyz", asset("app.css"), "/metrics")] == [200, 200, 200, 404]
