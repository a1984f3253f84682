"""A warm pool: spares are complete and nobody's, a signup takes one, the pool fills up again and empties itself."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import Kubectl, condition, status_of
from e2e.control_plane.conftest import sign_up, somebody
from e2e.waiting import wait_until
from integration.control_plane.leftovers import erase_signups
from playwright.sync_api import Page, expect
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.model import naming
from vivero_dev.localhost import local_client

pytestmark = pytest.mark.alone  # any signup takes its spares

POOL = "e2e"
SIZE = 2
FILL_SECONDS = 90


def pool(size: int) -> dict[str, Any]:
    spec = {"plan": "trial", "size": size}
    return {"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantPool", "metadata": {"name": POOL}, "spec": spec}


def spares(kubectl: Kubectl) -> dict[str, dict[str, Any]]:
    found = json.loads(kubectl("get", "tenants", "-l", f"vivero.dev/pool={POOL}", "-o", "json"))["items"]
    return {one["metadata"]["name"]: one for one in found if "slug" not in one["spec"]}


def is_full(kubectl: Kubectl) -> bool:
    """Every spare is ready now; the pool's own status is allowed some seconds."""
    return sum("provenAt" in one.get("status", {}) for one in spares(kubectl).values()) == SIZE


def status(kubectl: Kubectl) -> dict[str, Any]:
    found: dict[str, Any] = status_of(kubectl, "tenantpool", POOL)
    return found


@pytest.fixture(scope="module")
def full_pool(kubectl: Kubectl) -> Iterator[None]:
    kubectl("apply", "-f", "-", given=json.dumps(pool(SIZE)))
    wait_until(lambda: status(kubectl).get("ready") == SIZE, FILL_SECONDS, "a full pool")
    yield
    kubectl("delete", "tenantpool", POOL, "--ignore-not-found")
    wait_until(lambda: not spares(kubectl), FILL_SECONDS, "the end of all spares")


@pytest.fixture
def client(platform: dict[str, Any]) -> Iterator[httpx.Client]:
    with local_client(Path(platform["ca"]), timeout=30) as one:
        one.headers["Connection"] = "close"
        yield one


@pytest.fixture
def database(platform: dict[str, Any]) -> Iterator[MariaDbAdmin]:
    maria = platform["mariadb"]
    server = Server(maria["host"], int(maria["port"]), Path(maria["ca"]).read_text())
    admin = MariaDbAdmin(server, Credentials(maria["admin_user"], maria["admin_password"]))
    yield admin
    admin.close()


@pytest.mark.usefixtures("full_pool")
def test_a_spare_is_proven_and_has_no_way_in(kubectl: Kubectl) -> None:
    waiting = spares(kubectl)
    assert waiting
    for name, one in waiting.items():
        assert condition(kubectl, name, "Ready")["message"] == "Spare, waiting to be claimed"
        assert "url" not in one["status"]
        namespace = naming.namespace_name(one["status"]["id"])
        assert json.loads(kubectl("get", "ingress", "-n", namespace, "-o", "json"))["items"] == []
        (pod,) = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
        assert pod["status"]["phase"] == "Running"


@pytest.mark.usefixtures("full_pool")
def test_a_signup_takes_a_spare_with_its_running_pod_and_the_pool_fills_up_again(
    kubectl: Kubectl, client: httpx.Client, platform: dict[str, Any]
) -> None:
    before = spares(kubectl)
    who = {"email": f"{secrets.token_hex(4)}@pool.example", "password": secrets.token_urlsafe(16)}
    slug = f"pooled-{secrets.token_hex(4)}"
    base = platform["control_plane_url"]
    answer = client.post(f"{base}/api/v1/signups", json={"company": "Pooled & Söhne", "slug": slug, **who})
    assert answer.status_code == 202
    signup = answer.json()
    name = signup["tenant"]["name"]
    try:
        assert name in before
        assert signup["tenant"]["slug"] == slug
        kubectl("wait", "--for=condition=OwnerReady", f"tenant/{name}", "--timeout=60s")
        claimed = json.loads(kubectl("get", "tenant", name, "-o", "json"))
        namespace = naming.namespace_name(claimed["status"]["id"])
        (pod,) = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
        assert pod["metadata"]["creationTimestamp"] < claimed["spec"]["claimedAt"]
        login = logged_in(client, claimed["status"]["url"], who)
        me = client.get(f"{claimed['status']['url']}/api/v1/me", headers={"Authorization": f"Bearer {login}"})
        assert me.json()["email"] == who["email"]
        assert "Pooled &amp; Söhne" in client.get(f"{claimed['status']['url']}/login").text
        wait_until(lambda: is_full(kubectl), FILL_SECONDS, "a pool that is full again")
        assert name not in spares(kubectl)
    finally:
        kubectl("patch", "tenant", name, "--type=merge", "-p", '{"spec":{"deletionPolicy":"Delete"}}')
        kubectl("delete", "tenant", name, "--timeout=60s")


@pytest.mark.usefixtures("full_pool")
def test_a_browser_ends_inside_a_workspace_that_was_waiting(
    page: Page, platform: dict[str, Any], kubectl: Kubectl
) -> None:
    """Not at the page for hosts without a workspace, though the route is younger than the browser is quick."""
    wait_until(lambda: is_full(kubectl), FILL_SECONDS, "a full pool")
    person = somebody()
    sign_up(page, platform["control_plane_url"], person)
    try:
        page.wait_for_url(re.compile(rf"^https://{person.slug}\.[^/]+/$"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found = json.loads(kubectl("get", "tenants", "-l", f"vivero.dev/pool={POOL}", "-o", "json"))["items"]
        assert person.slug in {one["spec"].get("slug") for one in found}
    finally:
        erase_signups(Path(platform["kubeconfig"]), [person.slug])


def logged_in(client: httpx.Client, url: str, who: dict[str, str]) -> str:
    """The access token; the route takes a moment to reach the proxy."""
    answers: list[httpx.Response] = []

    def opens() -> bool:
        answers.append(client.post(f"{url}/api/v1/auth/login", json=who))
        return answers[-1].is_success

    wait_until(opens, 60, "a login at the new workspace")
    token: str = answers[-1].json()["access_token"]
    return token


@pytest.mark.usefixtures("full_pool")
def test_a_smaller_pool_gives_up_spares_with_all_they_hold(kubectl: Kubectl, database: MariaDbAdmin) -> None:
    wait_until(lambda: is_full(kubectl), FILL_SECONDS, "a full pool")
    databases = {naming.database_name(one["status"]["id"]) for one in spares(kubectl).values()}
    assert databases <= set(database.tenant_databases())
    kubectl("patch", "tenantpool", POOL, "--type=merge", "-p", '{"spec":{"size":0}}')
    wait_until(lambda: not spares(kubectl), FILL_SECONDS, "the end of all spares")
    assert not databases & set(database.tenant_databases())
    assert kubectl("get", "vpool", POOL, "--no-headers").split()[1] == "True"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"plan": "trial", "size": -1}, "spec.size"),
        ({"plan": "trial", "size": 1001}, "spec.size"),
        ({"plan": "Gold Plan", "size": 1}, "spec.plan"),
        ({"size": 1}, "spec.plan: Required"),
    ],
)
def test_a_wrong_pool_is_refused(kubectl: Kubectl, spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps({**pool(1), "spec": spec}))
