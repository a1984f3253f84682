"""A workspace whose pods are down: visitors and programs get our waiting page, not the error of the proxy."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from e2e.cluster import Kubectl, status_of
from e2e.waiting import wait_until
from playwright.sync_api import Page, expect
from vivero_core.model.constants import ANNOTATION_PAUSED
from vivero_core.model.naming import namespace_name

DEPLOYMENT = "deployment/app"
AWAY_SECONDS = 60
BACK_SECONDS = 60
BROWSER = {"Accept": "text/html"}
PROXYS_WORDS = ("no healthy upstream", "upstream connect error", "delayed connect error")
OURS = "This workspace does not answer right now"


@pytest.fixture
def scale(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[Callable[[int], None]]:
    """Set how many pods the demo tenant has; the operator lets it be, as a person may want for an hour."""
    name = platform["demo_tenant"]["name"]
    namespace = namespace_name(status_of(kubectl, "tenant", name)["id"])

    def to(replicas: int) -> None:
        kubectl("scale", DEPLOYMENT, "-n", namespace, f"--replicas={replicas}")

    kubectl("annotate", "tenant", name, f"{ANNOTATION_PAUSED}=true", "--overwrite")
    yield to
    to(1)
    kubectl("annotate", "tenant", name, f"{ANNOTATION_PAUSED}-")
    kubectl("rollout", "status", DEPLOYMENT, "-n", namespace, f"--timeout={BACK_SECONDS}s")


def test_while_no_pod_answers_the_page_is_ours(
    scale: Callable[[int], None], workspace: httpx.Client, platform: dict[str, Any], page: Page
) -> None:
    scale(0)
    wait_until(lambda: OURS in workspace.get("/", headers=BROWSER).text, AWAY_SECONDS, "our page")
    for method, path in (("GET", "/"), ("POST", "/login"), ("GET", "/static/app.css"), ("GET", "/healthz")):
        answer = workspace.request(method, path, headers=BROWSER)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert not [words for words in PROXYS_WORDS if words in answer.text]
    problem = workspace.get("/api/v1/me")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 503

    page.goto(platform["demo_tenant"]["url"])
    expect(page.get_by_role("heading", name=OURS)).to_be_visible()
    scale(1)
    # It looks again by itself, on the connection that it has.
    expect(page.get_by_role("button", name="Log in")).to_be_visible(timeout=BACK_SECONDS * 1000)
    assert urlsplit(page.url).hostname == urlsplit(platform["demo_tenant"]["url"]).hostname
    # From now on nothing of ours is in the way.
    assert {workspace.get("/readyz").status_code for _ in range(20)} == {200}
