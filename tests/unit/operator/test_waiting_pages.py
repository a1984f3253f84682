"""Our page at the address of a workspace that is down: shown in time, taken away in time, and never beside a pod that answers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import merge
from reconcile.scenes import IDENT, NAMESPACE, pod, serving
from reconcile.world import NOW, World, tenant_body
from unit.operator.test_manifests import instance
from vivero_core.backends.kube.client import Change, Listing
from vivero_core.backends.kube.errors import SYSTEM, KubeUnavailableError
from vivero_operator.handlers import pods
from vivero_operator.health import Heartbeat
from vivero_operator.manifests import ingress, waiting_page
from vivero_operator.manifests.waiting_page import Backing
from vivero_operator.policies.waiting_page import FIRST_START
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.waiting_pages import WaitingPages, _Slice

Object = dict[str, Any]
PAGE = ("EndpointSlice", NAMESPACE, waiting_page.NAME)


def slice_of(*addresses: str, name: str = "cp-1", family: str = "IPv4", ready: bool = True) -> Object:
    """As the cluster's own controller writes it for the control plane's Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "vivero-system", "uid": f"uid-{name}", "labels": {}},
        "addressType": family,
        "ports": [{"name": "metrics", "port": 9090}, {"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [one], "conditions": {"ready": ready}} for one in addresses],
    }


def listing(*bodies: Object) -> Listing[_Slice]:
    return Listing([_Slice.parse(one) for one in bodies], "1")


class Door:
    """A tenant, its pods, and the control plane, as the watches tell of them."""

    def __init__(self, **status: Any) -> None:  # noqa: ANN401  parts of a manifest
        self.world = World()
        self.pages: WaitingPages = self.world.services.waiting_pages
        self.change(routed() | {"provenAt": "2026-11-22T11:59:00Z"} | status)
        self.pages.handle_control_plane(listing(slice_of("10.1.0.2", "10.1.0.1")))

    def change(self, status: Object, **spec: Any) -> None:  # noqa: ANN401  parts of a manifest
        self.world.put(merge(tenant_body(), {"status": status, "spec": spec}))

    async def pod(self, *, ready: bool = True, going: bool = False) -> None:
        body = pod(ready=ready)
        body["metadata"] |= {"deletionTimestamp": NOW.isoformat()} if going else {}
        self.world.cluster.put_pod(Pod.parse(body))
        await self.settle()

    async def settle(self) -> None:
        await self.pages.settle(IDENT)

    @property
    def page(self) -> Object | None:
        return self.world.kube.objects.get(PAGE)


def routed() -> Object:
    made = {"observedGeneration": 1, "lastTransitionTime": NOW.isoformat(), "reason": "Routed", "message": ""}
    return {"conditions": [{"type": "RouteReady", "status": "True", **made}]}


async def test_it_is_there_while_no_pod_answers_and_at_no_other_time() -> None:
    door = Door()
    await door.pod()
    assert door.page is None
    await door.pod(ready=False)
    assert door.page is not None
    assert [one["addresses"] for one in door.page["endpoints"]] == [["10.1.0.1"], ["10.1.0.2"]]
    await door.pod()
    assert door.page is None
    await door.pod(going=True)
    assert door.page is not None


async def test_it_is_written_once_however_often_one_looks() -> None:
    door = Door()
    await door.settle()
    before = list(door.world.kube.writes)
    assert before
    for _ in range(3):
        await door.settle()
    assert door.world.kube.writes == before


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        ({"conditions": []}, {}),
        ({}, {"suspended": {"reason": "Unpaid"}}),
    ],
    ids=["no route", "suspended"],
)
async def test_where_no_route_leads_to_the_pods_there_is_none(status: Object, spec: Object) -> None:
    door = Door()
    await door.settle()
    assert door.page is not None
    door.change(status, **spec)
    await door.settle()
    assert door.page is None


async def test_a_first_start_has_its_time() -> None:
    """Whoever signed up waits at the control plane, and is sent on when all is there."""
    door = Door(provenAt=None)
    starting = pod(ready=False)
    starting["metadata"]["creationTimestamp"] = NOW.isoformat()
    door.world.cluster.put_pod(Pod.parse(starting))
    await door.settle()
    assert door.page is None
    door.world.now = NOW + FIRST_START + timedelta(seconds=1)
    await door.settle()
    assert door.page is not None


async def test_of_a_tenant_that_goes_nothing_is_touched() -> None:
    door = Door()
    await door.settle()
    door.world.put(merge(tenant_body(), {"metadata": {"deletionTimestamp": NOW.isoformat()}}))
    before = list(door.world.kube.writes)
    await door.pod()
    assert door.world.kube.writes == before


async def test_it_follows_the_control_planes_pods_and_ends_with_them() -> None:
    door = Door()
    await door.settle()
    door.pages.handle_control_plane(Change("MODIFIED", _Slice.parse(slice_of("10.1.0.7"))))
    await door.settle()
    assert door.page is not None
    assert [one["addresses"] for one in door.page["endpoints"]] == [["10.1.0.7"]]
    door.pages.handle_control_plane(Change("MODIFIED", _Slice.parse(slice_of("10.1.0.7", ready=False))))
    await door.settle()
    assert door.page is None


async def test_nothing_is_decided_before_the_control_planes_pods_were_listed() -> None:
    """A new leader finds the pages of the last one, and takes none away for want of knowledge."""
    door = Door()
    await door.settle()
    found = door.page
    door.world.restart()
    door.pages = door.world.services.waiting_pages
    assert found is not None
    door.pages.handle_own(listing(found))
    await door.settle()
    assert door.page is not None
    door.pages.handle_control_plane(listing(slice_of("10.1.0.1", "10.1.0.2")))
    writes = list(door.world.kube.writes)
    await door.settle()
    assert door.world.kube.writes == writes
    await door.pod()
    assert door.page is None


async def test_one_that_somebody_removed_comes_back() -> None:
    door = Door()
    await door.settle()
    gone = door.world.kube.objects.pop(PAGE)
    door.pages.handle_own(Change("DELETED", _Slice.parse(gone)))
    await door.settle()
    assert door.page is not None


async def test_a_pod_that_answers_while_the_page_is_being_written_has_it_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = Door()
    apply, goes = door.world.kube.apply, asyncio.Event()

    async def slow(manifest: Object, **how: object) -> Object:
        await goes.wait()
        return await apply(manifest, **how)

    monkeypatch.setattr(door.world.kube, "apply", slow)
    writing = asyncio.create_task(door.settle())
    await asyncio.sleep(0)
    answering = asyncio.create_task(door.pod())
    await asyncio.sleep(0)
    goes.set()
    await asyncio.gather(writing, answering)
    assert door.page is None


async def test_what_the_api_server_did_not_do_is_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    with monkeypatch.context() as broken:

        async def away(*_: object, **__: object) -> Object:
            raise KubeUnavailableError(SYSTEM, "away")

        broken.setattr(door.world.kube, "apply", away)
        with pytest.raises(KubeUnavailableError):
            await door.settle()
    await door.settle()
    assert door.page is not None


async def test_ready_is_said_only_when_the_address_leads_to_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof comes after: whoever is told of a workspace never meets the page that says it is not there."""
    world = await serving()
    world.services.waiting_pages.handle_control_plane(listing(slice_of("10.1.0.1")))
    world.put(pod(ready=False))
    await world.services.waiting_pages.settle(IDENT)
    assert PAGE in world.kube.objects
    asked = list[bool]()
    proof = world.data_plane.proof

    async def seen(*arguments: Any) -> Any:  # noqa: ANN401  as it is
        asked.append(PAGE in world.kube.objects)
        return await proof(*arguments)

    monkeypatch.setattr(world.data_plane, "proof", seen)
    world.put(merge(tenant_body(), {"metadata": {"generation": 2}}))  # so that it is proven anew
    world.put(pod())
    await world.reconcile()
    assert asked == [False]


def test_every_event_of_a_pod_is_a_reason_to_look() -> None:
    world, heard = World(), list[str]()
    context = HandlerContext(world.cluster, WorkQueue[Key](), ReconcileState(), Heartbeat(), pods_changed=heard.append)
    one = Pod.parse(pod())
    pods.take(context, Listing([one], "1"))
    pods.take(context, Change("MODIFIED", Pod.parse(pod(ready=False))))
    pods.take(context, Change("DELETED", one))
    assert heard == [IDENT] * 3


def test_it_is_found_by_the_ingress_as_the_services_own_slices_are() -> None:
    """By the Service's name and the port's, in its namespace; and the cluster's controller leaves it alone."""
    one = instance()
    made, wanted = waiting_page.build(one.id, Backing("IPv4", 8080, ("10.1.0.1",))), ingress.service(one)
    assert made["metadata"]["namespace"] == wanted["metadata"]["namespace"]
    assert made["metadata"]["labels"]["kubernetes.io/service-name"] == wanted["metadata"]["name"]
    assert made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] != "endpointslice-controller.k8s.io"
    assert made["ports"][0]["name"] == wanted["spec"]["ports"][0]["name"]


FAMILIES = st.sampled_from(["IPv4", "IPv6"])


@given(st.lists(st.tuples(FAMILIES, st.sets(st.integers(1, 250), max_size=3), st.booleans()), max_size=4))
async def test_only_pods_that_answer_and_of_one_family(made: list[tuple[str, set[int], bool]]) -> None:
    door = Door()
    bodies = [
        slice_of(*(_address(family, one) for one in hosts), name=f"cp-{number}", family=family, ready=ready)
        for number, (family, hosts, ready) in enumerate(made)
    ]
    door.pages.handle_control_plane(listing(*bodies))
    await door.settle()
    wanted = {family: set[str]() for family in ("IPv4", "IPv6")}
    for family, hosts, ready in made:
        wanted[family] |= {_address(family, one) for one in hosts if ready}
    expected = wanted["IPv4"] or wanted["IPv6"]
    found = {one["addresses"][0] for one in (door.page or {"endpoints": []})["endpoints"]}
    assert found == expected


def _address(family: str, host: int) -> str:
    return f"10.0.0.{host}" if family == "IPv4" else f"fd00::{host:x}"
