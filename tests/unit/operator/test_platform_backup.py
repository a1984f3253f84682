"""The PlatformBackup: the bucket holds the present state, another installation's is left as it is, and dumps come and go."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from reconcile.world import PLAN, UID, Object, World, tenant_body
from unit.operator.test_operations import SETTINGS, ended, job, pod
from unit.operator.test_platform_state import KEY, PUBLIC, Store
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_core.model.naming import PLATFORM_ID
from vivero_core.model.platform_backup import PlatformBackup
from vivero_operator.archiver.position import Position, Positions
from vivero_operator.manifests import archiver as archivers
from vivero_operator.operations import platform_state
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import BACKUP, EXPIRE, ORDER_FILE, PROOF, BackupOrder, ExpiryOrder, ProofOrder
from vivero_operator.operations.platform_state import State
from vivero_operator.reconcile import archives
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.platform_backup import (
    KEY_SECRET,
    LONGEST_PAUSE,
    LOOK_SECONDS,
    SOON_SECONDS,
    PlatformBackupReconciler,
)
from vivero_operator.reconcile.platform_tables import AGAIN

NAMESPACE = SETTINGS.platform_namespace
CONTROL_PLANE: Object = {"databaseServer": "main", "database": "vivero_control", "secret": "control-plane-database"}
SERVER_UID = "uid-server"


class Platform:
    """A world with a tenant that has keys, an archived server, and the reconciler."""

    def __init__(self) -> None:
        self.world = World()
        self.world.settings = SETTINGS
        self.world.restart()
        self.store = Store()
        self.world.backends.bucket = self.store
        server = {"host": "db.example", "adminSecret": "a", "caConfigMap": "vivero-ca", "archiverSecret": "reads"}
        self.world.put({"kind": "DatabaseServer", "metadata": {"name": "main", "uid": SERVER_UID}, "spec": server})
        for one in (PLAN, tenant_body()):
            self.world.put(one)
        self.world.kube.put(archivers.keys(self.server, SETTINGS))
        self.restart()

    @property
    def server(self) -> Any:  # noqa: ANN401  a DatabaseServer
        return self.world.cluster.servers.get("main")

    def restart(self) -> None:
        self.world.restart()
        self.woken: list[str] = []
        self.reconciler = PlatformBackupReconciler(self.world.services, self.woken.append)

    def backup(self, recovery_key: str = PUBLIC.hex(), name: str = "platform", **spec: Any) -> None:  # noqa: ANN401  JSON
        body = {
            "kind": "PlatformBackup",
            "apiVersion": "vivero.dev/v1alpha1",
            "metadata": {"name": name, "uid": f"uid-{name}", "generation": 1},
            "spec": {"recoveryKey": recovery_key, "controlPlane": CONTROL_PLANE, **spec},
        }
        self.world.put(body)

    def follow(self, schema: str | None = "vivero_control") -> None:
        """The archiver has begun with the control plane's tables, or not."""
        Positions(self.store, SERVER_UID).save(Position({1: "1-1-5"}, 100, platform=schema))

    async def pass_(self, name: str = "platform") -> Result:
        return await self.reconciler.reconcile(name)

    def item(self, name: str = "platform") -> PlatformBackup:
        found = self.world.cluster.of(PlatformBackup).get(name)
        assert found is not None
        return found

    def said(self, name: str = "platform") -> tuple[str, str]:
        (condition,) = self.item(name).status.conditions
        return condition.reason, condition.message

    def state(self) -> tuple[int, State]:
        return platform_state.read(self.store, KEY)

    def end(self, program: str, how: str = "Complete", said: object = None) -> None:
        name = f"{program}-uid-platform"
        steps = {one.name: one.steps for one in (BACKUP, EXPIRE, PROOF)}[program]
        found = pod(*(ended(step, 0 if how == "Complete" else 1, said) for step in steps))
        labels = {"batch.kubernetes.io/job-name": name}
        found["metadata"] |= {"name": f"of-{program}", "namespace": NAMESPACE, "labels": labels}
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        self.world.kube.objects["Job", NAMESPACE, name] |= job(how)

    def order(self, program: str) -> str:
        data = self.world.kube.objects["Secret", NAMESPACE, f"{program}-uid-platform"]["data"]
        return base64.b64decode(data[ORDER_FILE]).decode()

    def jobs(self) -> list[str]:
        return [name for kind, _, name in self.world.kube.objects if kind == "Job"]

    async def settle(self, name: str) -> None:
        """The first dump and all that follows is done."""
        await self.pass_()
        await self.pass_()
        await self.dump(name)
        await self.pass_()
        self.end("expire", said={"message": "Backups removed: 0"})
        await self.pass_()
        await self.prove()
        assert self.jobs() == []

    async def prove(self, how: str = "Complete") -> None:
        """What was dumped is proven, or is not."""
        await self.pass_()
        said = {"tables": 7} if how == "Complete" else {}
        self.end("proof", how, {"message": "not the same as the live data: jobs (rows)", "result": said})
        await self.pass_()

    async def dump(self, name: str) -> None:
        """One that has been ordered is made."""
        at = self.world.now.isoformat()
        self.end("backup", said={"message": "", "result": {"prefix": f"platform/backups/{name}", "takenAt": at}})
        await self.pass_()


@pytest.fixture
async def platform() -> Platform:
    made = Platform()
    await made.world.escrow(naming.tenant_id(UID), UID)
    made.backup()
    made.follow()
    return made


async def test_what_a_new_cluster_needs_is_in_the_bucket(platform: Platform) -> None:
    await platform.pass_()
    number, state = platform.state()
    assert (number, [one["metadata"]["name"] for one in state.of_kind("Tenant")]) == (1, ["acme"])
    assert [one["metadata"]["name"] for one in state.records] == [f"escrow-{naming.tenant_id(UID)}"]
    assert state.escrow_keys[state.current_key]
    held = platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]["data"]["file_key"]
    assert base64.b64decode(held).decode() == state.file_key
    assert platform.item().status.installation == state.installation


async def test_nothing_is_written_while_nothing_changes(platform: Platform) -> None:
    await platform.pass_()
    before = dict(platform.store.objects)
    await platform.pass_()
    platform.restart()
    await platform.pass_()
    assert platform.store.objects == before


async def test_a_change_is_the_next_state(platform: Platform) -> None:
    await platform.pass_()
    platform.world.put({"kind": "Tenant", "metadata": {"name": "acme", "generation": 2}, "spec": {"plan": "starter"}})
    await platform.pass_()
    number, state = platform.state()
    assert (number, state.of_kind("Tenant")[0]["spec"]["plan"]) == (2, "starter")
    status = platform.item().status.state
    assert status is not None
    assert status.number == 2


async def test_of_backups_the_newest_of_each_tenant_is_in_it(platform: Platform) -> None:
    ident = naming.tenant_id(UID)
    for name, at in (("old", "2026-11-20T02:30:00Z"), ("new", "2026-11-21T02:30:00Z"), ("failed", None)):
        status = {"prefix": f"{ident}/backups/uid-{name}", "takenAt": at} if at else {}
        body: Object = {"kind": "TenantBackup", "metadata": {"name": name}, "spec": {"tenant": "acme"}}
        platform.world.put(body | {"status": status})
    await platform.pass_()
    assert [one["metadata"]["name"] for one in platform.state()[1].of_kind("TenantBackup")] == ["new"]


async def test_another_recovery_key_takes_effect_with_the_next_state(platform: Platform) -> None:
    await platform.pass_()
    other = bytes(32)
    platform.backup(public_key(other).hex())
    await platform.pass_()
    assert platform_state.read(platform.store, other)[0] == 2


async def test_without_a_recovery_key_nothing_is_written_and_that_is_said(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    platform.backup("")
    before = dict(platform.store.objects)
    await platform.pass_()
    await platform.pass_()
    assert platform.said()[0] == "NotConfigured"
    assert "could not be rebuilt" in platform.said()[1]
    assert (platform.store.objects, len(caplog.records)) == (before, 1)
    assert ("Secret", NAMESPACE, KEY_SECRET) not in platform.world.kube.objects


async def test_without_a_backup_bucket_that_is_said(platform: Platform) -> None:
    platform.world.settings = SETTINGS.model_copy(update={"backup_secret": ""})
    platform.restart()
    await platform.pass_()
    assert platform.said()[0] == "NotConfigured"


async def test_a_key_that_was_deleted_is_put_back(platform: Platform) -> None:
    await platform.pass_()
    _, before = platform.state()
    del platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]
    await platform.pass_()
    held = platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]["data"]["file_key"]
    assert base64.b64decode(held).decode() == before.file_key


@pytest.mark.parametrize("held", [None, "cc" * 32])
async def test_another_installations_bucket_is_left_as_it_is(platform: Platform, held: str | None) -> None:
    """Also one that has lost its own key: what is in the bucket is sealed by the old one, and only a rebuild knows it."""
    await platform.pass_()
    before = dict(platform.store.objects)
    del platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]
    if held is not None:
        data = {"file_key": base64.b64encode(held.encode()).decode()}
        key: Object = {"kind": "Secret", "metadata": {"name": KEY_SECRET, "namespace": NAMESPACE}, "data": data}
        platform.world.kube.put(key)
    platform.restart()
    platform.world.put(tenant_body("other"))
    await platform.pass_()
    assert platform.said()[0] == "OtherInstallation"
    installation = platform_state.installation_of(bytes.fromhex("cc" * 32))
    assert installation not in platform.said()[1]
    assert platform.store.objects == before


async def test_a_key_of_another_form_is_told(platform: Platform) -> None:
    await platform.pass_()
    platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]["data"]["file_key"] = "bm9uZQ=="
    await platform.pass_()
    assert platform.said()[0] == "Misconfigured"


async def test_while_the_bucket_is_away_it_is_asked_less_and_less(platform: Platform) -> None:
    await platform.pass_()

    def away(_: str) -> None:
        raise StepFailedError("bucket vivero-backups: connection refused")

    platform.store.first = away  # type: ignore[method-assign,assignment]  # as if it were away
    pauses = [(await platform.pass_()).retry_after or 0 for _ in range(8)]
    assert pauses == sorted(pauses)
    assert (pauses[0] > LOOK_SECONDS, pauses[-1]) == (True, LONGEST_PAUSE)
    assert platform.said() == ("StorageUnavailable", "Not backed up: bucket vivero-backups: connection refused")
    del platform.store.first
    assert (await platform.pass_()).retry_after in {SOON_SECONDS, LOOK_SECONDS}


async def test_a_metric_says_for_how_long_it_has_not_been_the_present_state(platform: Platform) -> None:
    def age() -> float | None:
        return REGISTRY.get_sample_value("vivero_platform_backup_age_seconds")

    await platform.pass_()
    assert age() == 0
    platform.world.kube.objects["Secret", NAMESPACE, KEY_SECRET]["data"]["file_key"] = "bm9uZQ=="
    platform.world.now += timedelta(minutes=20)
    await platform.pass_()
    assert age() == 1200
    platform.backup("")
    await platform.pass_()
    assert age() == 0, "what nobody wants is not late"


async def test_only_one_object_counts(platform: Platform) -> None:
    platform.backup(name="second")
    await platform.pass_("second")
    assert platform.said("second")[0] == "Refused"
    assert not platform_state.numbers(platform.store)


class TestControlPlane:
    async def test_its_key_is_published_and_then_its_schema_named(self, platform: Platform) -> None:
        """In this order: what the archiver finds no key for is given up after a while."""
        assert archives._platform_schema(platform.world.services, platform.server) is None  # noqa: SLF001
        await platform.pass_()
        assert archives._platform_schema(platform.world.services, platform.server) == "vivero_control"  # noqa: SLF001
        await platform.pass_()
        keys = platform.world.kube.objects["ConfigMap", NAMESPACE, archivers.name_of(platform.server)]["data"]
        assert keys[PLATFORM_ID] == public_key(bytes.fromhex(platform.state()[1].file_key)).hex()

    async def test_no_dump_is_made_before_the_archiver_follows(self, platform: Platform) -> None:
        platform.follow(None)
        await platform.pass_()
        await platform.pass_()
        assert (platform.said()[0], platform.jobs()) == ("Running", [])
        assert "archiver of main begins" in platform.said()[1]
        assert platform.woken == ["main"]

    async def test_the_first_dump_is_made_at_once_and_then_all_is_well(self, platform: Platform) -> None:
        await platform.pass_()
        await platform.pass_()
        order = BackupOrder.load(platform.order("backup"))
        assert (order.tenant, order.schemas, order.storage) == (PLATFORM_ID, ("vivero_control",), None)
        assert platform.said()[0] == "Running"
        await platform.dump("d1")
        assert (platform.said()[0], [one.name for one in platform.item().status.dumps]) == ("Stored", ["d1"])
        assert platform.jobs() == []

    async def test_the_next_one_by_the_schedule(self, platform: Platform) -> None:
        await platform.pass_()
        await platform.pass_()
        await platform.settle("d1")
        platform.world.now += timedelta(days=1)
        await platform.pass_()
        assert platform.jobs() == ["backup-uid-platform"]
        assert platform.said()[0] == "Stored", "the dump before is there"

    async def test_what_is_not_kept_is_removed_behind_each(self, platform: Platform) -> None:
        platform.backup(backup={"schedule": "30 2 * * *", "keep": {"daily": 2}})
        await platform.pass_()
        for day in range(40):
            for _ in range(2):
                await platform.pass_()
            if platform.jobs() == ["backup-uid-platform"]:
                await platform.dump(f"d{day}")
                await platform.pass_()
                order = ExpiryOrder.load(platform.order("expire"))
                assert (order.tenant, order.server) == (PLATFORM_ID, SERVER_UID)
                platform.end("expire", said={"message": ""})
                await platform.pass_()
                assert not {one.name for one in platform.item().status.dumps} & set(order.uids)
            platform.world.now += timedelta(days=1)
        # Two days, one before the window of the log and the oldest within it, which is to be the next one's.
        assert len(platform.item().status.dumps) == 4

    async def test_one_that_failed_is_told_and_tried_again_in_an_hour(self, platform: Platform) -> None:
        await platform.pass_()
        await platform.pass_()
        platform.end("backup", "Failed", {"message": "logging in failed"})
        await platform.pass_()
        why = "dumping the control plane's tables failed: files: logging in failed; tried again at 13:00 (UTC)"
        for _ in range(3):
            assert platform.said() == ("Failed", why), "as long as nothing is tried"
            await platform.pass_()
            assert platform.jobs() == []
        platform.world.now += AGAIN
        await platform.pass_()
        assert platform.jobs() == ["backup-uid-platform"]

    async def test_each_dump_is_followed_by_a_proof_of_the_live_tables(self, platform: Platform) -> None:
        await platform.settle("d1")
        proof = platform.item().status.proof
        assert proof is not None
        assert (proof.result, proof.tables, platform.said()[0]) == ("Passed", 7, "Stored")
        await platform.pass_()
        assert platform.jobs() == [], "once"
        platform.world.now += timedelta(days=1)
        await platform.pass_()
        await platform.dump("d2")
        await platform.pass_()
        platform.end("expire", said={"message": ""})
        await platform.pass_()
        await platform.pass_()
        order = ProofOrder.load(platform.order("proof"))
        assert (order.tenant, order.schemas, order.source) == (PLATFORM_ID, ("vivero_control",), None)
        await platform.prove("Failed")
        assert platform.said()[0] == "ProofFailed"
        assert REGISTRY.get_sample_value("vivero_platform_proof_failed") == 1
        assert "jobs (rows)" in platform.said()[1]
        await platform.pass_()
        assert (platform.said()[0], platform.jobs()) == ("ProofFailed", []), "until the next one"

    async def test_a_person_asks_for_a_dump_between(self, platform: Platform) -> None:
        await platform.settle("d1")
        asked = platform.world.now + timedelta(minutes=1)

        def ask(moment: str) -> None:
            annotations = {"vivero.dev/dump-at": moment}
            platform.world.put({"kind": "PlatformBackup", "metadata": {"name": "platform", "annotations": annotations}})

        ask(asked.isoformat())
        await platform.pass_()
        assert platform.jobs() == [], "not before its time, or every dump would be too old"
        platform.world.now += timedelta(minutes=2)
        await platform.pass_()
        assert platform.jobs() == ["backup-uid-platform"]
        assert platform.item().status.dumping
        platform.end("backup", "Failed", {"message": "away"})
        for _ in range(2):
            await platform.pass_()
        assert (platform.jobs(), platform.item().status.dumping) == ([], False)
        assert "away; tried again at 13:02 (UTC)" in platform.said()[1]
        platform.world.now += timedelta(minutes=2)
        ask((platform.world.now - timedelta(minutes=1)).isoformat())
        await platform.pass_()
        assert platform.jobs() == ["backup-uid-platform"], "asked again it is tried at once"
        await platform.dump("d2")
        assert [one.name for one in platform.item().status.dumps] == ["d1", "d2"]
        await platform.pass_()
        assert platform.jobs() == ["expire-uid-platform"]
        ask("soon")
        await platform.pass_()
        assert "annotation vivero.dev/dump-at is no moment" in platform.said()[1]

    async def test_a_dump_is_known_before_its_job_goes(self, platform: Platform) -> None:
        await platform.pass_()
        await platform.pass_()
        original = platform.world.kube.delete

        async def killed(*_: object, **__: object) -> None:
            raise KubeNotFoundError("kubernetes", "killed here")

        platform.world.kube.delete = killed  # type: ignore[method-assign]  # an operator that ends
        await platform.dump("d1")
        platform.world.kube.delete = original  # type: ignore[method-assign]
        assert [one.name for one in platform.item().status.dumps] == ["d1"]
        platform.restart()
        await platform.pass_()
        assert ([one.name for one in platform.item().status.dumps], platform.jobs()) == (["d1"], [])

    @pytest.mark.parametrize(
        ("spec", "reason"),
        [
            ({"controlPlane": None}, "NotConfigured"),
            ({"controlPlane": CONTROL_PLANE | {"databaseServer": "other"}}, "DatabaseServerNotFound"),
            ({"backup": {"schedule": "30 2 31 2 *"}}, "ScheduleInvalid"),
        ],
    )
    async def test_what_is_missing_is_said(self, platform: Platform, spec: Object, reason: str) -> None:
        platform.backup(**spec)
        for _ in range(2):
            await platform.pass_()
        assert platform.said()[0] == reason
        assert platform.state()[0] == 1, "the state is stored all the same"
