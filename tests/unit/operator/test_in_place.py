"""A restore in place, from its creation to an open workspace, and all that may come between."""

import asyncio
import base64
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from reconcile.fakes import merge
from reconcile.scenes import IDENT, NAMESPACE, SCHEMA, condition, pod
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from unit.operator.made import body
from unit.operator.test_operations import ended, job
from unit.operator.test_operations import pod as pod_of_job
from unit.operator.test_platform_state import Store
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.health import Heartbeat
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, MomentOrder, RestoreOrder
from vivero_operator.reconcile import in_place
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.operation import LOOK_SECONDS, WAIT_SECONDS
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler
from vivero_operator.reconcile.tenant_restore import BEGINS_WITHIN, TenantRestoreReconciler

TIME = "2026-11-22T11:30:00Z"
DEPLOYMENT = ("Deployment", NAMESPACE, "app")
STEPS = ("log", "database", "files", "verify")


def restore(name: str = "back", *, time: str | None = TIME, backup: str | None = None, **metadata: Any) -> Object:  # noqa: ANN401  JSON
    spec = {"time": time, "backup": backup, "target": {"inPlace": True, "tenant": None, "slug": None}}
    return body("TenantRestore", name, spec, **metadata)


class Scene:
    """A tenant that serves, on a server whose log is archived, and a restore of it."""

    def __init__(self) -> None:
        self.world = World(operator_image="operator:1", backup_secret="backup-storage")
        self.world.backends.bucket = Store()
        self.world.backends.bucket.objects[f"{IDENT}/log/fffffffffffe"] = b"", {}

    async def serve(self, *, archived: bool = True) -> None:
        server = merge(SERVER, {"spec": {"archiverSecret": "mariadb-archiver"}})
        for manifest in (PLAN, server if archived else SERVER, tenant_body()):
            self.world.put(manifest)
        await self.world.reconcile()
        self.world.put(pod())
        for _ in range(2):
            await self.world.reconcile()
        assert condition(self.world, "Ready") == "True Proven"

    @property
    def server(self) -> Any:  # noqa: ANN401  a FakeServer
        return self.world.backends.servers["main"]

    @property
    def pods(self) -> int:
        return int(self.world.kube.objects[DEPLOYMENT]["spec"]["replicas"])

    async def look(self, name: str = "back") -> Any:  # noqa: ANN401  a Result
        return await TenantRestoreReconciler(self.world.services).reconcile(name)

    def restore(self, name: str = "back") -> TenantRestore:
        return TenantRestore.parse(self.world.kube.objects["TenantRestore", None, name])

    def said(self, name: str = "back") -> tuple[str, str, str]:
        one = next(one for one in self.restore(name).status.conditions if one.type == "Complete")
        return one.status, one.reason, one.message

    def job(self, name: str = "back", program: str = "moment") -> tuple[str, str, str]:
        return ("Job", self.world.settings.platform_namespace, f"{program}-uid-{name}")

    def end(self, how: str = "Complete", name: str = "back", **result: object) -> None:
        self.end_of(self.job(name), how, **result)

    def end_of(self, key: tuple[str, str, str], how: str = "Complete", **result: object) -> None:
        """End this Job."""
        name = key[2].rpartition("uid-")[2]
        steps = [ended(step) for step in STEPS[:-1]]
        found = pod_of_job(*steps, ended("verify", said={"message": "same", "result": result}))
        found["metadata"] |= {"name": name, "namespace": key[1], "labels": {"batch.kubernetes.io/job-name": key[2]}}
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        self.world.kube.objects[key] |= job(how)

    def close(self) -> None:
        """As kubelet and the Deployment's controller do."""
        self.world.remove("Pod", NAMESPACE, "app-1")

    async def loaded(self) -> None:
        """Its Job has loaded and compared the data."""
        self.world.put(restore())
        await self.look()
        self.end(files=2, missingFiles=1, restoredTo=TIME)

    async def switched(self) -> None:
        await self.loaded()
        await self.look()
        await self.world.reconcile()
        self.close()
        await self.look()
        await self.look()


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await made.serve()
    return made


async def test_a_new_tenants_archive_is_waited_for_and_not_for_ever(scene: Scene) -> None:
    asked, begun = scene.world.now.isoformat(), scene.world.backends.bucket
    scene.world.backends.bucket = empty = Store()
    scene.world.put(restore(creationTimestamp=asked))
    assert (await scene.look()).retry_after == WAIT_SECONDS
    said = "Waiting for the archive of Tenant acme to begin, until 12:12:00 (UTC)"
    assert scene.said() == ("False", "Archiving", said)
    assert "begin_replacement" not in scene.server.calls
    assert scene.job() not in scene.world.kube.objects
    scene.world.backends.bucket = begun
    await scene.look()
    assert scene.job() in scene.world.kube.objects

    scene.world.backends.bucket = empty
    scene.world.put(restore("late", creationTimestamp=asked))
    scene.world.remove("TenantRestore", None, "back")
    scene.world.now += BEGINS_WITHIN + timedelta(seconds=1)
    await scene.look("late")
    assert scene.job("late") in scene.world.kube.objects, "it says what is missing"


async def test_while_the_bucket_is_away_a_restore_to_a_second_waits(scene: Scene) -> None:
    def away(_: str) -> None:
        raise StepFailedError("bucket vivero-backups: list: no answer")

    scene.world.backends.bucket.first = away
    scene.world.put(restore(creationTimestamp=scene.world.now.isoformat()))
    assert (await scene.look()).retry_after == WAIT_SECONDS
    assert scene.said() == ("False", "StorageUnavailable", "Not begun: bucket vivero-backups: list: no answer")


async def test_from_its_creation_to_its_end(scene: Scene) -> None:
    await scene.loaded()
    assert scene.said()[:2] == ("False", "Running")
    assert scene.pods == 1, "the live data is served while the old one is loaded"

    assert (await scene.look()).retry_after == LOOK_SECONDS
    assert scene.said() == ("False", "Switching", "Compared; closing the workspace of Tenant acme")
    await scene.world.reconcile()
    assert scene.pods == 0
    assert condition(scene.world, "Ready") == "False Restoring"

    await scene.look()
    assert scene.said() == ("False", "Switching", "Waiting for the pods of Tenant acme to end")
    assert "announce_replacement" not in scene.server.calls
    scene.close()
    await scene.look()
    assert scene.said() == ("False", "Switching", "Tenant acme is closed, its data is switched in a moment")
    assert "replace" not in scene.server.calls, "what was written last has a second of its own in the archive"
    await scene.look()
    assert scene.said()[:2] == ("False", "Starting")
    assert scene.server.databases == {SCHEMA, f"{SCHEMA}last"}
    assert "delete_keys" in scene.world.backends.valkey.calls
    await scene.world.reconcile()
    assert scene.pods == 1

    await scene.look()
    assert scene.said()[:2] == ("False", "Starting"), "no pod has read the new data yet"
    scene.world.put(pod())
    await scene.world.reconcile()
    assert (await scene.look()).retry_after is None
    switched = "2026-11-29T12:00:00Z"
    assert scene.said() == (
        "True",
        "Restored",
        f"Complete: compared with the source, and switched; a restore in place to {switched} undoes it",
    )
    status = scene.world.kube.objects["TenantRestore", None, "back"]["status"]
    assert (status["into"], status["switchedAt"], status["missingFiles"]) == ("in place", switched, 1)


async def test_the_job_may_fill_the_schema_beside_and_nothing_else(scene: Scene) -> None:
    scene.world.put(restore())
    await scene.look()
    data = scene.world.kube.objects["Secret", *scene.job()[1:]]["data"]
    order = MomentOrder.load(base64.b64decode(data[ORDER_FILE]).decode())
    assert order.target.schemas == {SCHEMA: f"{SCHEMA}next"}
    assert order.target.left_out == (f"{SCHEMA}audit",)
    assert order.target.storage == order.source, "the files are where they are"
    assert order.target.database.user == f"{SCHEMA}r"
    assert scene.server.users[f"{SCHEMA}r"] == order.target.database.password
    own = await scene.world.services.escrow.find(IDENT)
    assert own is not None
    assert own.keys is not None
    assert own.keys.database_password not in base64.b64decode(data[CLIENT_FILE]).decode()


async def test_a_start_that_was_interrupted_uses_the_password_that_the_secret_holds(scene: Scene) -> None:
    scene.world.put(restore())
    await scene.look()
    before = scene.server.users[f"{SCHEMA}r"]
    del scene.world.kube.objects[scene.job()]
    await scene.look()
    assert scene.server.users[f"{SCHEMA}r"] == before
    assert before != scene.server.users[f"{SCHEMA}a"]


async def test_of_a_backup(scene: Scene) -> None:
    done = {"type": "Complete", "status": "True", "reason": "BackedUp", "lastTransitionTime": TIME}
    status = {"prefix": f"{IDENT}/backups/uid-nightly", "conditions": [done]}
    scene.world.put(body("TenantBackup", "nightly", status=status))
    scene.world.put(restore(time=None, backup="nightly"))
    await scene.look()
    data = scene.world.kube.objects["Secret", *scene.job(program="restore")[1:]]["data"]
    order = RestoreOrder.load(base64.b64decode(data[ORDER_FILE]).decode())
    assert (order.uid, order.target.schemas) == ("uid-nightly", {SCHEMA: f"{SCHEMA}next"})


async def test_one_that_fails_leaves_the_workspace_as_it_was(scene: Scene) -> None:
    scene.world.put(restore())
    await scene.look()
    scene.end("Failed")
    await scene.look()
    assert scene.said()[:2] == ("False", "Failed")
    assert scene.server.databases == {SCHEMA}
    assert f"{SCHEMA}r" not in scene.server.users
    await scene.world.reconcile()
    assert scene.pods == 1
    assert condition(scene.world, "Ready") == "True Proven"


async def test_tables_that_cannot_be_moved_are_a_refusal_before_anything_is_closed(scene: Scene) -> None:
    await scene.loaded()
    scene.server.irreplaceable[SCHEMA] = "the live schema holds a table x"
    await scene.look()
    assert scene.said() == ("False", "Refused", "Refused: the live schema holds a table x")
    assert scene.server.databases == {SCHEMA}
    await scene.world.reconcile()
    assert scene.pods == 1


async def test_what_was_loaded_for_it_and_is_gone_is_no_restore(scene: Scene) -> None:
    await scene.loaded()
    await scene.look()
    await scene.world.reconcile()
    scene.close()
    scene.server.databases.discard(f"{SCHEMA}next")
    await scene.look()
    await scene.look()
    assert scene.said() == ("False", "Refused", "Refused: what was loaded is not there any more")
    await scene.world.reconcile()
    assert scene.pods == 1


async def test_an_operator_that_died_behind_the_switch_goes_on(scene: Scene) -> None:
    await scene.loaded()
    await scene.look()
    before = dict(scene.world.kube.objects["TenantRestore", None, "back"]["status"])
    await scene.world.reconcile()
    scene.close()
    await scene.look()
    await scene.look()
    body_ = scene.world.kube.objects["TenantRestore", None, "back"]
    scene.world.kube.objects["TenantRestore", None, "back"] = body_ | {"status": before}
    scene.world.cluster.of(TenantRestore).put(TenantRestore.parse(body_ | {"status": before}))
    scene.world.restart()
    await scene.look()
    assert scene.said()[:2] == ("False", "Starting")
    assert scene.restore().status.switched_at is not None
    assert scene.server.databases == {SCHEMA, f"{SCHEMA}last"}


async def test_one_that_is_deleted_while_the_workspace_is_closed_opens_it(scene: Scene) -> None:
    await scene.loaded()
    await scene.look()
    await scene.world.reconcile()
    assert scene.pods == 0
    scene.world.remove("TenantRestore", None, "back")
    await scene.world.reconcile()
    assert scene.pods == 1


async def test_one_that_is_deleted_while_it_is_loaded_leaves_nothing(scene: Scene) -> None:
    restores = TenantRestoreReconciler(scene.world.services)
    scene.world.put(restore())
    await restores.reconcile("back")
    assert f"{SCHEMA}next" in scene.server.databases
    scene.world.remove("TenantRestore", None, "back")
    assert (await restores.reconcile("back")).gone
    assert scene.server.databases == {SCHEMA}
    assert f"{SCHEMA}r" not in scene.server.users


async def test_one_that_was_deleted_leaves_the_next_ones_data_alone(scene: Scene) -> None:
    restores = TenantRestoreReconciler(scene.world.services)
    scene.world.put(restore())
    await restores.reconcile("back")
    scene.world.remove("TenantRestore", None, "back")
    scene.world.put(restore("again"))
    await restores.reconcile("again")
    await restores.reconcile("back")
    assert f"{SCHEMA}next" in scene.server.databases


async def test_a_suspended_tenant_stays_suspended(scene: Scene) -> None:
    scene.world.put(tenant_body(suspended={"reason": "Manual"}))
    scene.close()
    await scene.world.reconcile()
    assert condition(scene.world, "Suspended") == "True Manual"
    await scene.loaded()
    for _ in range(4):
        await scene.look()
        await scene.world.reconcile()
    assert scene.said()[:2] == ("True", "Restored")
    assert scene.pods == 0


async def test_two_of_one_tenant_come_one_after_the_other(scene: Scene) -> None:
    scene.world.put(restore("first"))
    scene.world.put(restore("second"))
    await scene.look("first")
    assert (await scene.look("second")).retry_after == WAIT_SECONDS
    assert scene.said("second") == ("False", "WaitingForTurn", "Waiting for TenantRestore first")
    scene.end("Failed", "first")
    await scene.look("first")
    await scene.look("second")
    assert scene.said("second")[1] == "Running"


async def test_two_that_are_looked_at_at_once_do_not_begin_both(scene: Scene) -> None:
    restores = TenantRestoreReconciler(scene.world.services)
    for name in ("first", "second"):
        scene.world.put(restore(name))
    await asyncio.gather(restores.reconcile("first"), restores.reconcile("second"))
    assert sorted(scene.said(name)[1] for name in ("first", "second")) == ["Running", "WaitingForTurn"]


async def test_one_that_cannot_begin_holds_up_nobody(scene: Scene) -> None:
    scene.world.put(restore("first", time=None, backup="nobodys"))
    scene.world.put(restore("second"))
    await scene.look("first")
    assert scene.said("first")[1] == "BackupNotFound"
    await scene.look("second")
    assert scene.said("second")[1] == "Running"


async def test_a_backup_and_a_restore_in_place_wait_for_each_other(scene: Scene) -> None:
    """A base that is made while the schema beside is filled does not hold it, and the log behind it counts on it."""
    backups = TenantBackupReconciler(scene.world.services)
    scene.world.put(body("TenantBackup", "nightly"))
    await backups.reconcile("nightly")
    scene.world.put(restore())
    await scene.look()
    assert scene.said() == ("False", "WaitingForTurn", "Waiting for TenantBackup nightly")
    scene.world.kube.objects["Job", scene.world.settings.platform_namespace, "backup-uid-nightly"] |= job("Failed")
    await backups.reconcile("nightly")
    await scene.look()
    assert scene.said()[1] == "Running"
    scene.world.put(body("TenantBackup", "later"))
    await backups.reconcile("later")
    later = TenantBackup.parse(scene.world.kube.objects["TenantBackup", None, "later"])
    assert later.status.message == "Waiting for TenantRestore back"


async def test_behind_the_switch_nobody_waits_for_it(scene: Scene) -> None:
    await scene.switched()
    assert scene.said()[1] == "Starting"
    scene.world.put(body("TenantBackup", "nightly"))
    await TenantBackupReconciler(scene.world.services).reconcile("nightly")
    nightly = TenantBackup.parse(scene.world.kube.objects["TenantBackup", None, "nightly"])
    assert nightly.status.message == "Waiting for a pod"
    scene.world.remove("TenantBackup", None, "nightly")
    scene.world.put(restore("second", creationTimestamp="2026-11-22T12:00:00Z"))
    await scene.look("second")
    assert scene.said("second")[1] == "Running"


async def test_without_an_archive_there_are_no_seconds() -> None:
    scene = Scene()
    await scene.serve(archived=False)
    scene.world.put(restore())
    await scene.look()
    assert scene.said()[1] == "NotConfigured"
    assert "begin_replacement" not in scene.server.calls


@pytest.mark.parametrize(("target", "woken"), [({}, 2), ({"inPlace": None, "tenant": "b", "slug": "b"}, 0)])
async def test_what_becomes_of_it_is_work_for_its_tenant(target: Object, woken: int) -> None:
    queue, cluster = WorkQueue[Key](), Cluster()
    context = HandlerContext(cluster, queue, ReconcileState(), Heartbeat())
    item = TenantRestore.parse(merge(restore(), {"spec": {"target": target}}))
    for event in (partial(in_place.observe, context, item), partial(in_place.forget, context, item.metadata)):
        event()
        keys = {await queue.get() for _ in range(len(queue))}
        for key in keys:
            queue.done(key)
        woken -= Key("Tenant", "acme") in keys
    assert woken == 0
