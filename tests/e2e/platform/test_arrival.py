"""A signup that is ready is reached: by the very first request on a new connection, and by a browser that comes at once."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import Kubectl
from e2e.conftest import opened
from e2e.control_plane.conftest import Person, somebody
from e2e.waiting import wait_until
from integration.control_plane.leftovers import erase_signups
from playwright.sync_api import Browser, expect
from vivero_dev.localhost import local_client

pytestmark = pytest.mark.alone  # any signup takes its spares

POOL = {
    "apiVersion": "vivero.dev/v1alpha1",
    "kind": "TenantPool",
    "metadata": {"name": "arrival"},
    "spec": {"plan": "trial", "size": 3},
}
FILL_SECONDS = 90
SIGNUP_SECONDS = 60
LOOK_SECONDS = 0.01
SIGNUPS = 10


@pytest.fixture(scope="module")
def _pool(kubectl: Kubectl) -> Iterator[None]:
    """Spares for as many as they last: their routes are the newest when they are ready."""
    kubectl("apply", "-f", "-", given=json.dumps(POOL))
    wait_until(lambda: '"ready":3' in kubectl("get", "vpool", "arrival", "-o", "jsonpath={.status}"), FILL_SECONDS, "3")
    yield
    kubectl("delete", "tenantpool", "arrival")


@pytest.fixture
def people(platform: dict[str, Any]) -> Iterator[list[Person]]:
    made = [somebody() for _ in range(SIGNUPS)]
    yield made
    erase_signups(Path(platform["kubeconfig"]), [one.slug for one in made])


def signed_up(authority: Path, home: str, person: Person) -> dict[str, Any]:
    """The signup as a program sees it the moment it is ready."""
    with local_client(authority, timeout=30) as client:
        order = asdict(person)
        answer = client.post(f"{home}/api/v1/signups", json=order)
        assert answer.status_code == 202, answer.text
        view: dict[str, Any] = answer.json()
        bearer = {"Authorization": f"Bearer {view['bearer']}"}
        ends = time.monotonic() + SIGNUP_SECONDS
        while view["state"] != "ready":
            assert time.monotonic() < ends, view
            time.sleep(LOOK_SECONDS)
            view = client.get(f"{home}/api/v1/signups/{view['id']}", headers=bearer).json()
    return view


def answer_of(authority: Path, person: Person, view: dict[str, Any]) -> httpx.Response:
    """The one answer to the one request that is made, on a connection of its own."""
    with local_client(authority, timeout=30) as client:
        who = {"email": person.email, "password": person.password}
        return client.post(f"{view['tenant']['url']}/api/v1/auth/login", json=who)


@pytest.mark.usefixtures("_pool")
def test_a_ready_workspace_answers_the_first_request_and_the_first_click(
    platform: dict[str, Any], people: list[Person], browser: Browser
) -> None:
    """Programs and browsers in turn; none of them tries twice."""
    authority, home = Path(platform["ca"]), platform["control_plane_url"].rstrip("/")
    for number, person in enumerate(people):
        view = signed_up(authority, home, person)
        if number % 2:
            with opened(browser) as context:
                page = context.new_page()
                page.goto(view["login_url"])
                page.wait_for_url(re.compile(rf"^https://{person.slug}\.[^/]+/$"))
                expect(page.get_by_text(person.company).first).to_be_visible()
        else:
            answer = answer_of(authority, person, view)
            assert answer.status_code == 200, f"signup {number}: {answer.status_code} {answer.text[:200]}"


def test_the_control_planes_own_answer_is_not_taken_for_a_workspace(platform: dict[str, Any]) -> None:
    """Its wildcard route answers the same path at every host that has none."""
    host = platform["control_plane_url"].replace("https://", f"https://nobody-{secrets.token_hex(4)}.")
    with local_client(Path(platform["ca"])) as client:
        assert client.get(f"{host}/healthz/abcdefghij").status_code == 404
