"""Whatever we, our staff and our customers order is no drift: no sequence of it makes an event that says so."""

import asyncio
import base64
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconcile.certificates import secret_body
from reconcile.scenes import NAMESPACE, again, body, change, condition, events, password, pod, serving
from reconcile.world import NOW, PLAN, SERVER, World, tenant_body
from vivero_core.model.own_hosts import record_name, record_value

HOST = "app.example.com"
Act = Callable[[World, int], object]


def plan(world: World, name: str, number: int) -> None:
    """A Plan as staff may write it, of one of a few sizes."""
    made = copy.deepcopy(PLAN)
    made["metadata"] = {"name": name, "generation": number + 1}
    made["spec"]["limits"] |= {"records": 1000 + number, "connections": 10 + number}
    made["spec"]["workload"] = {"memoryLimit": f"{512 * (1 + number % 3)}Mi", "replicas": 1 + number % 2}
    made["spec"]["features"] = ["files", "api"][: number % 3]
    world.put(made)


def claim(world: World, number: int) -> None:
    if body(world)["spec"].get("slug") is None:
        password(world)
        owner = {"email": f"owner{number}@b.co", "passwordHashSecret": "signup-1"}
        claimed = (world.now + timedelta(seconds=1)).isoformat()
        change(world, slug="acme", owner=owner, displayName="Acme", claimedAt=claimed)


def claimed(act: Act) -> Act:
    """Only of a tenant that has an owner."""

    def only_then(world: World, number: int) -> None:
        if body(world)["spec"].get("slug") is not None:
            act(world, number)

    return only_then


def suspend(world: World, number: int) -> None:
    reason = ["TrialEnded", "Unpaid", "Abuse", "Manual"][number % 4]
    change(world, suspended={"reason": reason, "message": f"Because of {number}"})


def certified(world: World, _: int) -> None:
    world.put(secret_body("app-tls", HOST, NOW - timedelta(days=1)))
    tenant = next(iter(world.cluster.tenants))
    world.dns.records[record_name(HOST)] = {record_value(tenant.metadata.uid, HOST)}


def upgrade(world: World, number: int) -> None:
    """A new image, other options of tenants' pods, and an operator with other rules for caches, and audit logs."""
    image, pulls = f"image:{number}", [{"name": "registry"}][: number % 2]
    options = world.settings.data_plane_pod.model_validate({"imagePullSecrets": pulls})
    world.settings = world.settings.model_copy(update={"data_plane_image": image, "data_plane_pod": options})
    world.backends.valkey.former |= world.backends.valkey.users.keys()
    for server in world.backends.servers.values():
        server.former |= server.databases
    world.restart()


def issuer(world: World, number: int) -> None:
    update = {"host_issuer": ["", "letsencrypt"][number % 2], "egress_cidrs": (f"10.{number}.0.0/16",)}
    world.settings = world.settings.model_copy(update=update)
    world.restart()


def rotate(world: World, number: int) -> None:
    """A person sets another password in a tenant's Secret; it is carried out."""
    live = world.kube.objects.get(("Secret", NAMESPACE, "database"))
    if live is not None:
        live["data"]["password"] = base64.b64encode(f"rotated{number}".encode()).decode()


def enlarge(world: World, number: int) -> None:
    plan(world, "large", number)
    change(world, plan="large", trialEndsAt=None)


ORDERS: Final[dict[str, Act]] = {
    "claim": claim,
    "rename": claimed(lambda world, number: change(world, displayName=f"Acme {number}")),
    "another owner": claimed(lambda world, number: change(world, owner={"email": f"new{number}@b.co"})),
    "end of the trial": claimed(lambda world, number: change(world, trialEndsAt=f"2026-12-{number + 1:02}T00:00:00Z")),
    "plan changed": lambda world, number: plan(world, "trial", number),
    "other plan": claimed(enlarge),
    "back to the trial": claimed(lambda world, _: change(world, plan="trial")),
    "suspend": claimed(suspend),
    "resume": claimed(lambda world, _: change(world, suspended=None)),
    "own host": claimed(
        lambda world, _: change(world, hosts=[HOST], hostCertificates=[{"host": HOST, "secretName": "app-tls"}])
    ),
    "host of the issuer": claimed(lambda world, _: change(world, hosts=[HOST], hostCertificates=None)),
    "no own host": claimed(lambda world, _: change(world, hosts=None, hostCertificates=None)),
    "certificate": certified,
    "server moved": lambda world, number: world.put(
        {**SERVER, "spec": {**SERVER["spec"], "host": f"db{number}.example"}}
    ),
    "password rotated": rotate,
    "restart by annotation": lambda world, number: world.put(
        {"kind": "Tenant", "metadata": {"name": "acme", "annotations": {"vivero.dev/restart": str(number)}}}
    ),
    "upgrade": upgrade,
    "settings": issuer,
    "operator restarts": lambda world, _: world.restart(),
    "database away or back": lambda world, number: setattr(world.backends.servers["main"], "down", bool(number % 2)),
    "storage away or back": lambda world, number: setattr(world.backends.s3, "down", bool(number % 2)),
    "pod away or back": lambda world, number: setattr(world.data_plane, "down", bool(number % 2)),
    "an hour": lambda world, _: setattr(world, "now", world.now + timedelta(hours=1)),
}
PASSES: Final[dict[str, Callable[[World], Any]]] = {
    "pass": lambda world: world.reconcile(),
    "suspicion": again,
    "resync": lambda world: again(world, suspect=False),
}


async def spare() -> World:
    world = World()
    body_of_spare = tenant_body(slug=None, owner=None, pool="trial", displayName="Spare")
    registry = {"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/dockerconfigjson", "data": {"x": "e30="}}
    for manifest in (
        PLAN,
        SERVER,
        body_of_spare,
        registry | {"metadata": {"name": "registry", "namespace": "vivero-system"}},
    ):
        world.put(manifest)
    await world.reconcile()
    for name in ("app-1", "app-2"):
        world.put(pod(name))
    await world.reconcile()
    assert condition(world, "Ready") == "True Proven"
    return world


def alarms(world: World) -> list[str]:
    return [one for one in events(world) if "Drift" in one]


Orders = list[tuple[str, int, list[str]]]
PASSES_OF_AN_ORDER = st.lists(st.sampled_from(sorted(PASSES)), max_size=2)


async def follow(world: World, orders: Orders) -> None:
    for order, number, passes in orders:
        ORDERS[order](world, number)
        for one in passes:
            await PASSES[one](world)
            assert not alarms(world), (order, alarms(world))


async def play(orders: Orders, *, of_a_customer: bool) -> None:
    world = await spare()
    if of_a_customer:
        await follow(world, [("claim", 0, ["pass", "suspicion"])])
    await follow(world, orders)
    for server in ("database away or back", "storage away or back", "pod away or back"):
        ORDERS[server](world, 0)
    for _ in range(3):
        await again(world)
    assert not alarms(world)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(ORDERS)), st.integers(0, 20), PASSES_OF_AN_ORDER), min_size=1, max_size=15
    ),
    st.booleans(),
)
def test_no_order_is_called_drift(orders: Orders, of_a_customer: bool) -> None:  # noqa: FBT001
    asyncio.run(play(orders, of_a_customer=of_a_customer))


@pytest.mark.parametrize(
    "orders",
    [
        [("suspend", 0, ["pass"]), ("resume", 0, ["pass"])],
        [("suspend", 0, ["pass", "resync"]), ("plan changed", 3, ["pass"]), ("resume", 0, ["suspicion"])],
        [("other plan", 3, ["pass"]), ("back to the trial", 0, ["suspicion"])],
        [("operator restarts", 0, []), ("plan changed", 7, ["pass"])],
        [("upgrade", 1, ["pass"]), ("upgrade", 2, ["pass"]), ("upgrade", 3, ["pass"])],
        [("own host", 0, ["pass"]), ("certificate", 0, ["pass"]), ("suspend", 0, ["pass"]), ("resume", 0, ["pass"])],
        [("host of the issuer", 0, ["pass"]), ("certificate", 0, ["pass"]), ("settings", 1, ["pass"])],
        [("database away or back", 1, []), ("password rotated", 0, ["suspicion"]), ("operator restarts", 0, [])],
    ],
    ids=lambda orders: ", ".join(order for order, _, _ in orders),
)
async def test_nor_are_these_ones(orders: Orders) -> None:
    await play(orders, of_a_customer=True)


@pytest.mark.parametrize("suspect", [False, True])
async def test_rules_of_an_earlier_release_are_no_alarm_and_a_hand_is_one(*, suspect: bool) -> None:
    world = await serving()
    cache = world.backends.valkey
    cache.former |= cache.users.keys()
    world.restart()
    await again(world, suspect=suspect)
    assert not cache.former
    assert not alarms(world)
    for name in cache.users:
        cache.users[name] = "changed by hand"
    await again(world)
    assert alarms(world) == ["Warning DriftCorrected: Drift corrected: cache user was changed outside Vivero"]


ALWAYS_THERE: Final = [
    ("Namespace", None, NAMESPACE),
    ("RoleBinding", NAMESPACE, "vivero-operator"),
    ("NetworkPolicy", NAMESPACE, "app"),
    ("PodDisruptionBudget", NAMESPACE, "app"),
    ("ResourceQuota", NAMESPACE, "app"),
    ("ServiceAccount", NAMESPACE, "app"),
    ("ConfigMap", NAMESPACE, "platform"),
    ("Deployment", NAMESPACE, "app"),
    ("Service", NAMESPACE, "app"),
    ("Ingress", NAMESPACE, "app"),
    *(("Secret", NAMESPACE, name) for name in ("app", "cache", "database", "limits", "storage")),
]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("kind", "namespace", "name"), ALWAYS_THERE)
async def test_what_was_not_ordered_is(kind: str, namespace: str | None, name: str, *, restarted: bool) -> None:
    world = await serving()
    if restarted:
        world.restart()
    world.remove(kind, namespace, name)
    await again(world)
    severe = kind in ("Secret", "NetworkPolicy", "Namespace", "RoleBinding", "ServiceAccount")
    (alarm,) = alarms(world)
    assert alarm.startswith(f"{'Warning' if severe else 'Normal'} DriftCorrected: Drift corrected: ")
    assert f"{kind}/{name}" in alarm
    assert (kind, namespace, name) in world.kube.objects
