"""A restore to be looked at: from its creation to an open workspace, to its end, and all that may come between."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from reconcile.fakes import merge
from reconcile.scenes import IDENT, NAMESPACE, SCHEMA, condition, pod
from reconcile.world import Object, tenant_body
from unit.operator.made import body
from unit.operator.test_in_place import TIME, Scene
from unit.operator.test_in_place import restore as in_place
from vivero_core.model import naming
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.manifests import as_of as manifests
from vivero_operator.operations.orders import ORDER_FILE, MomentOrder
from vivero_operator.policies import as_of as policy
from vivero_operator.reconcile import orphans
from vivero_operator.reconcile.as_of import OPEN_FOR
from vivero_operator.reconcile.operation import LOOK_SECONDS, WAIT_SECONDS
from vivero_operator.reconcile.orphans import Sweep
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler
from vivero_operator.reconcile.tenant_restore import TenantRestoreReconciler

VIEW = naming.tenant_id("uid-look")
NAME = f"as-of-{VIEW}"
HOST = f"{NAME}.vivero.localhost"
BOTH = {f"{SCHEMA}asof", f"{SCHEMA}asofaudit"}


def look(name: str = "look", *, host: str | None = None, **metadata: Any) -> Object:  # noqa: ANN401  JSON
    target = {"asOf": {"host": host}, "inPlace": None, "tenant": None, "slug": None}
    return body("TenantRestore", name, {"time": TIME, "backup": None, "target": target}, **metadata)


class View(Scene):
    """A tenant that serves, and its past beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.restores = TenantRestoreReconciler(self.world.services)

    async def look(self, name: str = "look") -> Any:  # noqa: ANN401  a Result
        return await self.restores.reconcile(name)

    def said(self, name: str = "look") -> tuple[str, str, str]:
        return super().said(name)

    def end(self, how: str = "Complete", name: str = "look", **result: object) -> None:
        super().end(how, name, **result)

    def status(self, name: str = "look") -> Object:
        found: Object = self.world.kube.objects["TenantRestore", None, name]["status"]
        return found

    def objects(self, name: str = NAME) -> set[str]:
        return {kind for kind, namespace, own in self.world.kube.objects if (namespace, own) == (NAMESPACE, name)}

    def made(self, kind: str) -> Object:
        found: Object = self.world.kube.objects[kind, NAMESPACE, NAME]
        return found

    def order(self) -> MomentOrder:
        data = self.world.kube.objects["Secret", *self.job("look")[1:]]["data"]
        return MomentOrder.load(base64.b64decode(data[ORDER_FILE]).decode())

    def pods_allowed(self) -> int:
        return int(self.world.kube.objects["ResourceQuota", NAMESPACE, "app"]["spec"]["hard"]["pods"])

    def stands(self, **status: object) -> None:
        """What the Deployment's controller says."""
        self.world.kube.objects["Deployment", NAMESPACE, NAME]["status"] = status

    async def open(self, name: str = "look") -> None:
        self.world.put(look(name))
        await self.look(name)
        self.end(name=name, files=2, missingFiles=1, restoredTo=TIME)
        await self.look(name)
        await self.look(name)
        self.stands(readyReplicas=1, updatedReplicas=1)
        await self.look(name)
        assert self.said(name)[:2] == ("True", "Restored")

    def is_gone(self) -> bool:
        """Whether nothing of it is left anywhere."""
        backends = self.world.backends
        return (
            not self.objects()
            and self.server.databases == {SCHEMA}
            and f"{SCHEMA}v" not in self.server.users
            and f"vivero-{VIEW}" not in backends.s3.buckets
            and f"vivero-{VIEW}" not in backends.s3.users
            and f"vt{VIEW}" not in backends.valkey.users
        )


@pytest.fixture
async def view() -> View:
    made = View()
    await made.serve()
    return made


async def test_from_its_creation_to_its_end(view: View) -> None:
    view.world.put(look())
    await view.look()
    assert view.said()[:2] == ("False", "Running")
    assert view.world.kube.objects["TenantRestore", None, "look"]["metadata"]["finalizers"]
    assert view.server.databases == {SCHEMA} | BOTH
    assert view.server.viewers == {f"{SCHEMA}v": "fills"}
    assert view.objects() == {"Secret"}, "nothing serves half a restore"

    view.end(files=2, missingFiles=1, restoredTo=TIME)
    assert (await view.look()).retry_after == LOOK_SECONDS
    assert view.said() == ("False", "Starting", f"Compared; starting the workspace at {HOST}")
    assert view.server.viewers == {f"{SCHEMA}v": "reads"}
    await view.look()
    assert view.said() == ("False", "Starting", f"Waiting for the pod of the workspace at {HOST}")
    assert view.objects() == {"Secret", "Deployment", "Service", "Ingress"}
    view.stands(readyReplicas=1, updatedReplicas=1)
    await view.look()
    until = f"{view.world.now + OPEN_FOR:%Y-%m-%d %H:%M:%S}"
    url = f"https://{HOST}:8443"
    assert view.said() == ("True", "Restored", f"Complete: open at {url} until {until} (UTC), read only")
    status = view.status()
    assert (status["into"], status["url"], status["files"], status["restoredTo"]) == ("as of", url, 2, TIME)

    view.world.now += OPEN_FOR - timedelta(seconds=1)
    assert (await view.look()).retry_after == 30
    assert view.objects() == {"Secret", "Deployment", "Service", "Ingress"}
    view.world.now += timedelta(seconds=1)
    assert (await view.look()).retry_after is None
    assert view.is_gone()
    status = view.status()
    assert "url" not in status
    assert status["message"].startswith("Closed at 2026-11-23 12:00:00 (UTC)")
    assert view.said()[:2] == ("True", "Restored"), "it was done"
    view.world.remove("TenantRestore", None, "look")


async def test_the_job_may_fill_what_is_beside_and_nothing_else(view: View) -> None:
    view.world.put(look())
    await view.look()
    order = view.order()
    assert order.target.schemas == {SCHEMA: f"{SCHEMA}asof", f"{SCHEMA}audit": f"{SCHEMA}asofaudit"}
    assert order.target.audit == "", "its audit log is loaded like any table"
    assert order.target.storage is not None
    assert order.source is not None
    assert order.target.storage.bucket == f"vivero-{VIEW}" != order.source.bucket
    assert order.target.database.user == f"{SCHEMA}v"
    assert view.server.users[f"{SCHEMA}v"] == order.target.database.password
    own = await view.world.services.escrow.find(IDENT)
    assert own is not None
    assert own.keys is not None
    keys = manifests.keys_in(view.made("Secret"))
    assert (order.target.file_key, order.file_key) == (keys.file_key, own.keys.file_key)
    mine, theirs = keys.dump(), own.keys.dump()
    assert all(mine[name] != theirs[name] for name in theirs), "nothing of the live workspace opens anything of it"


async def test_a_start_that_was_interrupted_uses_the_same_keys(view: View) -> None:
    view.world.put(look())
    await view.look()
    before = manifests.keys_in(view.made("Secret"))
    del view.world.kube.objects[view.job("look")]
    await view.look()
    assert manifests.keys_in(view.made("Secret")) == before
    assert view.server.users[f"{SCHEMA}v"] == before.database_password


async def test_its_pod_reads_what_is_its_own_and_takes_no_tickets(view: View) -> None:
    await view.open()
    deployment = view.made("Deployment")
    assert deployment["metadata"]["ownerReferences"][0]["kind"] == "TenantRestore"
    template = deployment["spec"]["template"]
    for meta in (deployment["metadata"], template["metadata"]):
        assert "vivero.dev/tenant" not in meta["labels"], "it is not one of the tenant's"
    service = view.made("Service")["spec"]
    assert service["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["selector"]["app.kubernetes.io/name"] != "vivero-data-plane", "the live Service does not lead to it"
    told = {one["name"]: one["value"] for one in template["spec"]["containers"][0]["env"]}
    assert told["VIVERO_TENANT_ID"] == VIEW
    assert told["VIVERO_AS_OF"] == "2026-11-22T11:30:00+00:00"
    assert told["VIVERO_PUBLIC_URL"] == f"https://{HOST}:8443"
    (files,) = [one["projected"] for one in template["spec"]["volumes"] if "projected" in one]
    secrets = [one["secret"] for one in files["sources"] if "secret" in one]
    assert [one["name"] for one in secrets] == [NAME]
    paths = {item["path"] for one in files["sources"] for content in one.values() for item in content["items"]}
    assert {"database/password", "limits/limits.json", "platform/ca.crt"} <= paths
    assert not any("ticket" in path or "mail" in path for path in paths)
    rule = view.made("Ingress")["spec"]["rules"][0]
    assert (rule["host"], rule["http"]["paths"][0]["backend"]["service"]["name"]) == (HOST, NAME)
    values = {key: base64.b64decode(value).decode() for key, value in view.made("Secret")["data"].items()}
    assert values["database.name"] == f"{SCHEMA}asof"
    assert values["database.audit"] == f"{SCHEMA}asofaudit"
    assert values["database.username"] == f"{SCHEMA}v"
    assert values["cache.prefix"] == f"vt{VIEW}:"
    assert values["storage.bucket"] == f"vivero-{VIEW}"


async def test_it_takes_no_room_from_the_live_workspace(view: View) -> None:
    before = view.pods_allowed()
    await view.open()
    await view.world.reconcile()
    assert view.pods_allowed() == before + 1
    assert condition(view.world, "Ready") == "True Proven"
    view.world.now += OPEN_FOR
    await view.look()
    await view.world.reconcile()
    assert view.pods_allowed() == before


async def test_what_somebody_deletes_of_it_is_put_back(view: View) -> None:
    await view.open()
    del view.world.kube.objects["Deployment", NAMESPACE, NAME]
    await view.look()
    assert "Deployment" in view.objects()


@pytest.mark.parametrize("when", ["while it is loaded", "while it starts", "while it is open", "after it was closed"])
async def test_one_that_is_deleted_leaves_nothing(view: View, when: str) -> None:
    if when == "while it is loaded":
        view.world.put(look())
        await view.look()
    elif when == "while it starts":
        view.world.put(look())
        await view.look()
        view.end(files=0, restoredTo=TIME)
        await view.look()
    else:
        await view.open()
    if when == "after it was closed":
        view.world.now += OPEN_FOR
        await view.look()
    await leave(view)
    assert view.is_gone()
    assert view.world.kube.objects["TenantRestore", None, "look"]["metadata"]["finalizers"] == []


async def leave(view: View, name: str = "look") -> None:
    """As the API server says that it is to go."""
    live = view.world.kube.objects["TenantRestore", None, name]
    view.world.put(merge(live, {"metadata": {"deletionTimestamp": "2026-11-22T12:30:00Z"}}))
    await view.look(name)


async def test_one_that_fails_leaves_nothing(view: View) -> None:
    view.world.put(look())
    await view.look()
    view.end("Failed")
    await view.look()
    assert view.said()[:2] == ("False", "Failed")
    assert view.is_gone()


async def test_a_schema_that_the_program_cannot_show_is_a_refusal(view: View) -> None:
    view.world.put(look())
    await view.look()
    view.end(files=0, restoredTo=TIME)
    view.server.irreplaceable[SCHEMA] = "the workspace had no tables at that second"
    await view.look()
    assert view.said() == ("False", "Refused", "Refused: the workspace had no tables at that second")
    assert view.is_gone()


MIGRATING = "Compared; bringing the tables of that second to the revision of today's program"


async def migrating(view: View) -> None:
    """What was loaded is of an older revision."""
    view.world.put(look())
    await view.look()
    view.end(files=0, restoredTo=TIME)
    view.server.older.add(SCHEMA)
    await view.look()
    assert view.said() == ("False", "Starting", MIGRATING)


async def test_tables_of_before_a_migration_are_migrated_while_their_login_may_write(view: View) -> None:
    await migrating(view)
    assert view.server.viewers == {f"{SCHEMA}v": "fills"}
    assert view.objects() == {"Secret", "Deployment"}, "nobody gets in"
    spec = view.made("Deployment")["spec"]
    template = spec["template"]["spec"]
    (init,), program = template["initContainers"], template["containers"][0]
    assert (init["args"], init["image"], init["env"]) == (["migrate"], program["image"], program["env"])
    assert init["volumeMounts"] == program["volumeMounts"]
    assert spec["progressDeadlineSeconds"] > 600, "a migration may take so long"

    view.server.older.clear()
    await view.look()
    assert view.said()[2] == MIGRATING, "whatever the schema says, the program has not ended it"
    view.stands(readyReplicas=1, updatedReplicas=1)
    await view.look()
    assert view.server.viewers == {f"{SCHEMA}v": "reads"}
    assert view.said()[2] == f"Compared; starting the workspace at {HOST}"
    await view.look()
    assert "initContainers" not in view.made("Deployment")["spec"]["template"]["spec"]
    assert view.objects() == {"Secret", "Deployment", "Service", "Ingress"}
    assert view.said()[:2] == ("True", "Restored")


@pytest.mark.parametrize(
    ("status", "is_up"),
    [
        ({}, False),
        ({"readyReplicas": 1, "updatedReplicas": 1, "observedGeneration": 2}, True),
        ({"readyReplicas": 1, "updatedReplicas": 1, "observedGeneration": 1}, False),
        ({"readyReplicas": 1, "observedGeneration": 2}, False),
        ({"updatedReplicas": 1, "observedGeneration": 2}, False),
    ],
)
def test_a_pod_of_the_deployment_as_it_was_is_none(status: Object, *, is_up: bool) -> None:
    assert policy.is_up({"metadata": {"generation": 2}, "status": status}) == is_up


async def test_an_operator_that_is_killed_before_it_could_say_that_it_opened_goes_on(view: View) -> None:
    await migrating(view)
    view.server.older.clear()
    view.stands(readyReplicas=1, updatedReplicas=1)
    status = view.status().copy()
    await view.look()
    view.world.put({"kind": "TenantRestore", "metadata": {"name": "look"}, "spec": look()["spec"]})
    view.world.kube.objects["TenantRestore", None, "look"]["status"] = status
    view.world.cluster.of(TenantRestore).put(
        TenantRestore.parse(view.world.kube.objects["TenantRestore", None, "look"])
    )
    await view.look()
    assert view.said()[2] == f"Compared; starting the workspace at {HOST}"


async def test_a_migration_that_fails_is_a_refusal_and_leaves_nothing(view: View) -> None:
    await migrating(view)
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    view.stands(conditions=[late])
    await view.look()
    assert view.said()[:2] == ("False", "Refused")
    assert view.is_gone()


async def test_a_pod_that_does_not_start_is_a_refusal_at_last(view: View) -> None:
    view.world.put(look())
    await view.look()
    view.end(files=0, restoredTo=TIME)
    await view.look()
    await view.look()
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    view.stands(conditions=[late])
    await view.look()
    assert view.said()[2] == "Refused: the pod of the workspace does not become ready: timed out"
    assert view.is_gone()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("other.example.com", "target.asOf.host has to be a name directly below vivero.localhost"),
        ("a.b.vivero.localhost", "target.asOf.host has to be a name directly below vivero.localhost"),
        ("vivero.localhost", "target.asOf.host has to be a name directly below vivero.localhost"),
        ("admin.vivero.localhost", "target.asOf.host admin.vivero.localhost is reserved for the platform"),
        ("acme.vivero.localhost", "target.asOf.host acme.vivero.localhost belongs to Tenant acme"),
        ("then.vivero.localhost", "target.asOf.host then.vivero.localhost is in use by TenantRestore first"),
    ],
)
async def test_a_host_that_it_cannot_have_is_refused_before_anything_is_made(view: View, host: str, said: str) -> None:
    other = tenant_body("other")
    view.world.put(merge(other, {"metadata": {"uid": "uid-other"}}))
    of_other = merge(look("first", host="then.vivero.localhost"), {"spec": {"tenant": "other"}})
    running = {"type": "Complete", "status": "False", "reason": "Running", "lastTransitionTime": TIME}
    view.world.put(merge(of_other, {"status": {"conditions": [running]}}))
    view.world.put(look(host=host))
    assert (await view.look()).retry_after is None
    assert view.said() == ("False", "Refused", f"Refused: {said}")
    refused = [one for one in view.status()["conditions"] if one["type"] == "Refused"]
    assert [one["status"] for one in refused] == ["True"]
    assert "begin_view" not in view.server.calls
    assert view.job("look") not in view.world.kube.objects
    assert view.is_gone()


async def test_a_host_of_its_own(view: View) -> None:
    view.world.put(look(host="acme-then.vivero.localhost"))
    await view.look()
    view.end(files=0, restoredTo=TIME)
    await view.look()
    await view.look()
    assert view.made("Ingress")["spec"]["rules"][0]["host"] == "acme-then.vivero.localhost"
    assert view.status()["url"] == "https://acme-then.vivero.localhost:8443"


SUSPENDED = {"suspended": {"reason": "Unpaid"}}


def tenant(**changes: object) -> Tenant:
    return Tenant.parse(merge(tenant_body(), changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spec": SUSPENDED}, "Tenant acme is suspended"),
        ({"metadata": {"deletionTimestamp": TIME}}, "Tenant acme is being deleted"),
        ({"spec": {"owner": None, "slug": None, "pool": "trial"}}, "Tenant acme is a spare"),
        ({}, None),
    ],
)
def test_whose_past_nobody_may_look_at(changes: Object, said: str | None) -> None:
    found = policy.obstacle(tenant(**changes))
    assert found is None if said is None else (found is not None and found.startswith(said))


async def test_a_suspended_tenant_is_refused_and_one_that_is_suspended_later_is_closed(view: View) -> None:
    await view.open()
    view.world.put(merge(view.world.kube.objects["Tenant", None, "acme"], {"spec": SUSPENDED}))
    await view.look()
    assert view.is_gone()
    assert view.status()["message"].startswith("Closed at ")
    view.world.put(look("second"))
    await view.look("second")
    assert view.said("second")[2].startswith("Refused: Tenant acme is suspended")


async def come_to(view: View, begun: str) -> None:
    if begun == "open":
        await view.open()
    else:
        view.world.put(look())
        await view.look()
        view.end(files=0, restoredTo=TIME)


@pytest.mark.parametrize("begun", ["loaded", "open"])
async def test_with_its_tenant_it_goes(view: View, begun: str) -> None:
    await come_to(view, begun)
    view.world.remove("Tenant", None, "acme")
    await view.look()
    if begun == "loaded":
        await leave(view)
    assert view.is_gone()


@pytest.mark.parametrize("begun", ["loaded", "open"])
async def test_another_tenant_of_its_name_is_not_the_one_it_shows(view: View, begun: str) -> None:
    await come_to(view, begun)
    view.world.remove("Tenant", None, "acme")
    view.world.put(merge(tenant_body(), {"metadata": {"uid": "uid-another"}}))
    await view.look()
    assert view.is_gone()
    if begun == "loaded":
        assert view.said()[1:] == ("Refused", "Refused: there is no Tenant acme any more")


async def test_two_at_once_are_one_after_the_other(view: View) -> None:
    await view.open()
    view.world.put(look("second"))
    assert (await view.look("second")).retry_after == WAIT_SECONDS
    assert view.said("second")[1:] == (
        "WaitingForTurn",
        "Waiting for TenantRestore look, which shows this tenant already: delete it to see another second",
    )
    # One that waits and is deleted takes nothing away.
    await leave(view, "second")
    assert view.server.databases == {SCHEMA} | BOTH
    assert view.objects() == {"Secret", "Deployment", "Service", "Ingress"}
    view.world.remove("TenantRestore", None, "second")

    view.world.put(look("third"))
    await view.look("third")
    await leave(view)
    view.world.remove("TenantRestore", None, "look")
    await view.look("third")
    assert view.said("third")[1] == "Running"
    assert view.server.databases == {SCHEMA} | BOTH


async def test_an_old_one_that_is_deleted_leaves_the_next_one_alone(view: View) -> None:
    await view.open()
    view.world.now += OPEN_FOR
    await view.look()
    view.world.put(look("second"))
    await view.look("second")
    assert view.said("second")[1] == "Running"
    await leave(view)
    assert view.server.databases == {SCHEMA} | BOTH
    assert view.server.viewers == {f"{SCHEMA}v": "fills"}


async def test_it_waits_for_a_restore_in_place_and_for_a_backup(view: View) -> None:
    view.world.put(in_place())
    await view.look("back")
    view.world.put(look())
    await view.look()
    assert view.said()[1:] == ("WaitingForTurn", "Waiting for TenantRestore back")
    view.end("Failed", "back")
    await view.look("back")
    running = {"type": "Complete", "status": "False", "reason": "Running", "lastTransitionTime": TIME}
    view.world.put(body("TenantBackup", "nightly", status={"conditions": [running]}))
    await view.look()
    assert view.said()[1:] == ("WaitingForTurn", "Waiting for TenantBackup nightly")
    view.world.remove("TenantBackup", None, "nightly")
    await view.look()
    assert view.said()[1] == "Running"


async def test_a_backup_waits_while_it_is_loaded_and_not_while_it_is_open(view: View) -> None:
    view.world.put(look())
    await view.look()
    view.world.put(body("TenantBackup", "nightly"))
    backups = TenantBackupReconciler(view.world.services)

    async def said() -> str | None:
        await backups.reconcile("nightly")
        return TenantBackup.parse(view.world.kube.objects["TenantBackup", None, "nightly"]).status.message

    assert await said() == "Waiting for TenantRestore look"
    view.end(files=0, restoredTo=TIME)
    await view.look()
    assert await said() == "Waiting for a pod"


async def test_a_restore_in_place_does_not_wait_for_its_pod(view: View) -> None:
    await view.open()
    guest = merge(
        pod(NAME), {"metadata": {"labels": {"vivero.dev/tenant": None, "app.kubernetes.io/name": "vivero-as-of"}}}
    )
    view.world.kube.put(guest)
    view.world.put(in_place())
    await view.look("back")
    view.end(name="back", files=0, restoredTo=TIME)
    await view.look("back")
    await view.world.reconcile()
    view.close()
    await view.look("back")
    assert view.said("back")[2] == "Tenant acme is closed, its data is switched in a moment"


async def test_what_is_its_own_is_no_orphan(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "CONFIRM_SECONDS", 0)
    await view.open()
    await Sweep(view.world.services, lambda: None)._sweep()  # noqa: SLF001  one round of `run`
    assert VIEW not in view.world.services.orphans.known
    # What an earlier one has left, because somebody took its finalizer away, is one.
    view.world.remove("TenantRestore", None, "look")
    await Sweep(view.world.services, lambda: None)._sweep()  # noqa: SLF001  one round of `run`
    assert set(view.world.services.orphans.known[VIEW].found.things) == {"bucket", "cache user", "storage account"}


async def test_one_that_shows_a_backup_is_as_of_when_that_was_made(view: View) -> None:
    done = {"type": "Complete", "status": "True", "reason": "BackedUp", "lastTransitionTime": TIME}
    status = {"prefix": f"{IDENT}/backups/uid-nightly", "conditions": [done]}
    view.world.put(body("TenantBackup", "nightly", status=status))
    view.world.put(merge(look(), {"spec": {"time": None, "backup": "nightly"}}))
    await view.look()
    key = view.job("look", program="restore")
    assert key in view.world.kube.objects
    view.end_of(key, restoredTo="2026-11-20T02:30:00Z", files=0)
    await view.look()
    await view.look()
    env = view.made("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "VIVERO_AS_OF", "value": "2026-11-20T02:30:00+00:00"} in env
