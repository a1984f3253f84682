"""What programs do with an object of ours, in memory: whatever the API server admits, none of it may raise.

What the operator makes of it goes back to the API server: a manifest that this refuses would fail at every pass.
"""

from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconcile.world import PLAN, SERVER, World, tenant_body
from vivero_control.domain.plans.service import view
from vivero_control.domain.signups import progress
from vivero_control.domain.signups.reachability import is_new
from vivero_control.domain.tenants import policies as staff
from vivero_control.domain.tenants import trials
from vivero_control.web import presentation
from vivero_core.model import naming
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.reconcile.kind import KindSpec
from vivero_operator.reconcile.plan import PlanReconciler
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.release import ReleaseReconciler

Object = dict[str, Any]

NAMESPACE: Final = "kube-public"
"""Where manifests of a namespace are tried: it is in every cluster, and holds next to nothing."""


def _world() -> World:
    world = World()
    world.now = datetime.now(UTC).replace(microsecond=0)
    for manifest in (PLAN, SERVER):
        world.put(manifest)
    return world


async def _live(world: World, body: Object) -> None:
    """Made, or found as it is with all that it holds; in service; suspended."""
    tenant = Tenant.parse(body)
    world.put(body)
    if "status" in body:
        await _furnish(world, tenant)
    await world.reconcile(tenant.name)
    pod = {
        "metadata": {"name": "app-1", "namespace": f"tenant-{tenant.id}", "labels": {"vivero.dev/tenant": tenant.id}}
    }
    status = {"podIP": "10.0.0.9", "conditions": [{"type": "Ready", "status": "True"}]}
    world.put({"kind": "Pod", "apiVersion": "v1", **pod, "status": status})
    for change in ({}, {"spec": {"suspended": {"reason": "Manual"}}}):
        world.put({"kind": "Tenant", **change, "metadata": {"name": tenant.name}})
        world.state.forget(tenant.metadata.uid)
        await world.reconcile(tenant.name)


async def _furnish(world: World, tenant: Tenant) -> None:
    """Its keys, its schema and its bucket are there, wherever its status says that they are."""
    server = tenant.status.database_server or "main"
    world.put({**SERVER, "metadata": {"name": server}})
    world.backends.servers[server].databases.add(naming.database_name(tenant.id))
    world.backends.s3.buckets[naming.bucket_name(tenant.id)] = naming.bucket_name(tenant.id)
    await world.escrow(tenant.id, tenant.metadata.uid, server)


async def _die(world: World, name: str) -> None:
    going = {"deletionTimestamp": "2026-11-28T00:00:00Z"}
    for policy in ("Retain", "Delete"):
        world.put({"kind": "Tenant", "metadata": {"name": name, **going}, "spec": {"deletionPolicy": policy}})
        world.state.forget(world.kube.objects["Tenant", None, name]["metadata"]["uid"])
        await world.reconcile(name)


async def of_tenant(body: Object) -> list[Object]:
    """All that the operator has made of the Tenant while it lived."""
    world, plan = _world(), body["spec"]["plan"]
    world.put({**PLAN, "metadata": {"name": plan}})
    await _live(world, body)
    made = list(world.kube.objects.values())
    await _die(world, body["metadata"]["name"])
    _as_staff_see_it(Tenant.parse(body))
    return made


def _as_staff_see_it(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    calls: tuple[Callable[[Tenant], object], ...] = (
        staff.is_ready,
        staff.state_of,
        staff.message_of,
        progress.permanent_failure,
        lambda one: staff.claimable(one, now),
        lambda one: staff.trial_over(one, now),
        lambda one: trials.due(one, now),
        lambda one: is_new(one, now),
        lambda one: progress.overall(one, None, reachable=True),
        lambda one: progress.steps(one, reachable=True),
    )
    for call in calls:
        call(tenant)
    ends = staff.trial_end(tenant)
    if ends is not None:
        staff.timestamp(ends)
        presentation.proposed_end(ends, now)


async def of_plan(body: Object) -> list[Object]:
    world, name = _world(), body["metadata"]["name"]
    world.put(body)
    await PlanReconciler(world.services).reconcile(name)
    tenant = tenant_body(plan=name)
    await _live(world, tenant)
    small = world.kube.objects["Plan", None, name]
    # A tenant that comes from another size, and goes to another one.
    world.put(
        {"kind": "Tenant", "metadata": {"name": "acme", "generation": 2}, "spec": {"plan": PLAN["metadata"]["name"]}}
    )
    await world.reconcile()
    presentation.compare([view(Plan.parse(small))], supported=True)
    presentation.trial_days([view(Plan.parse(small))])
    return list(world.kube.objects.values())


async def of_database_server(body: Object) -> list[Object]:
    world, name = _world(), body["metadata"]["name"]
    world.put(body)
    await DatabaseServerReconciler(world.services, lambda _: None, lambda: None).reconcile(name)
    await _live(world, tenant_body(databaseServer=name))
    return list(world.kube.objects.values())


def of_kind(spec: KindSpec[Any]) -> Callable[[Object], Coroutine[Any, Any, list[Object]]]:
    """Of any kind: what its reconciler makes of it now, and a minute later."""

    async def use(body: Object) -> list[Object]:
        world = _world()
        context = HandlerContext(world.cluster, WorkQueue[Key](), world.state, Heartbeat())
        reconciler = spec.reconciler(world.services, context)
        world.put(body)
        await reconciler.reconcile(body["metadata"]["name"])
        world.now += timedelta(seconds=60)
        await reconciler.reconcile(body["metadata"]["name"])
        return list(world.kube.objects.values())

    return use


async def of_release(body: Object) -> list[Object]:
    """Tenants that are on it stay on it, and those that are to come to it do."""
    world, name = _world(), body["metadata"]["name"]
    world.put(body)
    reconciler = ReleaseReconciler(world.services, lambda _: None)
    await reconciler.reconcile(name)
    await _live(
        world, {**tenant_body(), "status": {"release": name, "version": "1", "provenAt": "2026-11-22T11:59:30Z"}}
    )
    assert ("Deployment", f"tenant-{Tenant.parse(tenant_body()).id}", "app") in world.kube.objects
    world.services.rollout.current = name
    await reconciler.reconcile(name)
    return list(world.kube.objects.values())


def children(made: list[Object]) -> Iterator[Object]:
    """What the API server has to take as well, in a namespace that is there."""
    for item in made:
        meta = item["metadata"]
        if "vivero.dev/" not in item.get("apiVersion", "vivero.dev/") and item["kind"] not in ("Pod", "Event"):
            kept = {key: value for key, value in meta.items() if key not in ("uid", "resourceVersion")}
            yield {**item, "metadata": kept | ({"namespace": NAMESPACE} if "namespace" in meta else {})}
