"""Signups on the real database, cache and API server."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import base64
import json
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from integration.control_plane.support import PASSWORD, Names, eventually, signup_body
from vivero_control import composition
from vivero_control.domain.signups.access import secret_name, signup_digest
from vivero_control.domain.signups.policies import TRIALS_MAX, UNMADE
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.settings import Settings
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, TENANT
from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Tenant

Ask = Callable[..., list[tuple[Any, ...]]]


async def test_a_signup_becomes_a_tenant_and_a_secret(
    client: httpx.Client, names: Names, kube: KubeClient, sql: Ask
) -> None:
    slug = names.new()
    answer = client.post("/api/v1/signups", json=signup_body(slug, company=' O\'Brien  & "Söhne" 🌱 '))
    assert answer.status_code == 202
    view = answer.json()
    assert view["tenant"]["slug"] == slug
    # With the port of the platform's operator, once it has been faster than the answer.
    assert urlsplit(view["tenant"]["url"]).hostname == f"{slug}.vivero.localhost"
    assert ("login_url" in view) is (view["state"] == "ready")
    assert answer.headers["location"] == f"/api/v1/signups/{view['id']}"

    tenant = Tenant.parse(await kube.get(TENANT, view["tenant"]["name"]))
    assert tenant.spec.slug == slug
    assert tenant.spec.display_name == 'O\'Brien & "Söhne" 🌱'
    assert tenant.spec.plan == "trial"
    assert tenant.spec.owner is not None
    assert tenant.spec.owner.password_hash_secret == secret_name(view["id"])
    assert tenant.metadata.labels[LABEL_SIGNUP] == signup_digest(view["id"])
    assert tenant.spec.trial_ends_at is not None
    assert timedelta(days=29) < tenant.spec.trial_ends_at - datetime.now(UTC) <= timedelta(days=30)
    assert sql("SELECT state, payload FROM outbox WHERE `key` = %s", f"tenant.create:{view['id']}") == [("done", None)]
    assert client.get(answer.headers["location"]).json()["id"] == view["id"]


async def test_the_password_travels_as_a_hash_in_the_secret_alone(
    client: httpx.Client, names: Names, kube: KubeClient, sql: Ask
) -> None:
    slug = names.new()
    view = client.post("/api/v1/signups", json=signup_body(slug)).json()
    try:
        secret = await kube.get(SECRET, secret_name(view["id"]), "vivero-signups")
    except KubeNotFoundError:  # an operator was faster and has used it already
        secret = {"data": {"password_hash": base64.b64encode(b"$argon2id$v=19$m=19456,t=2,p=1$").decode()}}
    assert base64.b64decode(secret["data"]["password_hash"]).startswith(b"$argon2id$v=19$m=19456,t=2,p=1$")
    resource = json.dumps(await kube.get(TENANT, view["tenant"]["name"]))
    tables = ("signups", "outbox", "idempotency", "audit")
    rows = [str(row) for table in tables for row in sql(f"SELECT * FROM {table}")]  # noqa: S608  literals
    # Dead letters of other tests keep what a replay needs.
    own = [row for row in rows if slug in row or view["id"] in row]
    assert len(own) >= len(tables)
    stored = resource + str(own)
    assert PASSWORD not in stored
    assert view["bearer"] not in stored
    assert "$argon2" not in stored
    assert view["id"] not in resource


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"slug": "admin"}, "slug"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "../../etc"}, "slug"),
        ({"email": "nobody"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"company": ""}, "company"),
        ({"company": "a\u202eb"}, "company"),
        ({"company": "x" * 81}, "company"),
        ({"company": "x" * 5000}, "company"),
        ({"plan": "platinum"}, "plan"),
        ({"company": 7}, "company"),
        ({"password": None}, "password"),
    ],
)
def test_bad_input_names_the_field_and_makes_nothing(
    client: httpx.Client, sql: Ask, changed: dict[str, object], field: str
) -> None:
    before = sql("SELECT COUNT(*) FROM signups")
    answer = client.post("/api/v1/signups", json=signup_body("never-made", **changed))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert field in [error["field"] for error in problem["errors"]]
    assert {"type", "title", "status", "detail", "request_id"} <= set(problem)
    assert sql("SELECT COUNT(*) FROM signups") == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b"\xff\xfe", {"content-type": "application/json"}, 400),
        (b"[" * 60_000, {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 422),
        (b"{}", {"content-type": "application/json"}, 422),
        (b"", {}, 422),
        (b'{"company": "' + b"x" * 70_000 + b'"}', {"content-type": "application/json"}, 413),
        (b"company=x", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"<a/>", {"content-type": "text/xml"}, 415),
        (b"{}", {}, 415),
    ],
)
def test_bodies_that_are_no_signup(client: httpx.Client, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/v1/signups", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_taken_slug_is_refused_and_a_derived_one_steps_aside(client: httpx.Client, names: Names) -> None:
    slug = names.new()
    assert client.post("/api/v1/signups", json=signup_body(slug)).status_code == 202
    again = client.post("/api/v1/signups", json=signup_body(slug))
    assert again.status_code == 409
    assert [error["field"] for error in again.json()["errors"]] == ["slug"]

    derived = client.post("/api/v1/signups", json=signup_body(slug, company=slug, slug=None))
    assert derived.status_code == 202
    names.used.append(derived.json()["tenant"]["slug"])
    assert derived.json()["tenant"]["slug"].startswith(f"{slug}-")


def test_of_many_at_once_one_gets_the_slug(client: httpx.Client, names: Names, sql: Ask) -> None:
    slug = names.new()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.post("/api/v1/signups", json=signup_body(slug)), range(6)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(1,)]
    assert sql("SELECT COUNT(*) FROM accounts WHERE email = %s", f"owner@{slug}.example.com") == [(1,)]


async def test_a_name_taken_behind_our_back_leaves_nothing_half_made(
    client: httpx.Client, names: Names, kube: KubeClient, sql: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = names.new()
    spec = {"displayName": "By hand", "slug": slug, "plan": "trial", "owner": {"email": "hand@example.com"}}
    body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": slug}, "spec": spec}
    await kube.create(body)
    signup_id = secrets.token_hex(16)
    monkeypatch.setattr("vivero_control.domain.signups.access.new_id", lambda: signup_id)
    # As if the watch had not told us yet, and no pool had anything.
    monkeypatch.setattr("vivero_control.domain.tenants.directory.TenantDirectory.has", lambda *_: False)
    monkeypatch.setattr("vivero_control.domain.tenants.directory.TenantDirectory.spares", lambda *_: [])
    answer = client.post("/api/v1/signups", json=signup_body(slug), headers={"Idempotency-Key": f"k-{slug}"})
    assert answer.status_code == 409
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(0,)]
    assert sql("SELECT COUNT(*) FROM outbox WHERE payload LIKE %s", f"%{slug}%") == [(0,)]
    with pytest.raises(KubeNotFoundError):
        await kube.get(SECRET, secret_name(signup_id), "vivero-signups")
    another = client.post("/api/v1/signups", json=signup_body(slug), headers={"Idempotency-Key": f"k-{slug}"})
    assert another.status_code == 409  # the key is free again, the name is not


async def test_what_the_cluster_refuses_is_named_and_leaves_nothing(
    client: httpx.Client, sql: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own rules are the same; if they ever were not, this is what happens."""
    slug = f"refused-{secrets.token_hex(3)}"
    monkeypatch.setattr("vivero_control.domain.signups.policies.check", lambda _: [])
    for changed, field in (({"company": "a\u200bb"}, "company"), ({"email": "no address"}, "email")):
        answer = client.post("/api/v1/signups", json=signup_body(slug, **changed))
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(0,)]
    assert sql("SELECT COUNT(*) FROM outbox WHERE payload LIKE %s", f"%{slug}%") == [(0,)]


@pytest.mark.parametrize("job_is_kept", [True, False], ids=["soon", "when its job row was removed"])
async def test_the_slug_of_a_deleted_tenant_can_be_used_again(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    sql: Ask,
    job_is_kept: bool,  # noqa: FBT001  a column of the table
) -> None:
    slug = names.new()
    view = client.post("/api/v1/signups", json=signup_body(slug)).json()
    name = view["tenant"]["name"]
    if not job_is_kept:
        sql("DELETE FROM outbox WHERE `key` = %s", f"tenant.create:{view['id']}")
    tenant = await kube.patch(TENANT, name, {"spec": {"deletionPolicy": "Delete"}})
    await kube.delete(TENANT, name, uid=tenant["metadata"]["uid"])
    eventually(lambda: client.post("/api/v1/signups", json=signup_body(slug)).status_code == 202)


def test_the_same_key_makes_one_signup(client: httpx.Client, names: Names, sql: Ask) -> None:
    slug = names.new()
    key = {"Idempotency-Key": f"key-{slug}"}
    first = client.post("/api/v1/signups", json=signup_body(slug), headers=key)
    second = client.post("/api/v1/signups", json=signup_body(slug), headers=key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(1,)]

    other = client.post("/api/v1/signups", json=signup_body(slug, company="Another"), headers=key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert (
        client.post("/api/v1/signups", json=signup_body(slug), headers={"Idempotency-Key": "x" * 256}).status_code
        == 422
    )


def test_two_at_once_with_one_key(client: httpx.Client, names: Names, sql: Ask) -> None:
    slug = names.new()
    barrier = threading.Barrier(4)

    def send(_: int) -> httpx.Response:
        barrier.wait()
        return client.post("/api/v1/signups", json=signup_body(slug), headers={"Idempotency-Key": f"both-{slug}"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert sum(answer.status_code == 202 for answer in answers) >= 1
    assert all(answer.headers.get("retry-after") for answer in answers if answer.status_code == 409)
    assert sql("SELECT COUNT(*) FROM signups WHERE slug = %s", slug) == [(1,)]


def test_a_refused_signup_does_not_use_up_its_key(client: httpx.Client, names: Names) -> None:
    key = {"Idempotency-Key": f"again-{names.prefix}"}
    assert client.post("/api/v1/signups", json=signup_body("admin"), headers=key).status_code == 422
    assert client.post("/api/v1/signups", json=signup_body(names.new()), headers=key).status_code == 202


async def test_one_mailbox_tries_a_few_workspaces_and_a_stranger_is_not_told(
    client: httpx.Client, names: Names, kube: KubeClient, sql: Ask
) -> None:
    """However it is spelt, and however many ask at once."""
    local = f"{names.prefix}{secrets.token_hex(3)}"
    spellings = [f"{local[:at]}.{local[at:]}+{at}@gmail.com" for at in range(1, 2 * TRIALS_MAX + 1)]
    slugs = [names.new() for _ in spellings]
    bodies = [signup_body(slug, email=email) for slug, email in zip(slugs, spellings, strict=True)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: client.post("/api/v1/signups", json=body), bodies))
    assert {answer.status_code for answer in answers} == {202}
    assert {frozenset(answer.json()) for answer in answers} == {frozenset(answers[0].json())}
    assert {answer.json()["state"] for answer in answers} == {"provisioning"}

    refused = [view for answer in answers if (view := answer.json())["tenant"]["name"] is None]
    assert len(refused) == len(answers) - TRIALS_MAX
    for view in refused:
        shown = client.get(f"/api/v1/signups/{view['id']}").json()
        assert (shown["state"], shown["detail"]) == ("failed", UNMADE)
        with pytest.raises(KubeNotFoundError):
            await kube.get(TENANT, view["tenant"]["slug"])
    mails = sql("SELECT payload FROM outbox WHERE `key` LIKE 'mail.enough-trials:%%'")
    told = [mail for (mail,) in mails if mail and any(email in mail for email in spellings)]
    assert len(told) == 1
    free = refused[0]["tenant"]["slug"]
    assert client.post("/api/v1/signups", json=signup_body(free)).status_code == 202, "another's mailbox gets the slug"


async def test_the_worker_finishes_what_a_dead_request_began(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = names.new()

    async def dies(*_: object) -> None:
        """For the worker as if the process had ended here."""
        raise ClusterUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr("vivero_control.domain.signups.provisioning.Provisioner.provision", dies)
        view = client.post("/api/v1/signups", json=signup_body(slug)).json()
    assert view["tenant"]["name"] is None, "nobody knows it yet"
    with pytest.raises(KubeNotFoundError):
        await kube.get(TENANT, slug)
    later(timedelta(minutes=1))
    jobs = Worker(infrastructure)
    await jobs.drain()
    await jobs.drain()
    tenant = Tenant.parse(await kube.get(TENANT, slug))
    assert tenant.spec.owner is not None
    assert tenant.spec.owner.password_hash_secret == secret_name(view["id"])


async def test_progress_and_login(client: httpx.Client, names: Names, kube: KubeClient, settings: Settings) -> None:
    """The platform's operator makes the workspace."""
    slug = names.new()
    view = client.post("/api/v1/signups", json=signup_body(slug)).json()
    events: list[tuple[str, dict[str, Any]]] = []
    follower = threading.Thread(target=_follow, args=(client, view, events))
    follower.start()
    follower.join(90)
    assert not follower.is_alive()

    assert events[0][0] == "step"
    assert events[-1][0] == "done"
    last = events[-1][1]
    assert last["state"] == "ready"
    assert {step["state"] for step in last["steps"]} == {"done"}
    shown = [json.dumps(view["steps"]) + view["state"] for _, view in events]
    assert len(shown) == len(set(shown)), "one event for each change"

    ticket = urlsplit(last["login_url"]).fragment
    key = load_pem_private_key(settings.app.ticket_private_key.get_secret_value().encode(), None).public_key()
    tenant = Tenant.parse(await kube.get(TENANT, last["tenant"]["name"]))
    assert tenant.spec.slug == slug
    claims = jwt.decode(ticket, key, algorithms=["EdDSA"], audience=tenant.id, issuer="vivero-control-plane")  # type: ignore[arg-type]
    assert claims["sub"] == f"owner@{slug}.example.com"
    assert claims["exp"] - claims["iat"] <= 600
    progress = f"/api/v1/signups/{view['id']}"
    again = client.get(progress, headers={"Authorization": f"Bearer {view['bearer']}"}).json()["login_url"]
    again_claims = jwt.decode(urlsplit(again).fragment, options={"verify_signature": False})
    assert again_claims["jti"] == claims["jti"]
    for nobody in ({}, {"Authorization": f"Bearer {view['id']}"}, {"Cookie": f"__Host-signup={view['bearer']}"}):
        shown = client.get(progress, headers=nobody).json()
        assert shown["state"] == "ready"
        assert not {"login_url", "bearer"} & set(shown)


def test_an_unknown_signup_is_a_404_on_both_addresses(client: httpx.Client) -> None:
    for path in ("/api/v1/signups/0000", "/api/v1/signups/0000/events", "/api/v1/signups/" + "0" * 32):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def _follow(client: httpx.Client, signup: dict[str, Any], events: list[tuple[str, dict[str, Any]]]) -> None:
    headers = {"Last-Event-ID": "7", "Authorization": f"Bearer {signup['bearer']}"}
    with client.stream("GET", f"/api/v1/signups/{signup['id']}/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
