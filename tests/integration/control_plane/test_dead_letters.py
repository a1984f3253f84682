"""Dead letters on the real database: customers are notified, slugs freed, staff replay them; retention."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import ADMIN, DOMAIN, Names, TestClock, eventually, signup_body
from vivero_control import composition
from vivero_control.domain.dead_letters.service import DeadLetterService
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.outbox import KEEP_PAYLOAD
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]
Mails = Callable[[str], list[dict[str, Any]]]
Die = Callable[[str], Awaitable[dict[str, Any]]]
GIVEN_UP = timedelta(hours=25)


@pytest.fixture
def dead(
    client: httpx.Client, infrastructure: composition.Infrastructure, later: Later, monkeypatch: pytest.MonkeyPatch
) -> Die:
    """A signup whose job was given up because the cluster was down for a day; it is up again."""

    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    async def make(slug: str) -> dict[str, Any]:
        with monkeypatch.context() as patched:
            patched.setattr(TenantRepository, "create_password_secret", away)
            view: dict[str, Any] = client.post("/api/v1/signups", json=signup_body(slug)).json()
            for ahead in (timedelta(minutes=1), GIVEN_UP):
                later(ahead)
                await Worker(infrastructure).drain()
        return view

    return make


@pytest.fixture
def letters(infrastructure: composition.Infrastructure, clock: TestClock) -> DeadLetterService:
    return DeadLetterService(
        infrastructure.database, composition.job_kinds(infrastructure), infrastructure.wake_up.notify, clock
    )


def entry(sql: Ask, view: dict[str, Any]) -> tuple[int, str, str | None]:
    """Id, state and payload of a signup's job."""
    (row,) = sql("SELECT id, state, payload FROM outbox WHERE `key` = %s", f"tenant.create:{view['id']}")
    return row[0], row[1], row[2]


async def test_a_dead_letter_is_reported_and_its_slug_is_free(
    client: httpx.Client, names: Names, dead: Die, sql: Ask, mails: Mails
) -> None:
    slug = names.new()
    view = await dead(slug)
    told = client.get(f"/api/v1/signups/{view['id']}").json()
    assert told["state"] == "failed"
    assert "could not be made" in told["detail"]
    assert "waiting" not in told
    eventually(lambda: mails(f"owner@{slug}.example.com"))
    (mail,) = mails(f"owner@{slug}.example.com")
    assert mail["subject"] == "Your Vivero workspace could not be made", "and no welcome to what is not there"
    assert f"https://{DOMAIN}:8443/signup" in str(mail)
    assert sql("SELECT slug_claim FROM signups WHERE id = %s", view["id"]) == [(None,)]
    assert client.post("/api/v1/signups", json=signup_body(slug)).status_code == 202


async def test_a_replay_is_idempotent_and_audited(
    client: httpx.Client,
    names: Names,
    dead: Die,
    letters: DeadLetterService,
    infrastructure: composition.Infrastructure,
    kube: KubeClient,
    sql: Ask,
    mails: Mails,
) -> None:
    slug = names.new()
    view = await dead(slug)
    number, state, payload = entry(sql, view)
    assert state == "dead"
    assert payload is not None
    (letter,) = (one for one in (await letters.newest()).items if one.id == number)
    assert (letter.what, letter.is_kept, slug in letter.recipient) == ("New workspace", True, True)
    assert "ClusterUnavailableError" in letter.error
    for secret in (view["id"], json.loads(payload)["password_hash"]):
        assert secret not in str(letter)
    for _ in range(2):
        await letters.replay(number, ADMIN[0])
    assert client.get(f"/api/v1/signups/{view['id']}").json()["state"] == "provisioning"
    assert client.post("/api/v1/signups", json=signup_body(slug)).status_code == 409, "the slug is theirs again"
    await Worker(infrastructure).drain()
    assert entry(sql, view)[1:] == ("done", None)
    assert (await kube.get(TENANT, slug))["spec"]["slug"] == slug
    audit = sql(
        "SELECT actor, outcome, detail FROM audit WHERE action = 'replay' AND detail LIKE %s", f'%"job": {number},%'
    )
    assert [row[:2] for row in audit] == [(ADMIN[0], "done")], "twice is once"
    assert view["id"] not in audit[0][2]
    eventually(lambda: len(mails(f"owner@{slug}.example.com")) == 2)
    assert {mail["subject"] for mail in mails(f"owner@{slug}.example.com")} == {
        "Your Vivero workspace could not be made",
        "Your Vivero workspace",
    }


async def test_a_replay_of_a_job_whose_slug_is_taken_changes_nothing(
    client: httpx.Client, names: Names, dead: Die, letters: DeadLetterService, sql: Ask
) -> None:
    slug = names.new()
    view = await dead(slug)
    assert client.post("/api/v1/signups", json=signup_body(slug, email="b@example.com")).status_code == 202
    number = entry(sql, view)[0]
    with pytest.raises(SlugTakenError):
        await letters.replay(number, ADMIN[0])
    assert entry(sql, view)[1] == "dead"
    assert sql("SELECT COUNT(*) FROM audit WHERE action = 'replay' AND detail LIKE %s", f'%"job": {number},%') == [(0,)]
    assert client.get(f"/api/v1/signups/{view['id']}").json()["state"] == "failed"


async def test_payload_and_row_of_a_dead_letter_have_retention_periods(
    names: Names, dead: Die, infrastructure: composition.Infrastructure, later: Later, sql: Ask
) -> None:
    view = await dead(names.new())
    for ahead, is_kept in ((KEEP_PAYLOAD - timedelta(hours=1), True), (KEEP_PAYLOAD + timedelta(hours=1), False)):
        later(GIVEN_UP + ahead)
        await Worker(infrastructure).tidy()
        _, state, payload = entry(sql, view)
        assert (state, payload is not None) == ("dead", is_kept)
    later(GIVEN_UP + timedelta(days=100))
    await Worker(infrastructure).tidy()
    assert sql("SELECT COUNT(*) FROM outbox WHERE `key` = %s", f"tenant.create:{view['id']}") == [(0,)]


async def test_the_payload_of_a_dead_mail_is_deleted_with_its_tenant(
    infrastructure: composition.Infrastructure, clock: TestClock, later: Later, kube: KubeClient, names: Names, sql: Ask
) -> None:
    there = names.new()
    spec = {"displayName": "Here", "slug": there, "plan": "trial", "owner": {"email": "here@example.com"}}
    await kube.create(
        {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": there}, "spec": spec}
    )
    keys = {"mail.here": f"tenant/{there}", "mail.gone": "tenant/was-here", "mail.nobody": None}
    async with infrastructure.database.transaction() as session:
        for key, subject in keys.items():
            await OutboxRepository(session).enqueue(
                kind="mail.send", key=key, payload={"to": "x"}, now=clock(), due_at=clock(), subject=subject
            )
    sql(
        "UPDATE outbox SET state = 'dead', finished_at = %s WHERE `key` LIKE 'mail.%%' AND payload LIKE '%%\"x\"%%'",
        clock(),
    )
    kept = "SELECT `key` FROM outbox WHERE `key` IN ('mail.here', 'mail.gone', 'mail.nobody') AND payload IS NOT NULL"
    await Worker(infrastructure).tidy()
    assert len(sql(kept)) == 3, "a Tenant may be late"
    later(timedelta(days=2))
    await Worker(infrastructure).tidy()
    assert {row[0] for row in sql(kept)} == {"mail.here", "mail.nobody"}
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove(list(keys))
