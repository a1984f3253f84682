"""An object that cannot be read stops no other, says what is wrong with it, and can be deleted."""

from collections.abc import Mapping
from typing import Any

import kopf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from reconcile.world import NOW, World
from unit.model.test_reading import bodies
from unit.operator.made import KIND_SPECS, KINDS, SPECS, body, condition, served
from vivero_core.backends.kube.errors import SYSTEM, KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT_POOL
from vivero_core.model.constants import FINALIZER, FINALIZER_IN_USE
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.tenant import Tenant
from vivero_operator.handlers import dispatch
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile import unreadable
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.kind import KindSpec
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.writing import write_status

FINALIZERS = {kind: [FINALIZER_IN_USE] for kind, spec in KIND_SPECS.items() if spec.users is not None}
FINALIZERS["Tenant"] = [FINALIZER]


class Program:
    """The watches' side and the reconcilers' side of the operator, over one world."""

    def __init__(self, kinds: Mapping[str, KindSpec[Any]] = KIND_SPECS) -> None:
        self.kinds = kinds
        self.world = World()
        self.context = HandlerContext(self.world.cluster, WorkQueue[Key](), self.world.state, Heartbeat())
        self.reconcilers = {
            kind: unreadable.skipping_unreadable(
                self.world.services, spec, spec.reconciler(self.world.services, self.context).reconcile
            )
            for kind, spec in kinds.items()
        }

    def hear(self, change: str | None, made: dict[str, Any]) -> None:
        """As the API server tells of it."""
        stored = self.world.kube.put(made)
        dispatch.handle(self.context, self.kinds[made["kind"]], change, stored)

    def echo(self, kind: str, name: str = "odd") -> None:
        """The watch tells of what we wrote."""
        self.hear("MODIFIED", self.world.kube.objects[kind, None, name])

    async def work(self) -> set[Key]:
        """All that waits, once."""
        found = set()
        while len(self.context.queue):
            key = await self.context.queue.get()
            self.context.queue.done(key)
            found.add(key)
            await self.pass_(key.kind, key.name)
        return found

    async def pass_(self, kind: str, name: str = "odd") -> None:
        if kind in self.reconcilers:
            await self.reconcilers[kind](name)

    def ready(self, kind: str, name: str = "odd") -> dict[str, Any]:
        conditions = self.world.kube.objects[kind, None, name].get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), {})

    def events(self) -> list[str]:
        events = [item for (kind, _, _), item in self.world.kube.objects.items() if kind == "Event"]
        return [f"{one['regarding']['kind']} {one['reason']}" for one in events]


def odd_body(kind: str, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """With one field that no program could read."""
    made = body(kind, "odd", **metadata)
    made["spec"][next(iter(SPECS[kind]))] = {"odd": True}
    return made


@pytest.mark.parametrize("kind", KINDS)
class TestAnyBody:
    @settings(max_examples=25, deadline=None)
    @given(data=st.data(), change=st.sampled_from(["ADDED", "MODIFIED", None]))
    async def test_it_is_heard_and_others_are_as_well(self, kind: str, data: st.DataObject, change: str | None) -> None:
        program = Program()
        made = data.draw(bodies(kind))
        dispatch.listed(program.context, KIND_SPECS[kind], program.world.kube.put(made))
        program.hear(change, made)
        program.hear("ADDED", body(kind, "good"))
        assert {Key(kind, "good"), Key(kind, "odd")} <= await program.work()
        assert program.context.cluster.of(KINDS[kind]).get("good") is not None
        if isinstance(read(KINDS[kind], made), Unreadable):
            self.check_reported(program, kind)
        dispatch.handle(program.context, KIND_SPECS[kind], "DELETED", program.world.kube.objects[kind, None, "odd"])
        assert (kind, "odd") not in program.world.cluster.unreadable
        assert program.context.cluster.of(KINDS[kind]).get("odd") is None

    @staticmethod
    def check_reported(program: Program, kind: str) -> None:
        ready = program.ready(kind)
        assert (ready["status"], ready["reason"]) == ("False", "Unreadable")
        assert ready["message"].startswith("This version of the operator cannot parse it: ")
        assert f"{kind} Unreadable" in program.events()

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    async def test_it_can_be_deleted(self, kind: str, data: st.DataObject) -> None:
        program = Program()
        finalizers = [*FINALIZERS.get(kind, []), "example.com/other"]
        made = data.draw(bodies(kind, deletionTimestamp=NOW.isoformat(), finalizers=finalizers))
        program.hear("MODIFIED", made)
        for _ in range(5):
            await program.pass_(kind)
            program.echo(kind)
        odd = program.world.kube.objects[kind, None, "odd"]
        # What may lie on a server that is not there is waited for, and that is said.
        told = odd["status"].get("message") if isinstance(odd["status"], dict) else ""
        waits = str(told).startswith("Deleting: DatabaseServer ")
        assert not waits or made["status"]["databaseServer"]
        assert odd["metadata"]["finalizers"] == [*([FINALIZER] if waits else []), "example.com/other"]


@pytest.mark.parametrize("kind", KINDS)
class TestTold:
    async def test_once(self, kind: str) -> None:
        program = Program()
        program.hear("ADDED", odd_body(kind))
        await program.work()
        said = program.ready(kind)
        program.world.kube.writes.clear()
        for _ in range(3):
            program.echo(kind)
            assert await program.work() == set()  # the echo of our own words is no news
            await program.pass_(kind)
        assert (program.world.kube.writes, program.ready(kind)) == ([], said)

    async def test_of_each_generation_and_each_reason(self, kind: str) -> None:
        program = Program()
        program.hear("ADDED", odd_body(kind))
        await program.work()
        program.hear("MODIFIED", {**odd_body(kind, generation=2), "status": self.status(program, kind)})
        await program.work()
        assert program.ready(kind)["observedGeneration"] == 2
        program.hear("MODIFIED", {**odd_body(kind, generation=3), "spec": {}, "status": self.status(program, kind)})
        await program.work()
        assert "Field required" in program.ready(kind)["message"]

    @staticmethod
    def status(program: Program, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = program.world.kube.objects[kind, None, "odd"]["status"]
        return found

    async def test_once_it_can_be_read_it_is_looked_after(self, kind: str) -> None:
        program = Program()
        program.hear("ADDED", odd_body(kind))
        await program.work()
        program.hear("MODIFIED", body(kind, "odd", generation=2, resourceVersion="9"))
        assert Key(kind, "odd") in await program.work()
        assert (kind, "odd") not in program.world.cluster.unreadable

    async def test_the_metric_counts_them(self, kind: str) -> None:
        program = Program()
        program.hear("ADDED", odd_body(kind))
        await program.work()
        assert REGISTRY.get_sample_value("vivero_unreadable_objects", {"kind": kind}) == 1
        program.hear("MODIFIED", body(kind, "odd", generation=2))
        await program.pass_(kind)
        assert REGISTRY.get_sample_value("vivero_unreadable_objects", {"kind": kind}) == 0

    async def test_one_that_went_meanwhile(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        program = Program()
        program.hear("ADDED", odd_body(kind))

        async def gone(*_: object, **__: object) -> None:
            raise KubeNotFoundError(SYSTEM, "gone")

        monkeypatch.setattr(program.world.kube, "patch_status", gone)
        await program.work()
        assert program.events() == []

    async def test_what_was_last_readable_still_counts(self, kind: str) -> None:
        program = Program()
        program.hear("ADDED", body(kind, "odd"))
        program.hear("MODIFIED", odd_body(kind, generation=2))
        known = program.context.cluster.of(KINDS[kind]).get("odd")
        assert known is not None
        assert known.spec == KINDS[kind].parse(body(kind, "odd")).spec


class TestTenant:
    async def test_one_that_was_never_readable_still_holds_its_id_and_its_slug(self) -> None:
        program = Program()
        program.hear("ADDED", {**odd_body("Tenant"), "spec": {**SPECS["Tenant"], "hosts": 5}})
        rival = Tenant.parse(body("Tenant", "rival"))
        assert [one.name for one in program.world.cluster.rivals(rival)] == ["odd"]
        odd = program.world.cluster.tenants.get("odd")
        assert odd is not None
        assert program.world.cluster.tenant_of(odd.id) is odd

    async def test_a_deletion_that_waits_says_for_what(self) -> None:
        """Its status can be written although its spec cannot be read."""
        program = Program()
        made = served("odd").dump() | {"kind": "Tenant"}
        made["metadata"] |= {"finalizers": [FINALIZER], "deletionTimestamp": NOW.isoformat()}
        made["spec"]["trialEndsAt"] = "2026-11-22T12:00:00+99:00"
        program.hear("MODIFIED", made)
        for down in (True, True, False, False):
            program.world.backends.s3.down = down
            await program.pass_("Tenant")
            if down:
                assert program.ready("Tenant")["reason"] == "Deleting"
            program.echo("Tenant")
        assert program.world.kube.objects["Tenant", None, "odd"]["metadata"]["finalizers"] == []

    async def test_what_becomes_unreadable_while_a_status_is_written_is_no_bug(self) -> None:
        """Another writer comes between our look and our write: the API server answers with what it has."""
        program = Program()
        pool = body("TenantPool", "odd")
        program.hear("ADDED", pool)
        known = program.world.cluster.pools.get("odd")
        assert known is not None
        program.world.kube.objects["TenantPool", None, "odd"]["spec"] = {"size": "odd"}
        status = known.status.model_copy(update={"ready": 3})
        assert await write_status(program.world.services, TENANT_POOL, known, status, program.world.cluster.pools)
        assert program.world.cluster.pools.get("odd") is known


@pytest.mark.parametrize(
    "status", [None, 5, [], {"conditions": None}, {"conditions": [5, {"type": 1}]}, {"conditions": {}}]
)
async def test_a_status_that_is_anything(status: object) -> None:
    program = Program()
    made = {**odd_body("Plan"), "status": status}
    program.hear("ADDED", made)
    await program.work()
    assert program.ready("Plan")["reason"] == "Unreadable"


async def test_kopf_is_given_both_handlers_of_every_kind() -> None:
    context = Program().context
    for watched in KIND_SPECS.values():
        registry = kopf.OperatorRegistry()
        dispatch.register(registry, context, watched)
        # What kopf will call, with more than they ask for.
        first: Any
        changed: Any
        [first] = registry._indexing.get_all_handlers()  # noqa: SLF001
        [changed] = registry._watching.get_all_handlers()  # noqa: SLF001
        made: Any = odd_body(watched.kind)
        first.fn(body=kopf.Body(made))
        assert (watched.kind, "odd") in context.cluster.unreadable
        await changed.fn(event={"type": "DELETED", "object": made})
        assert (watched.kind, "odd") not in context.cluster.unreadable


async def test_a_tenant_in_trouble_is_shown_by_ready_alone() -> None:
    """The others may be what cannot be read."""
    program = Program()
    sound = condition("DatabaseReady", "Provisioned", truth=True)
    program.hear("ADDED", {**odd_body("Tenant"), "status": {"conditions": [sound, {"type": "Ready", "status": "odd"}]}})
    await program.work()
    stored = program.world.kube.objects["Tenant", None, "odd"]["status"]
    assert [one["type"] for one in stored["conditions"]] == ["Ready"]
    assert stored["message"] == stored["conditions"][0]["message"]
