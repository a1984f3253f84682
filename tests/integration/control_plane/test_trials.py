"""Trials: mails before the end, the end, exactly once."""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.control_plane.support import Names
from prometheus_client import REGISTRY
from vivero_control import composition
from vivero_control.domain.tenants.policies import timestamp
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient, Listing, Object, Operations
from vivero_core.backends.kube.errors import Cause, KubeInvalidError, KubeUnavailableError
from vivero_core.backends.kube.resources import TENANT, Resource
from vivero_core.model.tenant import Tenant

Mails = Callable[[str], list[dict[str, Any]]]
Later = Callable[[timedelta], None]
Ask = Callable[..., list[tuple[Any, ...]]]
LENGTH = timedelta(days=10)


class OnlyTenant(TenantRepository):
    """Limits the periodic tasks to this test's tenant: the platform has others, and the clock is far ahead."""

    def __init__(self, kube: KubeClient, name: str) -> None:
        super().__init__(kube, "vivero-signups")
        self._name = name

    async def all(self) -> list[Tenant]:
        found = await self.find(self._name)
        return [found] if isinstance(found, Tenant) else []


@pytest.fixture
async def trial(names: Names, kube: KubeClient) -> str:
    slug = names.new()
    spec = {
        "displayName": "Trial & Co",
        "slug": slug,
        "plan": "trial",
        "owner": {"email": f"owner@{slug}.example.com"},
        "trialEndsAt": timestamp(datetime.now(UTC) + LENGTH),
    }
    await kube.create({"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": slug}, "spec": spec})
    return slug


@pytest.fixture
def jobs(infrastructure: composition.Infrastructure, trial: str) -> Worker:
    return Worker(dataclasses.replace(infrastructure, tenants=OnlyTenant(infrastructure.kube, trial)))


def subjects(mails: Mails, slug: str) -> list[str]:
    return sorted(mail["subject"] for mail in mails(f"owner@{slug}.example.com"))


async def run_until_closed(jobs: Worker, kube: KubeClient, slug: str) -> str | None:
    """Returns the reason; a run with a write conflict leaves the tenant to the next run."""
    for _ in range(20):
        await jobs.trials.run()
        closed = Tenant.parse(await kube.get(TENANT, slug)).spec.suspended
        if closed is not None:
            return closed.reason
        await asyncio.sleep(0.1)
    return None


async def test_a_trial_from_its_mails_to_its_end(
    trial: str, jobs: Worker, kube: KubeClient, mails: Mails, later: Later, sql: Ask
) -> None:
    await jobs.trials.run()
    assert subjects(mails, trial) == []

    later(LENGTH - timedelta(days=6, hours=23))
    for _ in range(2):
        await jobs.trials.run()
    assert subjects(mails, trial) == ["Your Vivero trial ends in 7 days"]

    later(LENGTH - timedelta(hours=3))
    await asyncio.gather(jobs.trials.run(), jobs.trials.run())
    assert subjects(mails, trial) == ["Your Vivero trial ends in 7 days", "Your Vivero trial ends tomorrow"]
    assert Tenant.parse(await kube.get(TENANT, trial)).spec.suspended is None

    later(LENGTH + timedelta(seconds=5))
    await asyncio.gather(jobs.trials.run(), jobs.trials.run())
    assert await run_until_closed(jobs, kube, trial) == "TrialEnded"
    assert len(subjects(mails, trial)) == 3
    assert "Your Vivero trial has ended" in subjects(mails, trial)
    written = sql("SELECT outcome FROM audit WHERE subject = %s AND outcome = 'done'", f"tenant/{trial}")
    assert written == [("done",)]


async def test_an_extended_trial_is_announced_again(
    trial: str, jobs: Worker, kube: KubeClient, mails: Mails, later: Later
) -> None:
    later(LENGTH - timedelta(days=2))
    await jobs.trials.run()
    await kube.patch(TENANT, trial, {"spec": {"trialEndsAt": timestamp(datetime.now(UTC) + LENGTH * 2)}})
    await jobs.trials.run()
    assert len(subjects(mails, trial)) == 1
    later(LENGTH * 2 - timedelta(days=3))
    await jobs.trials.run()
    assert len(subjects(mails, trial)) == 2


async def test_an_unavailable_mail_server_delays_the_end_by_a_day_at_most(
    trial: str, infrastructure: composition.Infrastructure, kube: KubeClient, later: Later, sql: Ask
) -> None:
    away = infrastructure.settings.model_copy(
        update={"mail": infrastructure.settings.mail.model_copy(update={"port": 1, "timeout": 1})}
    )
    jobs = Worker(dataclasses.replace(infrastructure, settings=away, tenants=OnlyTenant(infrastructure.kube, trial)))
    later(LENGTH + timedelta(minutes=1))
    await jobs.trials.run()
    assert Tenant.parse(await kube.get(TENANT, trial)).spec.suspended is None
    key = sql("SELECT `key` FROM outbox WHERE `key` LIKE 'mail.trial-ended:%%' AND state = 'pending'")[0][0]
    for hours in (0, 12, 23):
        later(LENGTH + timedelta(minutes=2, hours=hours))
        await jobs.drain()
        assert sql("SELECT state FROM outbox WHERE `key` = %s", key) == [("pending",)]
    later(LENGTH + timedelta(minutes=3, hours=24))
    await jobs.drain()
    state, kept, error = sql("SELECT state, payload IS NOT NULL, last_error FROM outbox WHERE `key` = %s", key)[0]
    assert (state, kept) == ("dead", 1)
    assert "MailServerUnavailableError" in error
    assert await run_until_closed(jobs, kube, trial) == "TrialEnded"


class ClusterWithInvalidBodies(KubeClient):
    """A cluster with bodies that an older CRD accepted, and with objects whose writes fail.

    A fake, because the real one refuses such bodies today.
    """

    def __init__(self, bodies: list[dict[str, Any]], refusals: dict[str, Exception]) -> None:
        self._bodies = bodies
        self._refusals = refusals
        self.closed: list[str] = []

    async def list(self, *_: object, **__: object) -> Listing[dict[str, Any]]:
        return Listing(self._bodies, "9")

    async def patch(
        self, resource: Resource, name: str, patch: Object | Operations, *_: object, **__: object
    ) -> dict[str, Any]:
        assert resource is TENANT
        assert isinstance(patch, dict)
        if name in self._refusals:
            raise self._refusals[name]
        self.closed.append(f"{name}: {patch['spec']['suspended']['reason']}")
        return next(body for body in self._bodies if body["metadata"]["name"] == name)


def over(name: str, ends: str = "", **spec: object) -> dict[str, Any]:
    """A trial that ended so long ago that it is suspended even without a mail."""
    then = ends or timestamp(datetime.now(UTC) - timedelta(days=3))
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name, "uid": f"{name}-{secrets.token_hex(4)}", "generation": 1, "resourceVersion": "7"},
        "spec": {
            "displayName": name.title(),
            "slug": name,
            "plan": "trial",
            "owner": {"email": f"owner@{name}.example.com"},
            "trialEndsAt": then,
            **spec,
        },
        "status": {"observedGeneration": 1},
    }


def by_hand(name: str) -> dict[str, Any]:
    body = over(name)
    body["status"]["trialEndsAt"] = body["spec"].pop("trialEndsAt")
    return body


async def test_one_invalid_tenant_does_not_keep_other_trials_open(
    infrastructure: composition.Infrastructure, caplog: pytest.LogCaptureFixture, sql: Ask
) -> None:
    prefix = f"t{secrets.token_hex(3)}"
    bodies = [
        over(f"{prefix}-far", "2026-01-01T00:00:00+99:00"),
        over(f"{prefix}-edge", "9999-12-31T23:59:59-14:00"),
        over(f"{prefix}-odd", plan={"name": "trial"}),
        over(f"{prefix}-refused"),
        over(f"{prefix}-broken"),
        over(f"{prefix}-busy"),
        over(f"{prefix}-fine-1"),
        over(f"{prefix}-fine-2"),
        by_hand(f"{prefix}-hand"),
    ]
    refusals: dict[str, Exception] = {
        f"{prefix}-refused": KubeInvalidError("kubernetes", "no", (Cause("spec", "a rule says no, and why"),)),
        f"{prefix}-broken": ZeroDivisionError("a fault"),
        f"{prefix}-busy": KubeUnavailableError("kubernetes", "no answer"),
    }
    cluster = ClusterWithInvalidBodies(bodies, refusals)
    jobs = Worker(dataclasses.replace(infrastructure, tenants=TenantRepository(cluster, "vivero-signups")))
    before = skipped()
    await jobs.trials.run()
    assert sorted(cluster.closed) == [f"{prefix}-{name}: TrialEnded" for name in ("fine-1", "fine-2", "hand")]
    assert skipped() - before == 6
    for name in ("far", "edge", "odd", "refused", "broken", "busy"):
        assert f"{prefix}-{name}" in [vars(record).get("item", vars(record).get("object")) for record in caplog.records]
    written = sql("SELECT subject FROM audit WHERE subject LIKE %s AND outcome = 'done'", f"tenant/{prefix}-%")
    assert {row[0] for row in written} == {f"tenant/{prefix}-{name}" for name in ("fine-1", "fine-2", "hand")}
    told = sql("SELECT COUNT(*) FROM outbox WHERE `key` LIKE %s", f"mail.trial-ended:{prefix}-%")
    assert told == [(6,)], "who cannot be closed yet is told all the same"


def skipped() -> float:
    loops = ("tenants", "trials-tell", "trials-close")
    return sum(REGISTRY.get_sample_value("vivero_control_skipped_total", {"loop": loop}) or 0.0 for loop in loops)
