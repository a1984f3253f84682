"""Each folder of cases/ is one case: given.yaml and expected.yaml. A new case is two files.

given: `passes` is a list; before each pass `objects` are put, `gone` names are removed, passwords are `tampered` with,
`faults` and `advance` (seconds) are set, `records` of tenants' keys are in the escrow, TXT records prove who owns the
`verified` hosts, `certificates` (Secret -> host) were handed in, databases and buckets are `dropped` or `emptied`,
Tenants have `vanished` without their finalizer, and with `restart` the operator was started again.
`serving: true` puts the passes of serving.yaml before them: Tenant acme is Ready, and its pod runs.
expected: what holds after the last pass; `writes` are those of the last pass alone, `event` is its event's message, in
any order of its parts, and `events` are some of all, as type and reason.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from reconcile.certificates import secret_body
from reconcile.world import NOW, PLAN, SERVER, World
from vivero_operator.policies import drift, hosts
from vivero_operator.reconcile.tenant import Result

CASES = Path(__file__).parent / "cases"
SERVING = yaml.safe_load((Path(__file__).parent / "serving.yaml").read_text())


def set_time(world: World, step: dict[str, Any]) -> None:
    world.now += timedelta(seconds=step.get("advance", 0))
    for tenant in world.cluster.tenants:
        if step.get("resync"):
            world.state.forget(tenant.metadata.uid)
        if step.get("suspect"):
            world.state.suspect(tenant.metadata.uid)


def drop(world: World, dropped: dict[str, list[str]]) -> None:
    """Behind the operator's back."""
    world.backends.servers["main"].databases -= set(dropped.get("databases", ()))
    for bucket in dropped.get("buckets", ()):
        del world.backends.s3.buckets[bucket]


def set_servers(world: World, step: dict[str, Any]) -> None:
    for server, users in step.get("tampered", {}).items():
        world.backends.servers[server].users |= users
    world.backends.servers["main"].databases |= set(step.get("databases", ()))
    world.backends.s3.buckets |= dict.fromkeys(step.get("buckets", ()), "")
    drop(world, step.get("dropped", {}))
    for server in (world.backends.servers["main"], world.backends.s3):
        server.empty |= set(step.get("emptied", ()))
    faults = step.get("faults", {})
    for name, server in world.backends.all().items():
        server.down = faults.get(name, False)
    world.backends.servers["main"].down = faults.get("main", False)
    world.data_plane.down = faults.get("data_plane", False)
    world.data_plane.failing = tuple(faults.get("proof", ()))


async def prepare(world: World, step: dict[str, Any]) -> None:
    for record in step.get("records", []):
        await world.escrow(**record)
    set_time(world, step)
    if step.get("restart"):
        world.restart()
    for name in step.get("vanished", []):
        world.remove("Tenant", None, name)
    for kind, namespace, name in step.get("gone", []):
        world.remove(kind, namespace, name)
    for name, host in step.get("certificates", {}).items():
        world.put(secret_body(name, host, NOW - timedelta(days=1)))
    for manifest in step.get("objects", []):
        world.put(manifest)
    for host in step.get("verified", []):
        tenant = next(one for one in world.cluster.tenants.having(("host", host)) if one.name == "acme")
        world.dns.records[hosts.record_name(host)] = {hosts.record_value(tenant, host), "v=spf1 -all"}
    set_servers(world, step)


async def serve(world: World) -> None:
    """Until Tenant acme is Ready."""
    for step in SERVING:
        await prepare(world, step)
        await world.reconcile()


async def play(given: dict[str, Any]) -> tuple[World, Result]:
    world = World()
    for manifest in given.get("around", [PLAN, SERVER]):
        world.put(manifest)
    result = Result()
    if given.get("serving"):
        await serve(world)
    for step in given["passes"]:
        await prepare(world, step)
        result = await world.reconcile(given.get("reconcile", "acme"))
    return world, result


def conditions_of(world: World, name: str) -> dict[str, str]:
    body = world.kube.objects["Tenant", None, name]
    found = body.get("status", {}).get("conditions", [])
    return {one["type"]: f"{one['status']} {one['reason']}" for one in found}


def check_tenant(world: World, name: str, expected: dict[str, Any]) -> None:
    if expected.get("conditions"):
        assert expected["conditions"].items() <= conditions_of(world, name).items(), conditions_of(world, name)
    body = world.kube.objects.get(("Tenant", None, name), {})
    if "message" in expected:
        assert expected["message"] == body["status"]["message"]
    assert not set(expected.get("without", ())) & conditions_of(world, name).keys()
    for key, value in expected.get("status", {}).items():
        assert body["status"].get(key) == value, key


def check_event(world: World, expected: dict[str, Any]) -> None:
    found = [f"{item['type']} {item['reason']}" for (kind, _, _), item in world.kube.objects.items() if kind == "Event"]
    assert set(expected.get("events", ())) <= set(found), found
    if "event" in expected:
        notes = [item["note"] for (kind, _, _), item in world.kube.objects.items() if kind == "Event"]
        assert expected["event"] in notes


def check_objects(world: World, expected: dict[str, Any]) -> None:
    for manifest in expected.get("objects", []):
        meta = manifest["metadata"]
        live = world.kube.objects.get((manifest["kind"], meta.get("namespace"), meta["name"]))
        assert not drift.differs(manifest, live), live
    for kind, namespace, name in expected.get("absent", []):
        assert (kind, namespace, name) not in world.kube.objects


def check_backends(world: World, expected: dict[str, Any]) -> None:
    backends = expected.get("backends", {})
    main = world.backends.servers["main"]
    found = {
        "databases": sorted(main.databases),
        "database_users": main.connections and {name: main.connections[name] for name in sorted(main.users)},
        "buckets": sorted(world.backends.s3.buckets),
        "accounts": sorted(world.backends.s3.users),
        "cache_users": sorted(world.backends.valkey.users),
        "owners": [one.email for one in world.data_plane.owners],
    }
    for key, value in backends.items():
        assert found[key] == value, key


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
async def test_case(folder: Path) -> None:
    given = yaml.safe_load((folder / "given.yaml").read_text())
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    world, result = await play(given)
    if "writes" in expected:
        writes = ["create Event default/EVENT" if "Event" in one else one for one in world.kube.writes]
        assert sorted(writes) == sorted(expected["writes"])
    check_tenant(world, given.get("reconcile", "acme"), expected)
    check_event(world, expected)
    check_objects(world, expected)
    check_backends(world, expected)
    if "result" in expected:
        assert (result.failed, result.retry_after) == (expected["result"]["failed"], expected["result"]["retry_after"])
