"""Schedules of backups: when one is due, and that an operator that is killed anywhere makes neither two nor none."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any, cast

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import merge
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from unit.operator.made import PAUSED, condition
from unit.operator.test_archive import BEGIN, IDS, KEYS, Bucket, Log, follow
from unit.operator.test_archive import SERVER as SERVER_UID
from vivero_core.backends.kube.errors import KubeUnavailableError
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_SCHEDULED, LABEL_TENANT
from vivero_core.model.tenant import BackupStatus, Tenant
from vivero_core.model.tenant_backup import SCHEDULE_PATTERN, BackupSchedule, TenantBackup
from vivero_operator.archiver import head
from vivero_operator.archiver.chain import Chain, Span
from vivero_operator.archiver.head import Head, unchanged
from vivero_operator.archiver.position import Gap, Position, Positions
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.policies import schedule as policy
from vivero_operator.reconcile.backup_schedule import BackupSchedules
from vivero_operator.settings import Settings

SETTINGS = Settings(data_plane_image="image:1", operator_image="operator:1", backup_secret="backup-storage")
NIGHTLY = BackupSchedule(schedule="30 2 * * *")
BORN = datetime(2026, 11, 22, 11, 59, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive
expressions = st.sampled_from(
    [
        "30 2 * * *",
        "* * * * *",
        "*/7 * * * *",
        "0 0 29 2 *",
        "0 4 * * mon",
        "15 3 1,15 * *",
        "0 0 1 JAN *",
        "59 23 31 12 *",
    ]
)


class TestWhenItIsDue:
    @given(expressions, st.text(), moments, st.timedeltas(timedelta(), timedelta(days=800)))
    def test_a_time_has_come_is_later_than_the_last_one_and_is_none_that_was_not_scheduled(
        self, expression: str, uid: str, after: datetime, passed: timedelta
    ) -> None:
        schedule, now = BackupSchedule(schedule=expression), after + passed
        found = policy.due(schedule, uid, after, now)
        if found is not None:
            assert after < found <= now
            assert policy.due(schedule, uid, found, now) is None, "all that were missed are one"
            assert policy.due(schedule, uid, found - timedelta(seconds=1), found + 2 * policy.SPREAD) is not None

    @given(expressions, st.text(), moments)
    def test_none_is_left_out_that_was_a_quarter_of_an_hour_ago(self, expression: str, uid: str, now: datetime) -> None:
        schedule = BackupSchedule(schedule=expression)
        forward = CronSim(expression, now - timedelta(hours=3 if expression.startswith("*") else 900))
        *_, newest = [now - timedelta(days=4000), *takewhile(lambda at: at <= now - policy.SPREAD, forward)]
        found = policy.due(schedule, uid, datetime(2011, 1, 1, tzinfo=UTC), now)
        assert found is not None
        assert newest <= found <= now

    def test_tenants_of_one_schedule_do_not_begin_together(self) -> None:
        def begun(minutes: int) -> int:
            at = NIGHT + timedelta(minutes=minutes)
            return sum(policy.due(NIGHTLY, f"uid {one}", BORN, at) == NIGHT for one in range(1000))

        counts = [begun(minutes) for minutes in range(0, 16, 3)]
        assert counts[0] < 10
        assert counts[-1] == 1000
        assert all(100 < later - earlier < 300 for earlier, later in pairwise(counts))

    @given(st.text(st.sampled_from("0123456789*/-, JANmonL#@"), max_size=24))
    def test_what_the_api_server_takes_is_an_expression_or_is_told(self, expression: str) -> None:
        if re.search(SCHEDULE_PATTERN, expression):
            fault = policy.fault(BackupSchedule(schedule=expression))
            assert fault is None or "backup.schedule" in fault

    @pytest.mark.parametrize(
        ("expression", "taken"),
        [
            ("30 2 * * *", True),
            ("*/15 0-6/2 1,15 jan-MAR mon", True),
            ("0 0 * * 7", True),
            ("60 2 * * *", False),
            ("0 24 * * *", False),
            ("0 0 0 * *", False),
            ("0 0 * 13 *", False),
            ("0 0 * * 8", False),
            ("0 0 * *", False),
            ("0 0 * * * *", False),
            ("@daily", False),
            ("0 0 L * *", False),
            ("*/0 * * * *", False),
            ("0  0 * * *", False),
            ("0 0 * * *\n", False),
        ],
    )
    def test_what_the_api_server_takes(self, expression: str, *, taken: bool) -> None:
        assert (re.fullmatch(SCHEDULE_PATTERN.replace("$", r"\Z"), expression) is not None) == taken

    @pytest.mark.parametrize(
        ("expression", "fault"),
        [("0 0 31 2 *", "day-of-month"), ("5-3 * * * *", "minute"), ("0 0 30 feb *", "day-of-month")],
    )
    def test_what_only_we_see(self, expression: str, fault: str) -> None:
        assert re.search(SCHEDULE_PATTERN, expression)
        assert fault in (policy.fault(BackupSchedule(schedule=expression)) or "")


class TestUnchanged:
    @pytest.mark.parametrize(
        ("last", "until", "gap", "same"),
        [
            (None, 1000, 0, True),
            ("0-1-7", 1000, 0, True),
            ("0-1-8", 1000, 0, False),
            ("0-1-7", 999, 0, False),
            ("0-1-7", 1000, 499, True),
            ("0-1-7", 1000, 500, False),
        ],
        ids=["no log", "none later", "one later", "not archived yet", "gap before", "gap after"],
    )
    def test_only_what_is_certain(self, last: str | None, until: int, gap: int, *, same: bool) -> None:
        taken_at, at = (datetime.fromtimestamp(second, UTC) for second in (500, 1000))
        assert unchanged(Head(last, until, gap), "0-1-7", taken_at, at) == same


class TestHead:
    def test_it_says_what_was_committed_and_until_when_that_is_known(self) -> None:
        log, bucket = Log(), Bucket()
        for owner in (IDS[0], IDS[1], IDS[0]):
            log.add(owner)
        follow(log, bucket, {IDS[0]: KEYS[IDS[0]]})
        first, other, nobody = (head.read(bucket.store, SERVER_UID, one) for one in IDS)
        assert (first.last, nobody.last) == ("0-7-3", None)
        assert first.until == nobody.until >= BEGIN
        assert (other.last, other.until < BEGIN + 1) == (None, True), "its changes wait for its key"
        positions = Positions(bucket.store, SERVER_UID)
        positions.add_loss(IDS[0], "0-7-9")
        positions.add_gap(Gap("0-7-9", 10, 20))
        positions.add_gap(Gap("0-7-9", 30, 40))
        assert head.read(bucket.store, SERVER_UID, IDS[0]) == Head("0-7-9", first.until, 40)


class Platform:
    """Tenants with a schedule, and the operator's loop, which can be made anew."""

    def __init__(self, tenants: int = 1, settings: Settings = SETTINGS) -> None:
        self.world = World()
        self.world.settings = settings
        self.world.restart()
        self.world.put(merge(PLAN, {"spec": {"backup": NIGHTLY.dump()}}))
        self.world.put(merge(SERVER, {"spec": {"archiverSecret": "archiver"}}))
        for number in range(tenants):
            self.tenant(f"acme-{number}")
        self.world.now = MORNING
        self.bucket = self.world.backends.bucket = Bucket().store

    def archive(self, tenant: str, gtid: str) -> None:
        """The tenant's last transaction; all that was committed by now is archived."""
        (server,) = self.world.services.cluster.servers
        Positions(self.bucket, server.metadata.uid).save(Position(until=int(MORNING.timestamp())))
        segment, span = [b"log"], Span(gtid, gtid, int(BORN.timestamp()), int(BORN.timestamp()))
        Chain(self.bucket, naming.tenant_id(f"uid-{tenant}")).append(public_key(bytes(32)), segment, span)

    def tenant(self, name: str, **changed: Any) -> None:  # noqa: ANN401  JSON
        status = {"provenAt": BORN.isoformat(), "databaseServer": "main"}
        known = merge(tenant_body(name), {"metadata": {"uid": f"uid-{name}", "resourceVersion": "1"}, "status": status})
        if ("Tenant", None, name) not in self.world.kube.objects:
            self.world.put(known)
        # What is None goes.
        self.world.put({"kind": "Tenant", **changed, "metadata": {"name": name, **changed.get("metadata", {})}})

    async def look(self) -> None:
        await BackupSchedules(self.world.services).look()

    def said(self, name: str = "acme-0") -> BackupStatus | None:
        return Tenant.parse(self.world.kube.objects["Tenant", None, name]).status.backup

    def made(self) -> list[TenantBackup]:
        return [TenantBackup.parse(item) for key, item in self.world.kube.objects.items() if key[0] == "TenantBackup"]

    def end(self, name: str, reason: str = "BackedUp", **status: Any) -> None:  # noqa: ANN401  JSON
        """As its Job would."""
        done = {"conditions": [condition("Complete", reason, truth=reason in {"BackedUp", "Unchanged"})], **status}
        self.world.put(merge(self.world.kube.objects["TenantBackup", None, name], {"status": done}))

    def complete(self, tenant: str, at: datetime, gtid: str) -> None:
        """A backup that was made by hand."""
        prefix = f"{naming.tenant_id(f'uid-{tenant}')}/backups/x"
        body = {"kind": "TenantBackup", "metadata": {"name": f"by-hand-{tenant}"}, "spec": {"tenant": tenant}}
        self.world.put(body)
        self.end(f"by-hand-{tenant}", prefix=prefix, takenAt=at.isoformat(), gtid=gtid)


class TestSchedules:
    async def test_a_backup_is_made_once_and_belongs_to_nobody(self) -> None:
        platform = Platform()
        await platform.look()
        await platform.look()
        (made,) = platform.made()
        assert (made.name, made.spec.tenant) == ("acme-0-20261123-0230", "acme-0")
        assert made.metadata.labels == {
            LABEL_SCHEDULED: "2026-11-23T02.30Z",
            LABEL_TENANT: naming.tenant_id("uid-acme-0"),
        }
        assert "ownerReferences" not in platform.world.kube.objects["TenantBackup", None, made.name]["metadata"]
        assert platform.said() == BackupStatus(scheduled_at=NIGHT, message="TenantBackup acme-0-20261123-0230 was made")

    async def test_nights_that_were_missed_are_one(self) -> None:
        platform = Platform()
        platform.world.now = MORNING + timedelta(days=20)
        for _ in range(3):
            await platform.look()
        assert [one.name for one in platform.made()] == ["acme-0-20261213-0230"]

    async def test_the_next_night_makes_the_next(self) -> None:
        platform = Platform()
        await platform.look()
        platform.end("acme-0-20261123-0230")
        platform.world.now = MORNING + timedelta(days=1)
        await platform.look()
        assert [one.name for one in platform.made()] == ["acme-0-20261123-0230", "acme-0-20261124-0230"]

    @pytest.mark.parametrize("reached", [True, False], ids=["the write arrived", "the write was lost"])
    @pytest.mark.parametrize("write", [1, 2], ids=["killed at the object", "killed at the status"])
    async def test_an_operator_that_is_killed_makes_neither_two_nor_none(
        self, monkeypatch: pytest.MonkeyPatch, write: int, *, reached: bool
    ) -> None:
        platform = Platform()
        kube, left = cast("Any", platform.world.kube), [write]

        def dying(real: Any) -> Any:  # noqa: ANN401  a call of the API server
            async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
                left[0] -= 1
                if left[0] != 0:
                    return await real(*args, **kwargs)
                if reached:
                    await real(*args, **kwargs)
                raise KubeUnavailableError("kubernetes", "killed")

            return call

        for name in ("create", "patch_status"):
            monkeypatch.setattr(kube, name, dying(getattr(kube, name)))
        await platform.look()
        # The next process knows what the watches tell.
        platform.world.restart()
        for (kind, _, _), item in list(kube.objects.items()):
            if kind in {"Tenant", "TenantBackup"}:
                platform.world.put(item)
        await platform.look()
        await platform.look()
        assert [one.name for one in platform.made()] == ["acme-0-20261123-0230"]
        said = platform.said()
        assert said is not None
        assert said.scheduled_at == NIGHT

    async def test_a_few_run_at_a_time(self) -> None:
        platform = Platform(tenants=5)
        await platform.look()
        assert len(platform.made()) == SETTINGS.backups_at_once == 2
        platform.end(platform.made()[0].name, "Failed")
        await platform.look()
        await platform.look()
        assert len(platform.made()) == 3

    async def test_one_that_waits_for_something_else_holds_up_nobody(self) -> None:
        platform = Platform(tenants=4)
        await platform.look()
        for one in platform.made():
            platform.end(one.name, "KeysLost")
        await platform.look()
        assert len(platform.made()) == 4

    async def test_a_tenant_whose_last_one_still_waits_gets_no_second(self) -> None:
        platform = Platform()
        await platform.look()
        platform.end("acme-0-20261123-0230", "KeysLost")
        platform.world.now = MORNING + timedelta(days=1)
        await platform.look()
        said = platform.said()
        assert len(platform.made()) == 1
        assert said is not None
        assert said.message == "TenantBackup acme-0-20261123-0230 has not ended: none was made for 2026-11-24T02.30Z"

    async def test_who_changed_nothing_gets_none_and_it_is_said(self) -> None:
        platform = Platform(tenants=2)
        for name in ("acme-0", "acme-1"):
            platform.complete(name, BORN, "0-1-7")
        platform.archive("acme-0", "0-1-7")
        platform.archive("acme-1", "0-1-8")
        await platform.look()
        assert [one.name for one in platform.made() if one.metadata.labels] == ["acme-1-20261123-0230"]
        said = platform.said()
        assert said is not None
        assert said.message == "Unchanged since TenantBackup by-hand-acme-0, skipped"

    async def test_a_bucket_that_does_not_answer_costs_a_backup(self, monkeypatch: pytest.MonkeyPatch) -> None:
        platform = Platform()
        platform.complete("acme-0", BORN, "0-1-7")
        platform.archive("acme-0", "0-1-7")

        def away(_: str) -> str:
            raise StepFailedError("bucket away")

        monkeypatch.setattr(platform.bucket, "first", away)
        await platform.look()
        assert len(platform.made()) == 2

    @pytest.mark.parametrize(
        "changed",
        [
            {"metadata": {"annotations": PAUSED}},
            {"metadata": {"deletionTimestamp": MORNING.isoformat()}},
            {"status": {"provenAt": None}},
            {"spec": {"slug": None, "owner": None, "pool": "trial"}},
            {"spec": {"backup": {"schedule": "0 0 31 2 *"}}},
            {"spec": {"backup": {"schedule": "0 7 * * *"}}},
        ],
        ids=["paused", "deleted", "not proven", "spare", "never comes", "later"],
    )
    async def test_who_gets_none_and_holds_up_nobody(self, changed: Object) -> None:
        platform = Platform(tenants=2)
        platform.tenant("acme-0", **changed)
        await platform.look()
        assert [one.spec.tenant for one in platform.made()] == ["acme-1"]

    async def test_without_a_backup_bucket_there_are_none(self) -> None:
        platform = Platform(settings=Settings(data_plane_image="image:1"))
        await platform.look()
        assert platform.made() == []

    async def test_the_tenants_own_schedule_takes_the_place_of_its_plans(self) -> None:
        platform = Platform()
        platform.tenant("acme-0", spec={"backup": {"schedule": "0 5 * * *"}})
        await platform.look()
        assert [one.name for one in platform.made()] == ["acme-0-20261123-0500"]

    async def test_a_thousand_that_changed_nothing_cost_no_object(self) -> None:
        platform = Platform(tenants=1000)
        for number in range(1000):
            platform.complete(f"acme-{number}", BORN, "0-1-7")
            platform.archive(f"acme-{number}", "0-1-5")
        await platform.look()
        assert not [one for one in platform.made() if one.metadata.labels]
        assert all((said := platform.said(f"acme-{number}")) and said.scheduled_at == NIGHT for number in range(1000))


class TestCondition:
    async def test_without_a_bucket_the_tenant_says_so(self) -> None:
        platform = Platform(settings=Settings(data_plane_image="image:1"))
        await platform.world.reconcile("acme-0")
        conditions = Tenant.parse(platform.world.kube.objects["Tenant", None, "acme-0"]).status.conditions
        (told,) = (one for one in conditions if one.type == "BackupScheduled")
        assert (told.status, told.reason) == ("False", "NotConfigured")
        assert told.message == "The operator has no backup bucket (setting backup_secret)"

    @pytest.mark.parametrize(
        ("own", "status", "reason"),
        [(None, "True", "Scheduled"), ({"schedule": "0 0 31 2 *"}, "False", "ScheduleInvalid")],
    )
    async def test_what_is_wrong_with_a_schedule_is_told_and_ready_is_not_affected(
        self, own: Object | None, status: str, reason: str
    ) -> None:
        platform = Platform()
        platform.tenant("acme-0", spec={"backup": own})
        await platform.world.reconcile("acme-0")
        conditions = Tenant.parse(platform.world.kube.objects["Tenant", None, "acme-0"]).status.conditions
        assert [(one.status, one.reason) for one in conditions if one.type == "BackupScheduled"] == [(status, reason)]
        platform.world.put({"kind": "Plan", "metadata": {"name": "trial"}, "spec": {"backup": None}})
        platform.tenant("acme-0", spec={"backup": None})
        await platform.world.reconcile("acme-0")
        conditions = Tenant.parse(platform.world.kube.objects["Tenant", None, "acme-0"]).status.conditions
        assert "BackupScheduled" not in [one.type for one in conditions]
