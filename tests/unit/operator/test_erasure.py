"""Data that goes with its Tenant is kept for a while, comes back by adoption, or is erased whole: by nobody is it had half."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reconcile.fakes import FakeServer
from reconcile.scenes import BUCKET, IDENT, NAMESPACE, SCHEMA, begun, body, change, condition, events, secret, serving
from reconcile.world import NOW, Object, World
from unit.operator import made
from vivero_core.backends.tally import tally
from vivero_core.model.conditions import find
from vivero_core.model.constants import FINALIZER, Reason
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_operator.escrow.record import Record
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.policies import erasure as policy
from vivero_operator.policies.erasure import Holder, Seen, Turn
from vivero_operator.reconcile import erasures
from vivero_operator.reconcile.tenant_erasure import TenantErasureReconciler

GOING = NOW + timedelta(minutes=1)
AT = GOING + timedelta(days=14)
RECORD = ("Secret", "vivero-system", f"escrow-{IDENT}")
DAYS: Object = {"kind": "Plan", "metadata": {"name": "trial"}, "spec": {"undoDays": 14}}


async def to_go(**settings: object) -> World:
    """Tenant acme is Ready, goes with its data, and its plan has an undo window."""
    world = await serving(deletionPolicy="Delete")
    world.settings = world.settings.model_copy(update=settings)
    world.restart()
    world.put(DAYS)
    return world


def delete(world: World) -> None:
    """kubectl delete"""
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING.isoformat()}})


async def gone(world: World) -> None:
    """The Tenant's deletion has run."""
    for _ in range(4):
        await world.reconcile()
        told(world)
    assert FINALIZER not in body(world)["metadata"].get("finalizers", ())
    world.remove("Tenant", None, "acme")


async def deleted(**settings: object) -> World:
    world = await to_go(**settings)
    delete(world)
    await gone(world)
    return world


def told(world: World) -> None:
    """As the watches tell of what the operator has made."""
    for (kind, _, _), item in world.kube.objects.items():
        for model in (TenantErasure, TenantBackup):
            if kind == model.__name__:
                world.cluster.of(model).put(model.parse(item))


def order(world: World, name: str = "now", **spec: object) -> None:
    """A person wants it erased at once."""
    world.put(made.body("TenantErasure", name, {"id": IDENT, **spec}))


async def erase(world: World, name: str = IDENT, passes: int = 6) -> TenantErasure:
    """Passes of the reconciler until it has ended, or no more than these."""
    reconciler = TenantErasureReconciler(world.services)
    await reconciler.recall()
    for _ in range(passes):
        await reconciler.reconcile(name)
    return of(world, name)


def of(world: World, name: str = IDENT) -> TenantErasure:
    return TenantErasure.parse(world.kube.objects["TenantErasure", None, name])


def said(world: World, name: str = IDENT) -> str:
    found = find(of(world, name).status.conditions, "Complete")
    assert found is not None
    return f"{found.status} {found.reason}"


def is_there(world: World) -> bool:
    """All of the data, with its key."""
    return SCHEMA in world.backends.servers["main"].databases and BUCKET in world.backends.s3.buckets


def nothing_is_left(world: World) -> bool:
    left = (*world.backends.servers["main"].databases, *world.backends.s3.buckets, *world.backends.valkey.users)
    return not left and RECORD not in world.kube.objects and ("Namespace", None, NAMESPACE) not in world.kube.objects


def heir(world: World) -> None:
    """`kubectl apply` of what brings the workspace back."""
    manifest = json.loads(of(world).status.undelete or "")
    manifest["metadata"] |= {"uid": "uid-heir", "generation": 1, "creationTimestamp": world.now.isoformat()}
    world.put(manifest)


class TestWindow:
    async def test_data_is_kept_without_users_and_is_to_be_erased_when_the_window_ends(self) -> None:
        world = await deleted()
        assert is_there(world)
        assert SCHEMA + "a" not in world.backends.servers["main"].users
        assert world.kube.objects[RECORD]["metadata"]["labels"]["vivero.dev/retained"] == IDENT
        assert (
            datetime.fromisoformat(world.kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/erase-at"]) == AT
        )
        assert of(world).spec.at == AT
        names = f"schema {SCHEMA}, bucket {BUCKET}"
        assert f"Normal Retained: Data retained until 2026-12-06T12:01:00Z for spec.adopt {IDENT}: {names}" in events(
            world
        )

    async def test_it_says_until_when_and_how_it_comes_back(self) -> None:
        world = await deleted()
        found = await erase(world)
        assert said(world) == "False Scheduled"
        assert "2026-12-06T12:01:00Z" in (found.status.message or "")
        assert json.loads(found.status.undelete or "") == {
            "apiVersion": "vivero.dev/v1alpha1",
            "kind": "Tenant",
            "metadata": {"name": "acme"},
            "spec": {
                "adopt": IDENT,
                "displayName": "Acme",
                "hostCertificates": [],
                "hosts": [],
                "owner": {"email": "a@b.co", "confirmed": True},
                "plan": "trial",
                "slug": "acme",
            },
        }
        assert is_there(world)

    @pytest.mark.parametrize("which", ["spare", "never used", "no window"])
    async def test_what_nobody_used_goes_at_once(self, which: str) -> None:
        world = await (begun if which == "never used" else serving)(deletionPolicy="Delete")
        world.put(DAYS)
        if which == "no window":
            world.put({"kind": "Plan", "metadata": {"name": "trial"}, "spec": {"undoDays": 0}})
        if which == "spare":
            change(world, pool="trial", slug=None, owner=None)
        delete(world)
        await gone(world)
        assert nothing_is_left(world)
        assert not [key for key in world.kube.objects if key[0] == "TenantErasure"]

    async def test_a_plan_that_is_gone_keeps_data_as_long_as_a_plan_does_that_says_nothing(self) -> None:
        world = await to_go()
        world.cluster.plans.drop("trial", world.kube.objects["Plan", None, "trial"]["metadata"]["uid"])
        delete(world)
        await gone(world)
        assert is_there(world)
        assert of(world).spec.at == AT

    async def test_retained_data_is_never_erased_by_itself(self) -> None:
        world = await to_go()
        change(world, deletionPolicy="Retain")
        delete(world)
        await gone(world)
        assert not [key for key in world.kube.objects if key[0] == "TenantErasure"]

    async def test_an_object_that_somebody_deleted_is_made_again(self) -> None:
        world = await deleted()
        world.remove("TenantErasure", None, IDENT)
        await erasures.schedule_again(world.services, await world.services.escrow.all())
        assert of(world).spec.at == AT

    async def test_a_trial_does_not_begin_again(self) -> None:
        world = await to_go()
        ends = "2026-12-01T00:00:00Z"
        change(world, trialEndsAt=ends)
        delete(world)
        await gone(world)
        found = await erase(world)
        assert json.loads(found.status.undelete or "")["spec"]["trialEndsAt"] == ends


class TestFinalBackup:
    async def test_users_go_when_it_is_complete_and_visitors_before(self) -> None:
        world = await to_go(backup_secret="backup-storage")
        delete(world)
        for _ in range(3):
            await world.reconcile()
            told(world)
        backup = world.kube.objects["TenantBackup", None, f"final-{IDENT}"]
        assert backup["spec"] == {"tenant": "acme"}
        assert SCHEMA + "a" in world.backends.servers["main"].users
        assert ("Ingress", NAMESPACE, "app") not in world.kube.objects
        assert ("Namespace", None, NAMESPACE) in world.kube.objects
        assert "Final backup" in (body(world)["status"]["message"])
        end_backup(world, "BackedUp", truth=True)
        await gone(world)
        assert is_there(world)
        assert SCHEMA + "a" not in world.backends.servers["main"].users

    async def test_one_that_fails_holds_up_nothing(self) -> None:
        world = await to_go(backup_secret="backup-storage")
        delete(world)
        await world.reconcile()
        told(world)
        end_backup(world, "Failed", truth=False)
        await gone(world)
        assert is_there(world)


def end_backup(world: World, reason: str, *, truth: bool) -> None:
    status = {"conditions": [made.condition("Complete", reason, truth=truth)], "prefix": f"{IDENT}/backups/x"}
    world.put({"kind": "TenantBackup", "metadata": {"name": f"final-{IDENT}"}, "status": status})


class TestUndelete:
    async def test_it_is_the_same_workspace_and_nothing_is_erased_any_more(self) -> None:
        world = await to_go()
        before = secret(world)
        delete(world)
        await gone(world)
        await erase(world)
        heir(world)
        await world.reconcile()
        assert secret(world) == before
        await erase(world)
        assert said(world) == "False Cancelled"
        world.now = AT + timedelta(days=1)
        await erase(world)
        assert is_there(world)
        assert RECORD in world.kube.objects

    async def test_deleted_again_it_is_kept_for_a_window_of_its_own(self) -> None:
        world = await deleted()
        await erase(world)
        heir(world)
        await world.reconcile()
        await erase(world)
        world.now = AT - timedelta(hours=1)
        change(world, deletionPolicy="Delete")
        body(world)["status"]["provenAt"] = world.now.isoformat()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": world.now.isoformat()}})
        await gone(world)
        again = erasures.name_of(IDENT, "uid-heir")
        assert of(world, again).spec.at == world.now + timedelta(days=14)
        world.now = AT + timedelta(days=1)
        await erase(world)
        assert said(world) == "False Cancelled"
        await erase(world, again)
        assert said(world, again) == "False Scheduled"
        assert is_there(world)

    async def test_what_is_being_erased_is_nobodys(self) -> None:
        world = await deleted()
        await erase(world)
        record = await world.services.escrow.find(IDENT)
        assert record is not None
        await world.services.escrow.claim(record, of(world).metadata.uid)
        heir(world)
        await world.reconcile()
        assert condition(world, "Ready") == "False Erasing"
        assert SCHEMA + "a" not in world.backends.servers["main"].users


class TestErasure:
    async def test_nothing_is_left_and_what_was_there_is_told(self) -> None:
        world = await deleted()
        world.now = AT
        found = await erase(world)
        assert nothing_is_left(world)
        assert said(world) == "True Erased"
        assert [(one.kind, one.count) for one in found.status.erased] == [("tables", 1), ("files", 1), ("secrets", 1)]
        assert found.status.erased[0].sha256 == tally([f"{SCHEMA}.c_1"]).sha256
        assert found.status.erased_at == AT
        assert found.status.undelete is None
        assert "a@b.co" not in json.dumps(world.kube.objects["TenantErasure", None, IDENT])

    @pytest.mark.parametrize(("kept", "days"), [("259200", 3), ("1209600", 14), ("0", None)])
    async def test_it_says_when_the_servers_own_log_of_it_is_gone(self, kept: str, days: int | None) -> None:
        world = await deleted()
        world.now = AT
        world.backends.servers["main"].variables = {"log_bin": "ON", "binlog_expire_logs_seconds": kept}
        found = await erase(world)
        assert found.status.log_until == (AT + timedelta(days) if days is not None else None)

    async def test_an_order_does_not_wait_for_the_window(self) -> None:
        world = await deleted()
        await erase(world)
        assert of(world).status.undelete is not None
        order(world)
        await erase(world, "now")
        assert nothing_is_left(world)
        assert said(world, "now") == "True Erased"
        found = await erase(world, passes=1)
        assert said(world) == "False Cancelled"
        assert found.status.undelete is None, "it names the owner"

    async def test_a_tenant_that_is_there_is_not_erased(self) -> None:
        world = await serving()
        order(world)
        await erase(world, "now")
        assert said(world, "now") == "False Refused"
        assert "Tenant acme; delete that first" in (of(world, "now").status.message or "")
        assert is_there(world)

    async def test_one_that_is_going_is_waited_for(self) -> None:
        world = await to_go(backup_secret="backup-storage")
        delete(world)
        await world.reconcile()
        order(world)
        await erase(world, "now")
        assert said(world, "now") == "False Deleting"
        assert is_there(world)

    async def test_retained_data_goes_by_order(self) -> None:
        world = await to_go()
        change(world, deletionPolicy="Retain")
        delete(world)
        await gone(world)
        order(world, orderedBy="request 17")
        await erase(world, "now")
        assert nothing_is_left(world)

    async def test_a_server_that_is_not_registered_any_more_is_waited_for(self) -> None:
        world = await deleted()
        world.remove("DatabaseServer", None, "main")
        world.now = AT
        await erase(world)
        assert said(world) == "False DatabaseServerNotFound"
        assert is_there(world)

    async def test_an_id_that_was_erased_is_nobodys_again(self) -> None:
        """As after a restore of the cluster: Tenant and record are back, and the schema may be."""
        world = await deleted()
        tenant, record = (await serving()).kube.objects["Tenant", None, "acme"], world.kube.objects[RECORD]
        world.now = AT
        await erase(world)
        restored = World()
        for item in (*world.kube.objects.values(), tenant, record):
            restored.put(item)
        await TenantErasureReconciler(restored.services).recall()
        await restored.reconcile()
        assert condition(restored, "Ready") == "False Erased"
        assert restored.backends.servers["main"].databases == set()

    async def test_an_erasure_that_was_deleted_half_way_is_finished_by_the_next(self) -> None:
        world = await deleted()
        order(world)
        record = await world.services.escrow.find(IDENT)
        assert record is not None
        await world.services.escrow.claim(record, of(world, "now").metadata.uid)
        world.remove("TenantErasure", None, "now")
        order(world, "again")
        await erase(world, "again")
        assert nothing_is_left(world)


class DeathError(BaseException):
    """The program ends here."""


class Mortal:
    """Ends the program at its n-th call to a server or write to the cluster, behind it."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, lives: int) -> None:
        self.left = lives
        for name in ("apply", "create", "patch", "delete", "replace"):
            patch.setattr(world.kube, name, self._after(getattr(world.kube, name)))
        up = FakeServer._up  # noqa: SLF001  where every call comes by
        patch.setattr(FakeServer, "_up", lambda server, call: self._count(up, server, call))

    def _count(self, up: Callable[[FakeServer, str], None], server: FakeServer, call: str) -> None:
        up(server, call)
        self._die()

    def _after(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  as the client takes and gives them
            answer = await real(*given, **named)
            self._die()
            return answer

        return call

    def _die(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise DeathError


@pytest.mark.parametrize("lives", range(1, 26))
async def test_killed_anywhere_it_ends_the_same(lives: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await deleted()
    await erase(world)
    world.now = AT
    with monkeypatch.context() as patch:
        mortal = Mortal(world, patch, lives)
        try:
            await erase(world)
        except DeathError:
            world.restart()
    told(world)
    found = await erase(world)
    assert nothing_is_left(world)
    assert said(world) == "True Erased"
    assert {one.kind: one.count for one in found.status.erased} == {"tables": 1, "files": 1, "secrets": 1}
    assert mortal.left <= 0 or lives > 12, "the erasure has at least so many steps"


class Between:
    """Has somebody else act before the n-th call to the cluster."""

    def __init__(
        self, world: World, patch: pytest.MonkeyPatch, calls: int, other: Callable[[], Awaitable[None]]
    ) -> None:
        self.left = calls
        self._other = other
        for name in ("get", "list", "list_as", "apply", "create", "patch", "delete"):
            patch.setattr(world.kube, name, self._before(getattr(world.kube, name)))

    def _before(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  as the client takes and gives them
            self.left -= 1
            if self.left == 0:
                await self._other()
            return await real(*given, **named)

        return call


@pytest.mark.parametrize("calls", range(1, 24))
@pytest.mark.parametrize("first", ["erasure", "adoption"])
async def test_of_an_adoption_and_an_erasure_one_wins_whole(
    calls: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other comes between any two calls to the cluster of the one that began."""
    world = await to_go()
    before = secret(world)
    delete(world)
    await gone(world)
    await erase(world)
    if first == "adoption":
        heir(world)
    manifest = of(world).status.undelete or ""
    world.now = AT

    async def other() -> None:
        if first == "adoption":
            await erase(world, passes=2)
            return
        wanted = json.loads(manifest)
        wanted["metadata"] |= {"uid": "uid-heir", "generation": 1, "creationTimestamp": AT.isoformat()}
        world.put(wanted)
        await world.reconcile()

    with monkeypatch.context() as patch:
        between = Between(world, patch, calls, other)
        await (erase(world, passes=2) if first == "erasure" else world.reconcile())
    if between.left > 0:
        await other()
    for _ in range(3):
        await erase(world)
        await world.reconcile()
    if is_there(world):
        assert said(world) == "False Cancelled"
        assert secret(world) == before
        assert SCHEMA + "a" in world.backends.servers["main"].users
    else:
        assert said(world) == "True Erased"
        assert nothing_is_left(world)
        assert condition(world, "Ready") == "False Erased"


class TestDecision:
    """What the order of looks decides."""

    RECORD = Record("abcdefghij", "main", "uid-acme", "acme", retained=True, version="1", keys=None, erase_at=AT)

    def seen(self, **found: Any) -> Seen:  # noqa: ANN401  fields of Seen, and of its order
        spec = {"id": "abcdefghij"} | ({"at": found.pop("at").isoformat()} if "at" in found else {})
        item = TenantErasure.parse(made.body("TenantErasure", "x", spec))
        known: dict[str, Any] = {"record": self.RECORD, "holder": None, "servers": {"main"}, "others": {"uid-y"}}
        return Seen(item=item, **(known | found))

    @pytest.mark.parametrize(
        ("found", "turn", "reason"),
        [
            ({}, Turn.BEGIN, Reason.ERASING),
            ({"record": None}, Turn.BEGIN, Reason.ERASING),
            ({"at": AT}, Turn.BEGIN, Reason.ERASING),
            ({"at": AT + timedelta(seconds=1)}, Turn.WAIT, Reason.SCHEDULED),
            ({"at": AT + timedelta(1), "holder": Holder("acme", going=True)}, Turn.WAIT, Reason.SCHEDULED),
            ({"at": AT + timedelta(1), "holder": Holder("acme", going=False)}, Turn.END, Reason.CANCELLED),
            ({"at": AT + timedelta(1), "elsewhere": True}, Turn.END, Reason.CANCELLED),
            ({"elsewhere": True, "record": None}, Turn.BEGIN, Reason.ERASING),
            ({"at": AT, "record": None}, Turn.END, Reason.CANCELLED),
            ({"at": AT, "record": replace(RECORD, erase_at=None)}, Turn.END, Reason.CANCELLED),
            ({"at": AT, "holder": Holder("acme", going=False)}, Turn.END, Reason.CANCELLED),
            ({"holder": Holder("acme", going=True)}, Turn.WAIT, Reason.DELETING),
            ({"holder": Holder("acme", going=False)}, Turn.END, Reason.REFUSED),
            ({"record": replace(RECORD, erasing="uid-y")}, Turn.END, Reason.CANCELLED),
            ({"record": replace(RECORD, erasing="uid-x")}, Turn.BEGIN, Reason.ERASING),
            ({"record": replace(RECORD, erasing="uid-of-one-that-is-gone")}, Turn.BEGIN, Reason.ERASING),
            ({"servers": set()}, Turn.WAIT, Reason.DATABASE_SERVER_NOT_FOUND),
        ],
    )
    def test_what_becomes_of_it(self, found: dict[str, Any], turn: Turn, reason: Reason) -> None:
        decision = policy.decide(self.seen(**found), AT.astimezone(UTC))
        assert (decision.turn, decision.reason) == (turn, reason)


class TestCopies:
    """With a backup bucket: the Job that removes what is in it."""

    JOB = ("Job", "vivero-system", f"erase-uid-{IDENT}")

    async def job(self) -> World:
        """The Job of the erasure of acme has begun."""
        world = await deleted_after_backup()
        world.now = AT
        world.kube.objects["TenantErasure", None, IDENT]["metadata"]["uid"] = f"uid-{IDENT}"
        world.put(made.body("TenantBackup", "of-another", status={"prefix": "aaaaaaaaaa/backups/x"}))
        told(world)
        await erase(world)
        assert said(world) == "False Running"
        return world

    async def test_it_is_told_what_was_erased_and_holds_no_key(self) -> None:
        world = await self.job()
        assert nothing_is_left(world)
        assert [key[2] for key in world.kube.objects if key[0] == "TenantBackup"] == ["of-another"]
        content = secret(world, f"erase-uid-{IDENT}", "vivero-system")
        assert list(content) == ["order.json"]
        order = json.loads(content["order.json"])
        assert (order["tenant"], order["server"], order["after"]) == (IDENT, None, int(AT.timestamp()))
        assert {one["kind"]: one["count"] for one in order["receipt"]["erased"]} == {
            "tables": 1,
            "files": 1,
            "secrets": 1,
        }

    async def test_its_result_is_the_receipt(self) -> None:
        world = await self.job()
        copies = {"kind": "backup objects", "count": 9, "sha256": "0" * 64}
        result = {"erased_copies": copies, "receipt": f"erasures/{IDENT}.json"}
        finish(world, self.JOB, {"type": "Complete", "status": "True"}, {"message": "well", "result": result})
        found = await erase(world)
        assert said(world) == "True Erased"
        assert found.status.erased_copies is not None
        assert (found.status.erased_copies.count, found.status.receipt) == (9, f"erasures/{IDENT}.json")

    async def test_a_job_that_failed_is_told_and_can_be_ordered_again(self) -> None:
        world = await self.job()
        finish(
            world, self.JOB, {"type": "Failed", "status": "True", "message": "no answer"}, {"message": "away"}, code=1
        )
        await erase(world)
        assert said(world) == "False Failed"
        order(world)
        await erase(world, "now")
        assert said(world, "now") == "False Running"


async def deleted_after_backup() -> World:
    world = await to_go(backup_secret="backup-storage")
    delete(world)
    for _ in range(3):
        await world.reconcile()
        told(world)
    end_backup(world, "BackedUp", truth=True)
    await gone(world)
    return world


def finish(world: World, job: tuple[str, str, str], condition: Object, log: Object, code: int = 0) -> None:
    """The Job ends as its controller and kubelet say it."""
    world.kube.objects[job]["status"] = {"conditions": [condition]}
    ended = {"exitCode": code, "reason": "Completed", "message": json.dumps(log)}
    states = [{"name": name, "state": {"terminated": ended}} for name in ("log", "objects", "receipt")]
    labels = {"batch.kubernetes.io/job-name": job[2]}
    metadata = {"name": "erase-pod", "namespace": job[1], "labels": labels, "creationTimestamp": AT.isoformat()}
    status = {"initContainerStatuses": states[:-1], "containerStatuses": states[-1:]}
    world.kube.put({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "status": status})


async def test_receipts_in_the_backup_bucket_outlive_the_cluster() -> None:
    world = World(backup_secret="backup-storage")
    world.backends.bucket = Receipts({f"erasures/{IDENT}.json": AT, "erasures/aaaaaaaaaa.uid-2.json": NOW})
    await erasures.recall(world.services)
    assert world.services.erased == {IDENT: AT, "aaaaaaaaaa": NOW}


async def test_a_bucket_that_is_away_holds_up_no_start(caplog: pytest.LogCaptureFixture) -> None:
    world = World(backup_secret="backup-storage")
    world.backends.bucket = Receipts(None)
    await erasures.recall(world.services)
    assert world.services.erased == {}
    assert "the next sweep tries again" in caplog.text


class Receipts:
    """A bucket with these, or one that is away."""

    def __init__(self, found: dict[str, datetime] | None) -> None:
        self._found = found

    def list(self, prefix: str) -> dict[str, datetime]:
        assert prefix == "erasures/"
        if self._found is None:
            raise StepFailedError("bucket away")
        return self._found
