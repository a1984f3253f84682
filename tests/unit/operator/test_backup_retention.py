"""Which backups are kept, and that what is not is removed by a Job, never beside another operation, and said when it is gone."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import merge
from reconcile.world import Object
from unit.operator.made import condition
from unit.operator.test_backup_schedules import BORN, SETTINGS, Platform
from unit.operator.test_operations import ended, job, pod
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_SCHEDULED, LABEL_TENANT
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import Keep
from vivero_operator.operations.orders import ORDER_FILE, ExpiryOrder
from vivero_operator.policies.retention import Made, expired
from vivero_operator.reconcile.backup_retention import AGAIN_SECONDS, FAILED_LASTS, BackupRetention
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
moments = st.integers(0, 400 * 24).map(lambda hours: NOON - timedelta(hours=hours))
histories = st.lists(moments, max_size=60, unique=True).map(lambda found: [Made(f"b{at:%Y%m%d%H}", at) for at in found])
keeps = st.builds(Keep, daily=st.integers(0, 9), weekly=st.integers(0, 5), monthly=st.integers(0, 4))
windows = st.none() | st.integers(1, 40).map(lambda days: timedelta(days=days))


def kept(history: list[Made], keep: Keep, begins: datetime | None = None) -> list[Made]:
    gone = expired(history, keep, begins)
    assert gone == sorted(gone, key=lambda one: one.taken_at)
    return sorted((one for one in history if one not in gone), key=lambda one: one.taken_at)


def days(*ago: float) -> list[Made]:
    return [Made(f"-{one}", NOON - timedelta(days=one)) for one in ago]


class TestPolicy:
    @given(histories, keeps)
    def test_never_the_newest_and_never_more_than_the_sum(self, history: list[Made], keep: Keep) -> None:
        found = kept(history, keep)
        assert found[-1:] == sorted(history, key=lambda one: one.taken_at)[-1:]
        assert len(found) <= max(1, keep.daily + keep.weekly + keep.monthly)

    @given(histories, keeps, windows.filter(bool), st.integers(0, 30))
    def test_the_log_costs_two_at_most_and_always_has_where_to_begin(
        self, history: list[Made], keep: Keep, window: timedelta, later: int
    ) -> None:
        """Day after day: whatever a second within the window could be replayed onto, there is still something older."""
        left = history
        for day in range(later + 1):
            now = NOON + timedelta(days=day)
            if day:
                left = [*left, Made(f"day {day}", now)]
            begins = now - window
            was = any(one.taken_at <= begins for one in left)
            left = kept(left, keep, begins)
            assert any(one.taken_at <= begins for one in left) == was
            assert len(left) <= keep.daily + keep.weekly + keep.monthly + 3

    @given(histories, keeps, windows)
    def test_it_is_settled_at_once(self, history: list[Made], keep: Keep, window: timedelta | None) -> None:
        begins = NOON - window if window is not None else None
        left = kept(history, keep, begins)
        assert kept(left, keep, begins) == left

    @given(histories, keeps, st.sampled_from(["daily", "weekly", "monthly"]), windows)
    def test_who_keeps_more_loses_none(
        self, history: list[Made], keep: Keep, more: str, window: timedelta | None
    ) -> None:
        begins = NOON - window if window is not None else None
        larger = keep.model_copy(update={more: getattr(keep, more) + 1})
        assert set(kept(history, keep, begins)) <= set(kept(history, larger, begins))

    def test_the_last_of_each_day_week_and_month(self) -> None:
        history = days(*range(100), 0.1, 0.2)
        assert [one.name for one in kept(history, Keep(daily=3, weekly=2, monthly=3))] == [
            "-54",  # the last of September
            "-23",  # of October
            "-2",
            "-1",  # yesterday was a Sunday
            "-0",
        ]

    def test_days_without_a_backup_do_not_count(self) -> None:
        assert len(kept(days(0, 30, 31, 200), Keep(daily=4))) == 4

    def test_with_dailies_alone_the_log_has_a_base_before_its_window(self) -> None:
        history: list[Made] = []
        for day in range(60):
            now = NOON + timedelta(days=day)
            history = kept([*history, Made(f"{day}", now)], Keep(daily=7), now - timedelta(days=14))
            assert len(history) <= 9
        assert [one.name for one in history] == ["42", "49", *map(str, range(53, 60))]


class Retained(Platform):
    """A tenant with twelve nightly backups of which seven are kept, and the loop, which can be made anew."""

    def __init__(self, nights: int = 12) -> None:
        super().__init__()
        self.ident = naming.tenant_id("uid-acme-0")
        self.tenant("acme-0", spec={"backup": {"schedule": "30 2 * * *", "keep": {"daily": 7}}})
        self.world.put({"kind": "DatabaseServer", "metadata": {"name": "main"}, "spec": {"archiverSecret": None}})
        for night in range(nights):
            self.night(night)
        self.world.now = BORN + timedelta(days=nights)

    async def keys(self) -> None:
        await self.world.escrow(self.ident, "uid-acme-0")

    def night(self, number: int, reason: str = "BackedUp", **status: Any) -> None:  # noqa: ANN401  JSON
        at = BORN + timedelta(days=number)
        labels = {LABEL_SCHEDULED: "x", LABEL_TENANT: self.ident}
        meta = {
            "name": f"night-{number}",
            "uid": f"uid-{number}-{reason}",
            "labels": labels,
            "creationTimestamp": at.isoformat(),
        }
        self.world.put({"kind": "TenantBackup", "metadata": meta, "spec": {"tenant": "acme-0"}})
        if reason == "BackedUp":
            status = {"prefix": f"{self.ident}/backups/{number}", "takenAt": at.isoformat(), **status}
        self.end(f"night-{number}", reason, **status)

    async def look(self) -> None:
        self.retention = getattr(self, "retention", None) or BackupRetention(self.world.services)
        await self.retention.look()

    @property
    def job(self) -> tuple[str, str, str]:
        return "Job", SETTINGS.platform_namespace, "expire-uid-acme-0"

    def order(self) -> ExpiryOrder:
        data = self.world.kube.objects["Secret", self.job[1], self.job[2]]["data"]
        return ExpiryOrder.load(base64.b64decode(data[ORDER_FILE]).decode())

    def job_ends(self, how: str, *, code: int = 0, message: str = "Backups removed: 5") -> None:
        found: Object = pod(ended("expire", code, {"message": message}))
        labels = {"batch.kubernetes.io/job-name": self.job[2]}
        found["metadata"] |= {"name": "attempt", "namespace": self.job[1], "labels": labels}
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        self.world.kube.objects[self.job] |= job(how)

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.made()]

    def events(self) -> list[tuple[str, str]]:
        found = [item for key, item in self.world.kube.objects.items() if key[0] == "Event"]
        return [(one["reason"], one["note"]) for one in found]


@pytest.fixture
async def retained() -> Retained:
    made = Retained()
    await made.keys()
    return made


class TestRetention:
    async def test_what_has_expired_is_removed_by_a_job_and_then_forgotten(self, retained: Retained) -> None:
        await retained.look()
        order = retained.order()
        uids = {one.metadata.uid: one.name for one in retained.made()}
        assert [uids[uid] for uid in order.uids] == [f"night-{number}" for number in range(5)]
        assert (order.tenant, order.server) == (retained.ident, None)
        assert len(retained.names) == 12, "the Job has not ended"
        await retained.look()
        assert len(retained.names) == 12
        retained.job_ends("Complete")
        await retained.look()
        assert retained.names == [f"night-{number}" for number in range(5, 12)]
        assert retained.job not in retained.world.kube.objects
        assert ("Secret", *retained.job[1:]) not in retained.world.kube.objects, "the key is not kept"
        assert ("Expired", "Backups removed: 5") in retained.events()
        said = retained.said()
        assert said is not None
        assert said.expired_at == datetime.fromtimestamp(order.at, UTC)
        retained.world.kube.writes.clear()
        await retained.look()
        assert retained.world.kube.writes == []
        assert retained.world.services.expiring == set()

    @pytest.mark.parametrize("deleted", range(5))
    async def test_an_operator_that_is_killed_while_it_forgets_goes_on(self, retained: Retained, deleted: int) -> None:
        """The Job is gone first, so the next one runs it again; it has less to do."""
        await retained.look()
        del retained.world.kube.objects[retained.job]
        for number in range(deleted):
            retained.world.remove("TenantBackup", None, f"night-{number}")
        retained.world.restart()
        del retained.retention
        await retained.look()
        assert retained.job in retained.world.kube.objects
        retained.job_ends("Complete")
        await retained.look()
        assert retained.names == [f"night-{number}" for number in range(5, 12)]

    async def test_only_what_the_job_was_told_is_forgotten(self, retained: Retained) -> None:
        await retained.look()
        retained.night(12)
        retained.job_ends("Complete")
        await retained.look()
        assert "night-5" in retained.names, "it has expired meanwhile, and is in the bucket"
        await retained.look()
        assert len(retained.order().uids) == 1

    async def test_what_was_made_by_hand_stays(self, retained: Retained) -> None:
        retained.complete("acme-0", BORN - timedelta(days=400), "0-1-1")
        await retained.look()
        retained.job_ends("Complete")
        await retained.look()
        assert "by-hand-acme-0" in retained.names

    async def test_what_a_former_tenant_of_the_name_has_left_stays(self, retained: Retained) -> None:
        retained.world.remove("Tenant", None, "acme-0")
        retained.tenant("acme-0", metadata={"uid": "uid-another"})
        await retained.world.escrow(naming.tenant_id("uid-another"), "uid-another")
        retained.world.now += timedelta(days=100)
        await retained.look()
        assert len(retained.names) == 12
        assert not [key for key in retained.world.kube.objects if key[0] == "Job"]

    @pytest.mark.parametrize("kind", ["TenantBackup", "TenantRestore"])
    async def test_never_beside_another_operation(self, retained: Retained, kind: str) -> None:
        body = {"kind": kind, "metadata": {"name": "busy"}, "spec": {"tenant": "acme-0"}}
        target = {"target": {"tenant": "acme-again", "slug": "acme-again"}} if kind == "TenantRestore" else {}
        retained.world.put(merge(body, {"spec": target}))
        await retained.look()
        assert retained.job not in retained.world.kube.objects
        assert retained.world.services.expiring == set()
        done = {"conditions": [condition("Complete", "Failed", truth=False)]}
        retained.world.put({"kind": kind, "metadata": {"name": "busy"}, "status": done})
        await retained.look()
        assert retained.job in retained.world.kube.objects

    async def test_no_other_operation_begins_beside_it(self, retained: Retained) -> None:
        await retained.look()
        retained.world.put({"kind": "TenantBackup", "metadata": {"name": "later"}, "spec": {"tenant": "acme-0"}})
        reconciler = TenantBackupReconciler(retained.world.services)
        for _ in range(2):
            await reconciler.reconcile("later")
            backup = next(one for one in retained.made() if one.name == "later")
            assert backup.status.message == "Waiting until what has expired is removed from the backup bucket"
            retained.world.services.expiring.clear()  # another process sees the Job
        retained.job_ends("Complete")
        await reconciler.reconcile("later")
        backup = next(one for one in retained.made() if one.name == "later")
        assert backup.status.message == "Waiting for a pod"

    async def test_a_job_that_fails_is_told_and_tried_again_later(self, retained: Retained) -> None:
        await retained.look()
        retained.job_ends("Failed", code=1, message="bucket away")
        await retained.look()
        assert ("ExpiryFailed", "Expired backups stay: expire: bucket away") in retained.events()
        assert len(retained.names) == 12
        await retained.look()
        assert retained.job not in retained.world.kube.objects
        retained.world.now += timedelta(seconds=AGAIN_SECONDS)
        await retained.look()
        assert retained.job in retained.world.kube.objects

    async def test_a_job_is_followed_to_its_end_whatever_becomes_of_the_schedule(self, retained: Retained) -> None:
        await retained.look()
        retained.tenant("acme-0", spec={"backup": {"schedule": "30 2 * * *", "keep": {"daily": 100}}})
        await retained.look()
        assert retained.world.services.expiring == {retained.ident}
        retained.job_ends("Complete")
        await retained.look()
        assert retained.world.services.expiring == set()
        assert retained.names == [f"night-{number}" for number in range(5, 12)], "they are gone from the bucket"

    async def test_with_a_tenant_that_is_gone_it_ends(self, retained: Retained) -> None:
        await retained.look()
        retained.world.remove("Tenant", None, "acme-0")
        await retained.look()
        assert retained.world.services.expiring == set()

    async def test_without_its_key_nothing_is_removed(self) -> None:
        retained = Retained()
        await retained.look()
        assert retained.job not in retained.world.kube.objects
        assert retained.world.services.expiring == set()

    async def test_what_failed_goes_after_a_week_and_what_held_nothing_needs_no_job(self, retained: Retained) -> None:
        for number in range(5):
            retained.world.remove("TenantBackup", None, f"night-{number}")
        retained.night(4, "Failed")
        retained.night(3, "Unchanged", unchangedSince="night-2")
        retained.world.now = BORN + timedelta(days=4) + FAILED_LASTS
        await retained.look()
        assert retained.job not in retained.world.kube.objects
        assert "night-3" not in retained.names
        retained.world.now += timedelta(seconds=1)
        await retained.look()
        assert len(retained.order().uids) == 1
        retained.job_ends("Complete")
        await retained.look()
        assert retained.names == [f"night-{number}" for number in range(5, 12)]


class TestLog:
    async def test_it_is_trimmed_when_a_backup_has_left_the_window_and_not_again(self) -> None:
        retained = Retained(nights=2)
        await retained.keys()
        retained.world.put({"kind": "DatabaseServer", "metadata": {"name": "main"}, "spec": {"archiverSecret": "x"}})
        server = retained.world.kube.objects["DatabaseServer", None, "main"]["metadata"]["uid"]
        retained.world.now = BORN + timedelta(days=14, hours=5)
        await retained.look()
        assert retained.job not in retained.world.kube.objects, "the backup may have taken hours"
        for day in (14, 15):
            retained.world.now = BORN + timedelta(days=day, hours=7)
            await retained.look()
            order = retained.order()
            assert (order.uids, order.server) == ((), server)
            assert order.window_begins == int((retained.world.now - timedelta(days=14)).timestamp())
            retained.job_ends("Complete", message="segments of the log: 3")
            await retained.look()
            await retained.look()
            assert retained.job not in retained.world.kube.objects
        retained.world.now += timedelta(days=100)
        await retained.look()
        assert retained.job not in retained.world.kube.objects, "an idle tenant costs no Job"
        assert Tenant.parse(retained.world.kube.objects["Tenant", None, "acme-0"]).status.backup is not None
