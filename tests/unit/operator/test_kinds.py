"""What follows from a line of the registry, shown by a kind that only this test has; and the files that follow are current."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar, cast

import kopf
import pytest
import yaml
from pydantic import Field
from reconcile.watched import WatchedKube
from reconcile.world import World
from unit.operator.made import body
from unit.operator.test_unreadable import Program
from unit.operator.waiting import until
from vivero_core.backends.kube.client import Listing
from vivero_core.backends.kube.resources import resource_of
from vivero_core.model.base import Model, Resource
from vivero_core.model.conditions import Condition
from vivero_operator import generated, main
from vivero_operator.handlers import dispatch, missed_deletions, watch
from vivero_operator.kinds import KINDS
from vivero_operator.reconcile.controller import Key, Result
from vivero_operator.reconcile.kind import KindSpec, Reconciler
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status

ROOT = Path(__file__).parents[3]


class CouponSpec(Model):
    """What it takes off."""

    percent: int = Field(ge=1, le=100)
    """Of the price."""


class CouponStatus(Model):
    """What the operator has observed."""

    message: str | None = Field(default=None, max_length=100)
    """For people."""
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16)
    """Ready: it is counted."""


class Coupon(Resource):
    """An imaginary kind."""

    plural: ClassVar[str] = "coupons"
    short: ClassVar[str] = "vcoupon"

    spec: CouponSpec
    """What it takes off."""
    status: CouponStatus = Field(default_factory=CouponStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        return [{"name": "Percent", "type": "integer", "jsonPath": ".spec.percent"}]


class CouponReconciler(Reconciler):
    """Says what it has read."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.recalled = False

    async def recall(self) -> None:
        self.recalled = True

    async def reconcile(self, name: str) -> Result:
        mirror = self._services.cluster.of(Coupon)
        coupon = mirror.get(name)
        if coupon is None:
            return Result(gone=True)
        status = CouponStatus(message=f"{coupon.spec.percent} percent off")
        await write_status(self._services, COUPONS.resource, coupon, status, mirror)
        return Result()


COUPONS = KindSpec(
    Coupon,
    lambda services, _: CouponReconciler(services),
    verbs=("delete",),
    edited=True,
    users=lambda cluster, _: [one.name for one in cluster.tenants],
)
WITH_COUPONS = (*KINDS, COUPONS)


def coupon(percent: object = 10, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    known = {"name": "spring", "uid": "uid-spring", "generation": 1, "resourceVersion": "1"}
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Coupon",
        "metadata": known | metadata,
        "spec": {"percent": percent},
    }


@pytest.fixture
def program() -> Program:
    return Program({spec.kind: spec for spec in WITH_COUPONS})


async def test_it_is_mirrored_queued_and_reconciled(program: Program) -> None:
    program.hear("ADDED", coupon())
    assert await program.work() == {Key("Coupon", "spring")}
    assert program.world.kube.objects["Coupon", None, "spring"]["status"]["message"] == "10 percent off"
    program.echo("Coupon", "spring")
    assert await program.work() == set()  # an echo of our own status is no news
    program.hear("MODIFIED", coupon(20, generation=2, resourceVersion="9"))
    assert await program.work() == {Key("Coupon", "spring")}
    program.hear("DELETED", coupon(20, generation=2, resourceVersion="9"))
    assert program.world.cluster.of(Coupon).get("spring") is None
    assert await program.work() == {Key("Coupon", "spring")}


async def test_one_that_cannot_be_parsed_says_so(program: Program) -> None:
    program.hear("ADDED", coupon("much"))
    await program.work()
    status = program.world.kube.objects["Coupon", None, "spring"]["status"]
    assert [(one["type"], one["status"], one["reason"]) for one in status["conditions"]] == [
        ("Ready", "False", "Unreadable")
    ]
    assert status["message"] == status["conditions"][0]["message"]
    assert program.events() == ["Coupon Unreadable"]


async def test_one_that_is_used_stays_though_it_cannot_be_parsed(program: Program) -> None:
    going = {"deletionTimestamp": "2026-11-22T12:00:00Z", "finalizers": ["vivero.dev/in-use"]}
    program.hear("ADDED", body("Tenant", "acme"))
    for left in (["vivero.dev/in-use"], []):
        program.hear("ADDED", coupon("much", **going))
        await program.pass_("Coupon", "spring")
        assert program.world.kube.objects["Coupon", None, "spring"]["metadata"]["finalizers"] == left
        program.hear("DELETED", body("Tenant", "acme"))


async def test_a_deletion_that_no_watch_reported_is_found(program: Program) -> None:
    program.hear("ADDED", coupon())
    await program.work()

    class Listed:
        async def list_as(self, resource: object, *_: object, **__: object) -> Listing[str]:
            assert resource == COUPONS.resource
            return Listing([], "99")

    await missed_deletions.find(cast("Any", Listed()), program.context, COUPONS)
    assert program.world.cluster.of(Coupon).get("spring") is None
    assert await program.work() == {Key("Coupon", "spring")}


async def test_one_that_was_made_again_stays_although_its_predecessor_is_found_missing(program: Program) -> None:
    """The mirror has the one of before, for this one cannot be parsed."""
    program.hear("ADDED", coupon())
    program.hear("ADDED", coupon("much", uid="uid-second", resourceVersion="50"))

    class Listed:
        async def list_as(self, *_: object, **__: object) -> Listing[str]:
            return Listing(["uid-second"], "99")

    await missed_deletions.find(cast("Any", Listed()), program.context, COUPONS)
    assert program.world.cluster.of(Coupon).get("spring") is None
    assert ("Coupon", "spring") in program.world.cluster.unreadable


async def test_the_program_watches_it_and_waits_for_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    parts = main.assemble(world.services, cast("Any", None), cast("Any", world.kube), cast("Any", None), WITH_COUPONS)
    kube = WatchedKube()
    await main._definitions(cast("Any", kube), parts)  # noqa: SLF001
    assert kube.listed == [*(spec.kind for spec in WITH_COUPONS), "Ingress"]
    registries: list[kopf.OperatorRegistry] = []

    async def spawn(*, registry: kopf.OperatorRegistry, **_: object) -> list[asyncio.Task[None]]:
        registries.append(registry)
        return []

    async def run(*_: object, **__: object) -> None:
        return

    monkeypatch.setattr(kopf, "spawn_tasks", spawn)
    monkeypatch.setattr(kopf, "run_tasks", run)
    monkeypatch.setattr(watch, "_on_signal", lambda _: None)
    await watch.watch(
        parts.context,
        parts.reconcilers,
        cast("Any", None),
        cast("Any", None),
        identity="test",
        stop_watching=asyncio.Event(),
        stop=lambda: None,
    )
    handled = {handler.id for handler in registries[0]._watching.get_all_handlers()}  # noqa: SLF001  what kopf will call
    assert handled == {*(spec.plural for spec in WITH_COUPONS), "leases"}


async def test_the_controller_works_for_it() -> None:
    """As the program is put together, from an event to the status."""
    world = World()
    parts = main.assemble(world.services, cast("Any", None), cast("Any", world.kube), cast("Any", None), WITH_COUPONS)
    parts.context.pods_listed.set()
    dispatch.handle(parts.context, COUPONS, "ADDED", world.kube.put(coupon(30)))
    task = asyncio.create_task(main._control(parts))  # noqa: SLF001  what a leader does
    await until(lambda: "status" in world.kube.objects["Coupon", None, "spring"])
    task.cancel()
    await asyncio.wait({task})
    assert world.kube.objects["Coupon", None, "spring"]["status"]["message"] == "30 percent off"
    reconciler = parts.reconcilers[COUPONS]
    assert isinstance(reconciler, CouponReconciler)
    assert reconciler.recalled


def test_its_definition_and_all_rights_are_written() -> None:
    files = generated.files(WITH_COUPONS)
    crd = yaml.safe_load(files["crds/coupons.yaml"])
    assert crd["spec"]["names"] | {"categories": []} == {
        "kind": "Coupon",
        "plural": "coupons",
        "singular": "coupon",
        "shortNames": ["vcoupon"],
        "categories": [],
    }
    assert files["charts/vivero-crds/templates/coupons.yaml"] == files["crds/coupons.yaml"]
    rights = yaml.safe_load(files["charts/vivero-operator/files/kinds.yaml"])
    own = {one["resources"][0]: one["verbs"] for one in rights["rules"] if len(one["resources"]) == 1}
    assert own["coupons"] == ["get", "list", "watch", "delete"]
    assert "coupons/status" in rights["rules"][-1]["resources"]
    assert rights["keptWhileUsed"] == ["plans", "databaseservers", "coupons"]
    people = {
        role["metadata"]["name"]: role["rules"]
        for role in yaml.safe_load_all(files["charts/vivero-crds/templates/roles/people.yaml"])
    }
    assert "coupons" in people["vivero-view"][0]["resources"]
    assert "coupons" in people["vivero-edit"][0]["resources"]


def test_its_manifests_can_be_addressed() -> None:
    assert resource_of(coupon()) == COUPONS.resource
    with pytest.raises(ValueError, match="unknown resource"):
        resource_of({"apiVersion": "example.com/v1", "kind": "Coupon"})


def test_a_condition_is_what_every_kind_has_to_say_something_with() -> None:
    for spec in KINDS:
        status = spec.model.model_fields["status"].annotation
        assert status is not None
        assert "conditions" in status.model_fields, spec.kind


@pytest.mark.parametrize("path", sorted(generated.files()))
def test_generated_files_are_current(path: str) -> None:
    assert (ROOT / path).read_text() == generated.files()[path], "run python -m vivero_operator.generated"


def test_they_are_written_below_any_folder(tmp_path: Path) -> None:
    generated.main([str(tmp_path)])
    written = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert written == generated.files()
