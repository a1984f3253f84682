"""Where the walk goes: an object of each kind, how one sees that the operator is idle, and what its fields mean."""

import time
from dataclasses import dataclass
from typing import Any, Final

from faults.rig import QUIET_SECONDS, Rig, eventually
from faults.scenarios import LARGE, SMALL, born, certificate_of, discard, host_of, look, new_slug, retire
from faults.state import Names, State
from faults.walk import Ground
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.resources import DATABASE_SERVER, PLAN, RELEASE, TENANT, TENANT_POOL, Resource
from vivero_core.model.constants import API_VERSION

_DATES: Final = ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z")
_FIXED: Final = frozenset({"slug", "adopt", "pool", "databaseServer", "claimedAt"})
_ONLY_ON_TRIAL: Final = frozenset({"trialEndsAt"})
_ONLY_ON_PLAN_TRIAL: Final = frozenset({"trialDays"})
_OF_ANOTHER_RELEASE: Final = frozenset({"image", "podTemplate"})


def _tenant_table(slug: str) -> dict[str, tuple[Any, Any]]:
    return {
        "displayName": ("Zoë & Söhne", "Another"),
        "slug": ("other-one", "other-two"),
        "hosts": ([host_of(slug, "a")], [host_of(slug, "b"), host_of(slug, "c")]),
        # The second is no certificate for this host, and the condition says so.
        "hostCertificates": (
            [{"host": host_of(slug), "secretName": certificate_of(slug)}],
            [{"host": host_of(slug), "secretName": certificate_of(slug, "two")}],
        ),
        "plan": (LARGE, SMALL),
        "owner.email": ("second@example.com", "third@example.com"),
        "owner.passwordHashSecret": ("signup-none", "signup-never"),
        "trialEndsAt": _DATES,
        "databaseServer": ("elsewhere", "nowhere"),
        "adopt": ("abcdefgh23", "abcdefgh45"),
        "acceptDataLossAt": _DATES,
        "pool": ("one", "two"),
        "claimedAt": _DATES,
    }


# Always more CPU than there is: see pods.py.
_PLAN_TABLE: Final = {
    "limits.connections": (55, 65),
    "features": (["files"], ["api", "files"]),
    "workload.cpuRequest": ("201", "202"),
    "workload.cpuLimit": ("240", "250"),
    "workload.memoryRequest": ("64Mi", "128Mi"),
    "workload.memoryLimit": ("512Mi", "300Mi"),
}
_SERVER_TABLE: Final = {
    "host": ("nowhere.invalid", "127.0.0.1"),
    "adminSecret": ("none", "never"),
    "caConfigMap": ("none", "never"),
    "removeOrphans": (["abcdefgh23"], ["abcdefgh23", "abcdefgh45"]),
}
_RELEASE_TABLE: Final = {
    "podTemplate": ({"spec": {"containers": [{"name": "app"}]}}, {"spec": {"containers": [{"name": "b"}]}})
}
_POOL_TABLE: Final = {"plan": (LARGE, SMALL), "size": (2, 0)}


async def tenant(rig: Rig) -> Ground:
    names = await born(rig, new_slug())

    async def settled(mark: int) -> bool:
        found = await look(rig, names)
        current = found is not None and found.status.observed_generation == found.metadata.generation
        return current and is_idle(rig, names, mark)

    ground = Ground(
        rig,
        TENANT,
        names.tenant,
        lambda: rig.collector.collect(names),
        settled,
        about=names,
        table=_tenant_table(names.slug),
        refused=_FIXED | _ONLY_ON_TRIAL,
        context={
            "suspended.message": {"suspended": {"reason": "Manual"}},
            # Its certificate may not stay without the host; an issuer brings one for the others.
            "hosts": {"hostCertificates": []},
        },
    )
    await _change_limits(ground, {"plan": LARGE}, {"plan": SMALL})
    return ground


async def _change_limits(ground: Ground, there: Object, back: Object) -> None:
    """From the first change on a tenant's limits are marked as changed, once and for all: pods have to be told."""
    await ground.put({"spec": there})
    await ground.put({"spec": back})


def is_idle(rig: Rig, names: Names, mark: int) -> bool:
    calls = rig.calls(names, mark)
    return bool(calls) and time.monotonic() - calls[-1].at > QUIET_SECONDS


async def plan(rig: Rig, name: str) -> Ground:
    """A Plan, seen through a Tenant on it."""
    body = await rig.kube.get(PLAN, SMALL)
    # Enough connections for any number of replicas that is tried.
    spec = body["spec"] | {"limits": body["spec"]["limits"] | {"connections": 100}}
    await rig.kube.create({**body, "metadata": {"name": name}, "spec": spec})
    names = await born(rig, new_slug(), plan=name)

    async def settled(mark: int) -> bool:
        return is_idle(rig, names, mark)

    ground = Ground(
        rig,
        PLAN,
        name,
        lambda: rig.collector.collect(names),
        settled,
        about=names,
        table=_PLAN_TABLE,
        refused=_ONLY_ON_PLAN_TRIAL,
        kept=frozenset({"workload.cpuRequest"}),
    )
    await _change_limits(ground, {"limits": {"users": 7}}, {"limits": {"users": None}})
    return ground


async def database_server(rig: Rig, name: str) -> Ground:
    """The same server once more, where no tenant is placed."""
    body = (await rig.kube.list(DATABASE_SERVER)).items[0]
    spec = {**body["spec"], "capacity": 0, "cordoned": True}
    await rig.kube.create({**body, "metadata": {"name": name}, "spec": spec, "status": {}})
    seen = _Seen(rig, DATABASE_SERVER, name)
    await eventually(lambda: seen.current(0))
    return Ground(rig, DATABASE_SERVER, name, seen.state, seen.current, table=_SERVER_TABLE)


async def tenant_pool(rig: Rig, name: str) -> Ground:
    spec = {"plan": SMALL, "size": 1}
    await rig.kube.create({"apiVersion": API_VERSION, "kind": "TenantPool", "metadata": {"name": name}, "spec": spec})
    seen = _Seen(rig, TENANT_POOL, name)

    async def full(mark: int) -> bool:
        body = await rig.kube.get(TENANT_POOL, name)
        size, status = body["spec"]["size"], body.get("status", {})
        plans = {one["spec"]["plan"] for one in await spares(rig, name)}
        counted = status.get("ready") == status.get("spares") == size == len(await spares(rig, name))
        return counted and plans <= {body["spec"]["plan"]} and await seen.current(mark)

    async def state() -> State:
        return await seen.state() | {"plans": sorted(one["spec"]["plan"] for one in await spares(rig, name))}

    await eventually(lambda: full(0))
    return Ground(rig, TENANT_POOL, name, state, full, table=_POOL_TABLE)


async def release(rig: Rig) -> Ground:
    """The one that this operator makes pods from."""
    names = await born(rig, new_slug())
    found = await look(rig, names)
    name = found.status.release if found is not None else None
    assert name is not None
    seen = _Seen(rig, RELEASE, name)
    await eventually(lambda: seen.current(0))
    return Ground(
        rig, RELEASE, name, seen.state, seen.current, table=_RELEASE_TABLE, refused=_OF_ANOTHER_RELEASE, about=names
    )


async def spares(rig: Rig, pool: str) -> list[Object]:
    return [one for one in (await rig.kube.list(TENANT)).items if one["spec"].get("pool") == pool]


@dataclass(frozen=True)
class _Seen:
    """An object whose status says all there is to see."""

    rig: Rig
    resource: Resource
    name: str

    async def current(self, _: int) -> bool:
        body = await self.rig.kube.get(self.resource, self.name)
        return bool(body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"])

    async def state(self) -> State:
        body = await self.rig.kube.get(self.resource, self.name)
        status = {key: value for key, value in body.get("status", {}).items() if key != "observedGeneration"}
        # Messages tell how a try failed, which is not the same each time.
        conditions = {one["type"]: [one["status"], one["reason"]] for one in status.pop("conditions", [])}
        return {"spec": body["spec"], "status": status, "conditions": conditions}


async def leave(ground: Ground) -> None:
    """Delete what was walked, and the Tenant that was made to see it; a Release in use stays."""
    if ground.about is not None:
        await retire(ground.rig, ground.about)
    if ground.resource not in (TENANT, RELEASE):
        await discard(ground.rig, ground.resource, ground.name)
