"""Each folder of cases/ is one case: given.yaml and expected.yaml, see case_files.py. A new case is two files."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from reconcile.case_files import Dropped, Expected, Given, Step, read
from reconcile.certificates import secret_body
from reconcile.world import NOW, World
from vivero_core.model.own_hosts import record_name, record_value
from vivero_operator.policies import drift
from vivero_operator.reconcile.controller import Result

CASES = Path(__file__).parent / "cases"
SERVING = read(Path(__file__).parent / "serving.yaml", list[Step])


def set_time(world: World, step: Step) -> None:
    world.now += timedelta(seconds=step.advance)
    for tenant in world.cluster.tenants:
        if step.resync:
            world.state.forget(tenant.metadata.uid)
        if step.suspect:
            world.state.suspect(tenant.metadata.uid)


def drop(world: World, dropped: Dropped) -> None:
    """Behind the operator's back."""
    world.backends.servers["main"].databases -= set(dropped.databases)
    for bucket in dropped.buckets:
        del world.backends.s3.buckets[bucket]


def set_servers(world: World, step: Step) -> None:
    for server, users in step.tampered.items():
        world.backends.servers[server].users |= users
    world.backends.servers["main"].databases |= set(step.databases)
    world.backends.s3.buckets |= dict.fromkeys(step.buckets, "")
    drop(world, step.dropped)
    for emptied in (world.backends.servers["main"], world.backends.s3):
        emptied.empty |= set(step.emptied)
    world.backends.servers["main"].down = step.faults.main
    world.backends.s3.down = step.faults.s3
    world.backends.valkey.down = step.faults.valkey
    world.data_plane.down = step.faults.data_plane
    world.data_plane.failing = step.faults.proof


async def prepare(world: World, step: Step) -> None:
    for record in step.records:
        await world.escrow(**record)
    set_time(world, step)
    if step.restart:
        world.restart()
    for name in step.vanished:
        world.remove("Tenant", None, name)
    for kind, namespace, name in step.gone:
        world.remove(kind, namespace, name)
    for name, host in step.certificates.items():
        world.put(secret_body(name, host, NOW - timedelta(days=1)))
    for manifest in step.objects:
        world.put(manifest)
    for host in step.verified:
        tenant = next(one for one in world.cluster.tenants.having(("host", host)) if one.name == "acme")
        world.dns.records[record_name(host)] = {record_value(tenant.metadata.uid, host), "v=spf1 -all"}
    set_servers(world, step)


async def serve(world: World) -> None:
    """Until Tenant acme is Ready."""
    for step in SERVING:
        await prepare(world, step)
        await world.reconcile()


async def play(given: Given) -> tuple[World, Result]:
    world = World(**given.settings)
    for manifest in given.around:
        world.put(manifest)
    result = Result()
    if given.serving:
        await serve(world)
    for step in given.passes:
        await prepare(world, step)
        result = await world.reconcile(given.reconcile)
    return world, result


def check_tenant(world: World, name: str, expected: Expected) -> None:
    body = world.kube.objects.get(("Tenant", None, name), {})
    status = body.get("status", {})
    found = {one["type"]: f"{one['status']} {one['reason']}" for one in status.get("conditions", ())}
    assert found == expected.conditions
    if expected.message is not None:
        assert status["message"] == expected.message
    assert {key: status.get(key) for key in expected.status} == expected.status


def check_events(world: World, expected: Expected) -> None:
    found = [item for (kind, _, _), item in world.kube.objects.items() if kind == "Event"]
    assert {f"{item['type']} {item['reason']}" for item in found} == set(expected.events)
    if expected.event is not None:
        assert expected.event in [item["note"] for item in found]


def check_objects(world: World, expected: Expected) -> None:
    for manifest in expected.objects:
        meta = manifest["metadata"]
        live = world.kube.objects.get((manifest["kind"], meta.get("namespace"), meta["name"]))
        assert not drift.differs(manifest, live), live
    assert not set(expected.absent) & world.kube.objects.keys()


def check_backends(world: World, expected: Expected) -> None:
    main = world.backends.servers["main"]
    found = {
        "databases": sorted(main.databases),
        "database_users": main.connections and {name: main.connections[name] for name in sorted(main.users)},
        "buckets": sorted(world.backends.s3.buckets),
        "accounts": sorted(world.backends.s3.users),
        "cache_users": sorted(world.backends.valkey.users),
        "owners": [one.email for one in world.data_plane.owners],
    }
    assert {key: found[key] for key in expected.backends} == expected.backends


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
async def test_case(folder: Path) -> None:
    given = read(folder / "given.yaml", Given)
    expected = read(folder / "expected.yaml", Expected)
    world, result = await play(given)
    if expected.writes is not None:
        writes = ["create Event default/EVENT" if "Event" in one else one for one in world.kube.writes]
        assert sorted(writes) == sorted(expected.writes)
    check_tenant(world, given.reconcile, expected)
    check_events(world, expected)
    check_objects(world, expected)
    check_backends(world, expected)
    if expected.result is not None:
        assert (result.failed, result.retry_after) == (expected.result.failed, expected.result.retry_after)


@pytest.mark.parametrize("word", ["conditons", "without", "event_s"])
def test_a_key_that_nobody_checks_is_refused(word: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=word):
        msgspec.convert({"conditions": {}, "events": [], word: {}}, Expected)
