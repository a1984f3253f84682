"""The worker: wake-ups, polling, and unavailable systems."""

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import valkey
from integration.control_plane.support import FunctionJob, Names, TestClock, eventually, running, signup_body
from vivero_control import composition
from vivero_control.db.database import Database
from vivero_control.db.tables import WorkspaceManager
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.audit.service import AuditAction, AuditService, ObservedAction
from vivero_control.domain.deleted.receipts import ErasureWatcher
from vivero_control.domain.signups.access import secret_name
from vivero_control.domain.tenants import external_changes
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import Payload
from vivero_control.jobs.outbox import Outbox
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.idempotency import LOCK_TTL, Idempotency
from vivero_control.settings import Settings
from vivero_control.worker import Worker, create_worker_app
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, TENANT, of_model
from vivero_core.model.constants import API_VERSION
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


def test_a_wake_up_arrives_after_a_lost_connection(
    settings: Settings,
    clock: TestClock,
    platform: dict[str, Any],
    client: httpx.Client,
    names: Names,
    mails: Callable[[str], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vivero_control.worker.POLL_SECONDS", 3600.0)
    admin = valkey.Valkey.from_url(platform["valkey"]["url"], ssl_ca_certs=platform["valkey"]["ca"])

    def listeners() -> int:
        found: Any = admin.pubsub_numsub(f"{settings.cache.prefix}jobs")
        ((_, count),) = found
        return int(count)

    def is_woken(slug: str) -> None:
        client.post("/api/v1/signups", json=signup_body(slug))
        eventually(lambda: mails(f"owner@{slug}.example.com"))

    with running(create_worker_app(settings, clock)):
        eventually(listeners)
        is_woken(names.new())
        before = listeners()
        admin.execute_command("CLIENT", "KILL", "USER", settings.cache.username)
        eventually(lambda: listeners() == before)
        is_woken(names.new())
    admin.close()


def test_a_signup_wakes_the_worker_and_the_mail_is_sent(
    settings: Settings,
    clock: TestClock,
    client: httpx.Client,
    names: Names,
    mails: Callable[[str], list[dict[str, Any]]],
) -> None:
    slug = names.new()
    # For this test alone: beside those that drain the outbox themselves it would take their jobs.
    with running(create_worker_app(settings, clock)) as worker:
        client.post("/api/v1/signups", json=signup_body(slug, company="You have won: evil.example"))
        eventually(lambda: mails(f"owner@{slug}.example.com"))
        assert httpx.get(f"{worker}/readyz").json()["ok"] is True
        eventually(lambda: 'outbox_entries{state="dead"}' in httpx.get(f"{worker}/metrics").text)
        assert httpx.get(f"{worker}/api/v1/plans").status_code == 404
    (mail,) = mails(f"owner@{slug}.example.com")
    assert "evil.example" not in str(mail), "nobody confirmed this address"
    assert mail["subject"] == "Your Vivero workspace"
    assert f"https://{slug}.vivero.localhost:8443" in str(mail)


def test_a_worker_without_valkey_still_sends(
    settings: Settings,
    clock: TestClock,
    client: httpx.Client,
    names: Names,
    mails: Callable[[str], list[dict[str, Any]]],
) -> None:
    alone = settings.model_copy(update={"cache": settings.cache.model_copy(update={"port": 1})})
    slug = names.new()
    client.post("/api/v1/signups", json=signup_body(slug))
    with running(create_worker_app(alone, clock)):
        eventually(lambda: mails(f"owner@{slug}.example.com"))


async def test_an_unavailable_cluster_delays_a_signup_and_loses_nothing(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = names.new()

    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(TenantRepository, "create_password_secret", away)
        answer = client.post("/api/v1/signups", json=signup_body(slug))  # noqa: ASYNC212  the server has its own thread
        assert answer.status_code == 202
        later(timedelta(minutes=1))
        await Worker(infrastructure).drain()
    with pytest.raises(KubeNotFoundError):
        await kube.get(TENANT, slug)
    later(timedelta(minutes=2))
    await Worker(infrastructure).drain()
    assert (await kube.get(TENANT, slug))["spec"]["slug"] == slug


async def test_a_slug_taken_during_an_outage_is_reported(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = names.new()

    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(TenantRepository, "create_password_secret", away)
        view = client.post("/api/v1/signups", json=signup_body(slug)).json()  # noqa: ASYNC212  the server has its own thread
    spec = {"displayName": "By hand", "slug": slug, "plan": "trial", "owner": {"email": "hand@example.com"}}
    await kube.create({"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": slug}, "spec": spec})
    later(timedelta(minutes=1))
    await Worker(infrastructure).drain()

    def told() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"/api/v1/signups/{view['id']}").json()
        return answer

    # The worker beside us may have taken the entry, and still be at it.
    await asyncio.to_thread(eventually, lambda: told()["state"] == "failed")
    assert slug in told()["detail"]
    assert "login_url" not in told()
    with pytest.raises(KubeNotFoundError):
        await kube.get(SECRET, secret_name(view["id"]), "vivero-signups")


async def test_an_exception_in_a_job_does_not_stop_the_following_entries(
    infrastructure: composition.Infrastructure, clock: TestClock, sql: Ask, later: Later
) -> None:
    done: list[str] = []

    async def faulty(_: Payload) -> None:
        raise ZeroDivisionError

    async def fine(payload: Payload) -> None:
        done.append(payload["n"])

    later(timedelta(days=2))
    async with infrastructure.database.transaction() as session:
        outbox = OutboxRepository(session)
        for kind, key in (("faulty", "f1"), ("fine", "g1"), ("fine", "g1"), ("unknown", "u1")):
            await outbox.enqueue(
                kind=kind, key=key, payload={"n": key}, now=clock(), due_at=clock() - timedelta(days=3)
            )
    works = Outbox(
        infrastructure.database, {"faulty": FunctionJob(faulty), "fine": FunctionJob(fine)}, timedelta(hours=1), clock
    )
    for kind in ("faulty", "fine"):
        await works.drain(kind)
    assert done == ["g1"]
    rows: dict[str, str] = dict(sql("SELECT `key`, state FROM outbox WHERE `key` IN ('f1', 'g1', 'u1')"))
    assert rows == {"f1": "pending", "g1": "done", "u1": "pending"}
    async with infrastructure.database.transaction() as session:
        await OutboxRepository(session).remove(["f1", "u1"])


async def test_an_idempotency_key_of_a_dead_request_is_taken_over(
    infrastructure: composition.Infrastructure, later: Later, clock: TestClock
) -> None:
    idempotency = Idempotency(infrastructure.database, b"k" * 32, clock)
    claimed = idempotency.once("test", "dead-request", b"body")
    await claimed.__aenter__()  # and not left for a long time
    with pytest.raises(ConflictError):
        async with idempotency.once("test", "dead-request", b"body"):
            pass
    later(LOCK_TTL + timedelta(seconds=2))
    async with idempotency.once("test", "dead-request", b"body") as once:
        assert once.answer is None
        async with infrastructure.database.transaction() as session:
            await once.store(session, {"made": 1})
        once.committed = True
    late = ZeroDivisionError()
    assert not await claimed.__aexit__(type(late), late, None)  # it fails at last, and takes nothing from its successor
    async with idempotency.once("test", "dead-request", b"body") as again:
        assert again.answer == {"made": 1}
    with pytest.raises(InvalidInputError):
        async with idempotency.once("test", "dead-request", b"another body"):
            pass


async def test_expired_rows_are_removed(
    infrastructure: composition.Infrastructure, sql: Ask, later: Later, clock: TestClock
) -> None:
    async with Idempotency(infrastructure.database, b"k" * 32, clock).once("test", "old", b""):
        pass
    await Worker(infrastructure).tidy()
    assert sql("SELECT COUNT(*) FROM idempotency")[0][0] > 0
    (newest,) = sql("SELECT MAX(id) FROM outbox")[0]
    later(timedelta(days=100))
    await Worker(infrastructure).tidy()
    assert sql("SELECT COUNT(*) FROM idempotency") == [(0,)]
    # The worker beside us goes on, with the same clock.
    old = "SELECT COUNT(*) FROM outbox WHERE state = 'done' AND id <= %s AND finished_at < %s"
    assert sql(old, newest, clock() - timedelta(days=91)) == [(0,)]
    assert sql("SELECT COUNT(*) FROM staff_refresh_tokens") == [(0,)]


async def test_many_that_observe_the_same_in_any_order_log_it_once(infrastructure: composition.Infrastructure) -> None:
    audit = AuditService(infrastructure.database, infrastructure.clock)
    subject, at = f"tenant/{secrets.token_hex(8)}", infrastructure.clock()
    order = random.Random(7)  # noqa: S311  the same order in each run
    for turn in range(20):
        found = [
            ObservedAction(
                AuditAction(actor="a", action="b", subject=subject, reason="", detail={}), at, secrets.token_hex(32)
            )
            for _ in range(5)
        ]
        await asyncio.gather(*(audit.log_observed(order.sample(found, len(found))) for _ in range(6)))
        assert len(await audit.history(subject)) == 5 * (turn + 1)


class CountingAudit(AuditService):
    """Says how often it was told what there is, and how many tell it right now."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self.noted = self.noting = 0
        self.idle = asyncio.Event()

    async def log_observed(self, found: Sequence[ObservedAction]) -> None:
        self.noting += 1
        self.idle.clear()
        try:
            await super().log_observed(found)
            self.noted += 1
        finally:
            self.noting -= 1
            if not self.noting:
                self.idle.set()


async def test_external_changes_are_in_a_tenants_history_once(
    staff: httpx.Client, names: Names, kube: KubeClient, infrastructure: composition.Infrastructure
) -> None:
    slug = names.new()
    made = await asyncio.to_thread(staff.post, "/api/v1/signups", json=signup_body(slug))
    tenant = made.json()["tenant"]["name"]
    await kube.patch(TENANT, tenant, {"spec": {"displayName": "By hand"}})
    await asyncio.to_thread(staff.post, f"/api/v1/tenants/{tenant}/suspend", json={"reason": "an order of ours"})

    def written() -> list[tuple[str, str, str]]:
        history = staff.get(f"/api/v1/tenants/{tenant}/history").json()
        return [
            (one["action"], one["actor"], one["reason"]) for one in history if one["action"] == external_changes.ACTION
        ]

    audit = CountingAudit(infrastructure.database, infrastructure.clock)

    def noted(least: int) -> bool:
        return bool(written()) and audit.noted >= least

    for lists in (2, 4):
        two = [asyncio.create_task(external_changes.ExternalChangeWatcher(kube, audit).run()) for _ in range(2)]
        await asyncio.to_thread(eventually, partial(noted, lists))
        while audit.noting:  # a task cancelled while connecting leaks its connection
            await audit.idle.wait()
        for task in two:
            task.cancel()
        await asyncio.gather(*two, return_exceptions=True)
    assert await asyncio.to_thread(written) == [(external_changes.ACTION, kube.field_manager, "Wrote displayName.")]


async def test_an_erasure_that_is_done_is_in_the_audit_log_once_and_its_managers_are_forgotten(
    kube: KubeClient, infrastructure: composition.Infrastructure, sql: Ask
) -> None:
    """Of an id that nobody has: the operator finds nothing, and says so."""
    ident = "".join(random.choices("abcdefghijklmnopqrstuvwxyz234567", k=10))  # noqa: S311  a name
    manager = WorkspaceManager(
        tenant_id=ident, email="grace@example.com", named_by="owner", named_at=infrastructure.clock()
    )
    async with infrastructure.database.transaction() as session:
        await ManagerRepository(session).add(manager)
    address = of_model(TenantErasure)
    spec = {"id": ident, "orderedBy": "request 17"}
    body = {"apiVersion": API_VERSION, "kind": "TenantErasure", "metadata": {"name": ident}, "spec": spec}
    made = await kube.create(body)
    watching = [
        asyncio.create_task(
            ErasureWatcher(
                kube, AuditService(infrastructure.database, infrastructure.clock), infrastructure.database
            ).run()
        )
        for _ in range(2)
    ]
    try:
        entries = partial(sql, "SELECT action, reason FROM audit WHERE subject = %s", f"tenant-id/{ident}")
        await asyncio.to_thread(eventually, entries)
        assert entries() == [("erase", "request 17")]
        managers = partial(sql, "SELECT email FROM workspace_managers WHERE tenant_id = %s", ident)
        await asyncio.to_thread(eventually, lambda: not managers())
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await kube.delete(address, ident, uid=made["metadata"]["uid"])
