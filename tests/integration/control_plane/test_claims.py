"""Signups that claim a spare, on the real database and API server."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import ClientSession
from integration.control_plane.pools import Pool, nothing, proved
from integration.control_plane.support import Names, eventually, signup_body
from prometheus_client import generate_latest
from vivero_control import composition
from vivero_control.domain.signups.access import secret_name, signup_digest
from vivero_control.domain.signups.provisioning import Provisioner, TenantRequest
from vivero_control.domain.signups.service import SETTLING
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import ClusterUnavailableError, TenantChangedError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, TENANT
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant, TenantSpec

pytestmark = pytest.mark.alone  # any signup takes its spares, which have no pods

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]
Json = dict[str, Any]


@pytest.fixture
async def pool(kube: KubeClient) -> AsyncIterator[Pool]:
    made = Pool(kube, f"p{secrets.token_hex(3)}")
    yield made
    await made.drain()


@pytest.fixture(autouse=True)
def unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenants created without a spare get no pod either: twenty would overload the machine."""
    create = TenantRepository.create

    async def waiting(
        self: TenantRepository,
        name: str,
        spec: TenantSpec,
        labels: dict[str, str],
        annotations: dict[str, str] | None = None,
    ) -> Tenant | Unreadable:
        return await create(self, name, spec.model_copy(update={"adopt": nothing()}), labels, annotations)

    monkeypatch.setattr(TenantRepository, "create", waiting)


@pytest.fixture(autouse=True)
def own_spares_only(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    """Claims only this test's spares, so that the platform's pools stay full."""
    claimable = TenantDirectory.spares

    def ours(self: TenantDirectory, *asked: Any) -> list[Tenant]:  # noqa: ANN401  as spares
        return [one for one in claimable(self, *asked) if one.spec.pool == pool.name]

    monkeypatch.setattr(TenantDirectory, "spares", ours)


@pytest.fixture
def filled(staff: httpx.Client, pool: Pool) -> Callable[[int], Any]:
    """Fills the pool and waits until the server's informer has the spares."""

    async def fill(count: int) -> list[str]:
        fresh = await pool.fill(count)
        query = {"state": "standby", "search": pool.name, "limit": 200}

        def heard() -> bool:
            rows = staff.get("/api/v1/tenants", params=query).json()["items"]  # type: ignore[arg-type]
            return {row["name"] for row in rows if row["message"] == ""} >= set(fresh)

        await asyncio.to_thread(eventually, heard)
        return fresh

    return fill


Fill = Callable[[int], Any]


def request_of(slug: str, signup_id: str) -> TenantRequest:
    return TenantRequest(
        signup_id=signup_id,
        slug=slug,
        company="Bähr & Söhne",
        email=f"owner@{slug}.example.com",
        plan="trial",
        trial_ends_at=None,
        password_hash="$argon2id$made-up",
    )


async def test_of_concurrent_claims_of_one_spare_one_wins(
    infrastructure: composition.Infrastructure, kube: KubeClient, pool: Pool, names: Names
) -> None:
    (name,) = await pool.fill(1)
    requests = [request_of(names.new(), secrets.token_hex(16)) for _ in range(5)]
    won: list[Tenant] = []
    for _ in range(20):  # the operator may write between read and claim; then all claims fail
        spare = Tenant.parse(await kube.get(TENANT, name))
        claims = (
            infrastructure.tenants.patch(
                spare, tenant_request.spec(infrastructure.clock()).dump(), tenant_request.labels()
            )
            for tenant_request in requests
        )
        answers = await asyncio.gather(*claims, return_exceptions=True)
        won = [answer for answer in answers if isinstance(answer, Tenant)]
        if won:
            break
    (winner,) = won
    assert {type(answer) for answer in answers} == {Tenant, TenantChangedError}
    stored = Tenant.parse(await kube.get(TENANT, name))
    assert (stored.spec.slug, stored.metadata.labels) == (winner.spec.slug, winner.metadata.labels)
    with pytest.raises(TenantChangedError):
        await infrastructure.tenants.patch(spare, requests[0].spec(infrastructure.clock()).dump(), requests[0].labels())


async def test_a_warm_signup_from_the_form_to_the_staff_page(
    staff: httpx.Client, filled: Fill, names: Names, kube: KubeClient, sql: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spare,) = await filled(1)
    slug = names.new()
    asked: list[tuple[str, str]] = []
    request = ClientSession.request

    def noted(self: ClientSession, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401  as request
        asked.append((method, path))
        return request(self, method, path, **more)

    key = {"Idempotency-Key": f"warm-{slug}"}
    with monkeypatch.context() as patched:
        patched.setattr(ClientSession, "request", noted)
        answer = await asyncio.to_thread(staff.post, "/api/v1/signups", json=signup_body(slug), headers=key)
    view = answer.json()
    assert (answer.status_code, view["tenant"]["name"], view["tenant"]["slug"]) == (202, spare, slug)
    assert asked == [
        ("POST", "/api/v1/namespaces/vivero-signups/secrets"),
        ("PATCH", f"/apis/vivero.dev/v1alpha1/tenants/{spare}"),
    ], "two writes, and nothing is read"

    tenant = Tenant.parse(await kube.get(TENANT, spare))
    assert tenant.spec.slug == slug
    assert tenant.spec.owner is not None
    assert tenant.spec.owner.password_hash_secret == secret_name(view["id"])
    assert tenant.spec.claimed_at is not None
    assert tenant.spec.trial_ends_at is not None
    assert tenant.spec.deletion_policy == "Retain"
    assert await kube.get(SECRET, secret_name(view["id"]), "vivero-signups")
    assert sql("SELECT state, payload FROM outbox WHERE `key` = %s", f"tenant.create:{view['id']}") == [("done", None)]

    again = staff.post("/api/v1/signups", json=signup_body(slug), headers=key).json()
    # By now the operator has written its steps and address.
    for answered in (view, again):
        answered["steps"] = [(step["name"], step["label"]) for step in answered["steps"]]
        del answered["tenant"]["url"], answered["state"], answered["detail"]
    assert again == view
    assert staff.get(f"/api/v1/signups/{view['id']}").json()["tenant"]["name"] == spare
    assert staff.post("/api/v1/signups", json=signup_body(slug)).status_code == 409
    (row,) = staff.get("/api/v1/tenants", params={"search": slug}).json()["items"]
    assert (row["name"], row["slug"], row["owner_email"]) == (spare, slug, f"owner@{slug}.example.com")
    suspended = staff.post(f"/api/v1/tenants/{spare}/suspend", json={"reason": "test of a claim"})
    assert suspended.json()["tenant"]["state"] == "suspended"
    history = staff.get(f"/api/v1/tenants/{spare}/history").json()
    assert [entry["action"] for entry in history] == ["suspend", "signup"]
    assert 'vivero_control_signups_total{start="warm"}' in generate_latest().decode()


async def test_spares_have_no_owner_and_take_no_actions(staff: httpx.Client, filled: Fill, pool: Pool) -> None:
    (spare,) = await filled(1)
    assert staff.get("/api/v1/tenants", params={"search": pool.name}).json()["total"] == 0
    detail = staff.get(f"/api/v1/tenants/{spare}").json()
    assert (detail["tenant"]["state"], detail["tenant"]["slug"], detail["tenant"]["url"]) == ("standby", None, None)
    for action, body in (("suspend", {}), ("resume", {}), ("change-plan", {"plan": "starter"})):
        refused = staff.post(f"/api/v1/tenants/{spare}/{action}", json={"reason": "by mistake", **body})
        assert refused.status_code == 409
        assert "spare" in refused.json()["detail"]
    assert staff.get(f"/api/v1/tenants/{spare}/history").json() == []
    host = {"Host": f"{spare}.vivero.localhost:8443", "Accept": "text/html"}
    assert staff.get("/", headers=host).status_code == 404


async def test_a_claimed_workspace_is_followed_to_its_login(
    client: httpx.Client, filled: Fill, names: Names, kube: KubeClient
) -> None:
    (spare,) = await filled(1)
    view = client.post("/api/v1/signups", json=signup_body(names.new())).json()
    assert view["tenant"]["name"] == spare
    steps = {step["name"]: step["state"] for step in view["steps"]}
    assert (steps["database"], steps["workload"]) == ("done", "done")
    assert "done" not in {steps["route"], steps["owner"], steps["ready"]}, "they were the spare's"

    events: list[Json] = []
    follower = threading.Thread(target=follow, args=(client, view, events))
    follower.start()
    for _ in range(100):  # like the operator; the real one may overwrite it in between
        generation = (await kube.get(TENANT, spare))["metadata"]["generation"]
        await kube.patch_status(TENANT, spare, proved(generation))
        await asyncio.to_thread(follower.join, 0.1)
        if not follower.is_alive():
            break
    assert events[-1]["state"] == "ready"
    assert "/login/ticket#" in events[-1]["login_url"]
    assert "login_url" not in client.get(f"/api/v1/signups/{view['id']}").json(), "the id alone opens nothing"


def follow(client: httpx.Client, signup: Json, events: list[Json]) -> None:
    bearer = {"Authorization": f"Bearer {signup['bearer']}"}
    with client.stream("GET", f"/api/v1/signups/{signup['id']}/events", headers=bearer) as stream:
        events.extend(json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line[:6] == "data: ")


async def test_twenty_concurrent_signups_with_five_spares(
    client: httpx.Client, filled: Fill, names: Names, kube: KubeClient
) -> None:
    fresh = await filled(5)
    slugs = [names.new() for _ in range(20)]

    def everybody() -> list[httpx.Response]:
        with ThreadPoolExecutor(20) as crowd:
            return list(crowd.map(lambda slug: client.post("/api/v1/signups", json=signup_body(slug)), slugs))

    answers = await asyncio.to_thread(everybody)
    assert {answer.status_code for answer in answers} == {202}
    told = {answer.json()["tenant"]["slug"]: answer.json()["tenant"]["name"] for answer in answers}
    assert sorted(told) == sorted(slugs)
    assert len(set(told.values())) == 20
    found = {one.spec.slug: one for one in map(Tenant.parse, (await kube.list(TENANT)).items) if one.spec.slug in told}
    assert {slug: one.name for slug, one in found.items()} == told
    ids = {answer.json()["tenant"]["slug"]: answer.json()["id"] for answer in answers}
    for slug, one in found.items():
        assert one.spec.owner is not None
        assert one.spec.owner.password_hash_secret == secret_name(ids[slug])
    warm = {name for name in told.values() if name in fresh}
    assert warm, "nobody got a spare"
    assert {slug for slug in told if told[slug] not in warm} == {slug for slug in told if told[slug] == slug}


async def test_a_claim_whose_response_is_lost_is_found_by_the_retry(
    client: httpx.Client,
    filled: Fill,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Later,
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await filled(2)
    slug, patch = names.new(), TenantRepository.patch

    async def without_answer(self: TenantRepository, *rest: Any) -> Tenant:  # noqa: ANN401  as patch
        await patch(self, *rest)
        raise ClusterUnavailableError

    key = {"Idempotency-Key": f"lost-{slug}"}
    with monkeypatch.context() as patched:
        patched.setattr(TenantRepository, "patch", without_answer)
        view = client.post("/api/v1/signups", json=signup_body(slug), headers=key).json()
    done = "SELECT state FROM outbox WHERE `key` = %s"
    assert sql(done, f"tenant.create:{view['id']}") == [("pending",)]
    later(timedelta(minutes=1))
    await Worker(infrastructure).drain()
    assert sql(done, f"tenant.create:{view['id']}") == [("done",)]
    labelled = await kube.list(TENANT, label_selector=f"vivero.dev/signup={signup_digest(view['id'])}")
    (tenant,) = map(Tenant.parse, labelled.items)
    assert (tenant.spec.slug, tenant.spec.claimed_at is None) == (slug, False)
    with pytest.raises(KubeNotFoundError):
        await kube.get(TENANT, slug)
    assert client.post("/api/v1/signups", json=signup_body(slug), headers=key).json()["tenant"]["name"] == tenant.name


async def test_a_claim_that_the_cluster_refuses_leaves_the_spare_and_no_hash(
    client: httpx.Client, filled: Fill, kube: KubeClient, sql: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own rules are the same; if they ever were not, this is what happens."""
    (spare,) = await filled(1)
    slug, signup_id = f"refused-{secrets.token_hex(3)}", secrets.token_hex(16)
    monkeypatch.setattr("vivero_control.domain.signups.policies.check", lambda _: [])
    monkeypatch.setattr("vivero_control.domain.signups.access.new_id", lambda: signup_id)
    answer = client.post("/api/v1/signups", json=signup_body(slug, company="a\u200bb"))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["company"]
    assert Tenant.parse(await kube.get(TENANT, spare)).is_spare
    with pytest.raises(KubeNotFoundError):
        await kube.get(SECRET, secret_name(signup_id), "vivero-signups")
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(0,)]


async def test_one_account_for_one_address_in_any_spelling(client: httpx.Client, names: Names, sql: Ask) -> None:
    one, two = names.new(), names.new()
    address = f"owner@{one}.example.com"
    for slug, email in ((one, address), (two, address.replace("owner", "OWNER"))):
        assert client.post("/api/v1/signups", json=signup_body(slug, email=email)).status_code == 202
    assert sql("SELECT COUNT(*) FROM accounts WHERE email = %s", address) == [(1,)]
    accounts = sql("SELECT DISTINCT account_id FROM signups WHERE slug IN (%s, %s)", one, two)
    assert len(accounts) == 1


async def test_the_slug_of_a_claimed_tenant_is_free_only_when_it_is_gone(
    client: httpx.Client, filled: Fill, names: Names, kube: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spare,) = await filled(1)
    slug = names.new()
    assert client.post("/api/v1/signups", json=signup_body(slug)).json()["tenant"]["name"] == spare
    with monkeypatch.context() as patched:
        # As in a process whose watch has not delivered the event yet.
        patched.setattr(TenantDirectory, "has", lambda *_: False)
        assert client.post("/api/v1/signups", json=signup_body(slug)).status_code == 409
    tenant = await kube.patch(TENANT, spare, {"spec": {"deletionPolicy": "Delete"}})
    await kube.delete(TENANT, spare, uid=tenant["metadata"]["uid"])
    await asyncio.to_thread(
        eventually, lambda: client.post("/api/v1/signups", json=signup_body(slug)).status_code == 202
    )


async def test_a_request_times_out_before_the_worker_may_start(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = names.new()
    began: list[str] = []

    async def hangs(_: Provisioner, tenant_request: TenantRequest) -> None:
        began.append(tenant_request.slug)
        await asyncio.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(Provisioner, "provision", hangs)
        patched.setattr("vivero_control.domain.signups.service.HANDOVER", SETTLING + timedelta(seconds=0.5))
        view = client.post("/api/v1/signups", json=signup_body(slug)).json()
        assert (view["state"], view["tenant"]["name"], began) == ("provisioning", None, [slug])
        patched.setattr("vivero_control.domain.signups.service.HANDOVER", SETTLING)
        late = names.new()
        assert client.post("/api/v1/signups", json=signup_body(late)).status_code == 202
        assert began == [slug], "whose time is over begins nothing"
    later(timedelta(minutes=1))
    await Worker(infrastructure).drain()
    assert (await kube.get(TENANT, slug))["spec"]["slug"] == slug
