"""Which tenants are proven in which night, whatever ends the operator when; and what a Tenant says of it."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from reconcile.fakes import merge
from reconcile.scenes import serving
from reconcile.world import NOW, PLAN, SERVER, UID, Object, World, tenant_body
from unit.operator.made import PAUSED, body, condition, served
from unit.operator.test_archive import Bucket
from unit.operator.test_operations import ended, job, pod
from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Recovery, Tenant
from vivero_core.model.tenant_proof import TenantProof
from vivero_operator.archiver.chain import Chain, Span
from vivero_operator.archiver.position import Position, Positions
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import ORDER_FILE, ProofOrder
from vivero_operator.policies import proofs as policy
from vivero_operator.reconcile import archives
from vivero_operator.reconcile.operation import LOOK_SECONDS, WAIT_SECONDS
from vivero_operator.reconcile.proofs import Proofs
from vivero_operator.reconcile.tenant_proof import TenantProofReconciler
from vivero_operator.settings import ProofSchedule, Settings

MIDNIGHT = NOW.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ARCHIVED = merge(SERVER, {"spec": {"archiverSecret": "mariadb-archiver"}})
WHERE = "uid-DatabaseServer-None-main"
UNARCHIVED: Object = {"kind": "DatabaseServer", "metadata": {"name": "main"}, "spec": {"archiverSecret": None}}
SAME = {"finishedAt": "2026-11-22T13:00:09Z"}


def configured(**schedule: int) -> Settings:
    return Settings(
        data_plane_image="image:1",
        operator_image="operator:1",
        backup_secret="backup-storage",
        proof_schedule=ProofSchedule(**schedule),
    )


def proof(
    made: datetime, reason: str | None = "Passed", transaction: int = 7, tenant: str = "acme", **status: object
) -> TenantProof:
    """One that has ended so; None: it has just been made."""
    known: Object = {"conditions": [condition("Complete", reason, truth=reason == "Passed")]} if reason else {}
    if reason == "Passed":
        known |= {"provenAt": made.isoformat(), "transaction": f"1-1-{transaction}"}
    meta = {"creationTimestamp": made.isoformat()}
    return TenantProof.parse(body("TenantProof", f"{tenant}-{made:%s}", {"tenant": tenant}, known | status, **meta))


class TestNight:
    @pytest.mark.parametrize(
        ("begins", "hours", "now", "night"),
        [
            (1, 5, MIDNIGHT + HOUR, (MIDNIGHT + HOUR, MIDNIGHT + 6 * HOUR)),
            (1, 5, MIDNIGHT + 6 * HOUR, None),
            (1, 5, MIDNIGHT, None),
            (22, 4, MIDNIGHT + HOUR, (MIDNIGHT - 2 * HOUR, MIDNIGHT + 2 * HOUR)),
            (22, 4, MIDNIGHT + 3 * HOUR, None),
            (0, 24, MIDNIGHT + 23 * HOUR, (MIDNIGHT, MIDNIGHT + DAY)),
        ],
    )
    def test_its_hours(self, begins: int, hours: int, now: datetime, night: tuple[datetime, datetime] | None) -> None:
        found = policy.night(now, ProofSchedule(begins=begins, hours=hours))
        assert (found and (found.begins, found.ends)) == night

    @given(st.text("abcdefghij234567", min_size=10, max_size=10), st.integers(0, 23), st.integers(1, 24))
    def test_everybody_has_a_minute_in_its_first_half(self, ident: str, begins: int, hours: int) -> None:
        at = MIDNIGHT + begins * HOUR
        found = policy.night(at, ProofSchedule(begins=begins, hours=hours))
        assert found is not None
        assert found.begins <= found.minute_of(ident) < found.begins + hours * HOUR / 2

    def test_minutes_are_spread(self) -> None:
        found = policy.Night(MIDNIGHT, MIDNIGHT + 8 * HOUR)
        hours = {found.minute_of(naming.tenant_id(f"uid-{number}")).hour for number in range(40)}
        assert hours == {0, 1, 2, 3}


class TestWhoIsProven:
    @pytest.mark.parametrize(
        ("tenant", "provable"),
        [
            (served("acme"), True),
            (served("acme", spec={"suspended": {"reason": "Unpaid"}}), True),
            (served("acme", status={"provenAt": None}), False),
            (served("acme", status={"dataLostAt": NOW.isoformat()}), False),
            (served("acme", annotations=PAUSED), False),
            (served("acme", deletionTimestamp=NOW.isoformat()), False),
            (served("acme", spec={"slug": None, "owner": None, "pool": "trial"}), False),
        ],
    )
    def test_whose_data_is_looked_after(self, tenant: Tenant, *, provable: bool) -> None:
        assert policy.is_provable(tenant) is provable

    @pytest.mark.parametrize(
        ("newest", "last", "settled"),
        [
            (proof(NOW - DAY), 7, True),
            (proof(NOW - DAY), 8, False),
            (proof(NOW - 7 * DAY), 7, False),
            (proof(NOW - DAY, "Failed"), 7, False),
            (proof(NOW - DAY, "Refused"), 7, False),
            (proof(NOW - DAY, None), 7, False),
            (proof(NOW - DAY), None, False),
        ],
    )
    def test_what_has_not_changed_rests_for_a_week(
        self, newest: TenantProof, last: int | None, *, settled: bool
    ) -> None:
        assert policy.settles([newest], last, NOW) is settled

    def test_who_was_never_proven_is_first_and_then_who_has_waited_longest(self) -> None:
        tonight = policy.Night(NOW - HOUR, NOW + HOUR)
        found = [
            (served("recent"), [proof(NOW - DAY)]),
            (served("old"), [proof(NOW - 9 * DAY)]),
            (served("never"), []),
            (served("tonight"), [proof(NOW - HOUR / 2)]),
            (served("under-way"), [proof(NOW - DAY, None)]),
        ]
        assert [one.name for one in policy.due(found, tonight, NOW)] == ["never", "old", "recent"]

    def test_one_that_waits_for_something_takes_nobodys_place(self) -> None:
        assert proof(NOW, None).status.runs
        assert proof(NOW, "Running").status.runs
        for reason in ("KeysLost", "NotConfigured", "Passed", "Failed", "Refused"):
            assert not proof(NOW, reason).status.runs

    @given(st.lists(st.sampled_from(["Passed", "Failed", "Refused", "Running", None]), max_size=8))
    def test_the_newest_and_the_last_that_passed_are_kept(self, reasons: list[str | None]) -> None:
        found = [proof(NOW + number * DAY, reason) for number, reason in enumerate(reasons)]
        gone = policy.superfluous(found)
        kept = [one for one in found if one not in gone]
        assert policy.last_outcome(kept) == policy.last_outcome(found)
        assert policy.last_passed(kept) == policy.last_passed(found)
        assert [one for one in kept if policy.outcome(one) is None] == [
            one for one in found if policy.outcome(one) is None
        ]
        assert sum(policy.outcome(one) is not None for one in kept) <= 2

    def test_proofs_of_another_tenant_that_had_the_name_do_not_count(self) -> None:
        tenant = served("acme", creationTimestamp=NOW.isoformat())
        assert policy.of_tenant(tenant, [proof(NOW + DAY), proof(NOW - DAY), proof(NOW)]) == [
            proof(NOW),
            proof(NOW + DAY),
        ]


class TestRecovery:
    def test_nobody_knows_anything(self) -> None:
        assert policy.recovery(None, [], None, NOW) is None

    def test_the_archive_alone_says_to_when(self) -> None:
        found = policy.recovery(None, [], NOW - HOUR, NOW)
        assert found is not None
        assert found.dump() == {"to": "2026-11-22T11:00:00Z", "observedAt": "2026-11-22T12:00:00Z"}

    def test_what_is_not_known_any_more_stays(self) -> None:
        known = Recovery(begins=NOW - 9 * DAY, ends=NOW, last_proof=NOW - DAY, proof_result="Passed", message="same")
        assert policy.recovery(known, [], None, NOW) == known

    def test_a_failure_does_not_take_the_beginning_away(self) -> None:
        passed = proof(NOW - 2 * DAY, reachableFrom=(NOW - 9 * DAY).isoformat())
        failed = proof(NOW - DAY, "Failed", message="Failed: rows", steps=[{"name": "compare", **SAME}])
        found = policy.recovery(None, [passed, failed, proof(NOW, None)], None, NOW)
        assert found is not None
        assert (found.begins, found.proof_result, found.message) == (NOW - 9 * DAY, "Failed", "Failed: rows")
        assert found.last_proof == datetime(2026, 11, 22, 13, 0, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("update", "worth"),
        [
            ({}, False),
            ({"ends": NOW + HOUR / 2, "observed_at": NOW + HOUR / 2}, False),
            ({"ends": NOW + HOUR}, True),
            ({"ends": NOW - timedelta(seconds=1)}, True),
            ({"proof_result": "Failed"}, True),
            ({"begins": NOW - DAY}, True),
        ],
    )
    def test_what_is_worth_a_write(self, update: Object, *, worth: bool) -> None:
        known = Recovery(begins=NOW - 2 * DAY, ends=NOW, observed_at=NOW, proof_result="Passed")
        assert policy.worth_a_write(known, known.model_copy(update=update)) is worth
        assert policy.worth_a_write(None, known)

    @given(st.lists(st.integers(0, 900), min_size=1, max_size=200))
    def test_an_archive_that_goes_on_is_written_once_an_hour(self, seconds: list[int]) -> None:
        known, at, writes = None, NOW, 0
        for one in seconds:
            at += timedelta(seconds=one)
            found = policy.recovery(known, [], at, at)
            if policy.worth_a_write(known, found):
                known, writes = found, writes + 1
        assert known is not None
        assert known.ends is not None
        assert timedelta() <= at - known.ends < policy.STEP
        assert writes <= 1 + (at - NOW) / policy.STEP

    async def test_a_pass_writes_it_with_whatever_else_has_changed(self) -> None:
        world = await serving()
        before = (await world.tenant()).status
        known, at = world.services.archive_positions, int(world.now.timestamp())
        known[WHERE] = Position(until=at)
        await world.reconcile()
        assert world.kube.writes == ["patch status of Tenant acme"]
        assert await self.shown(world) == world.now

        known[WHERE] = Position(until=at + 60)
        await world.reconcile()
        assert world.kube.writes == [], "a minute alone is not worth a write"

        known[WHERE] = Position(until=at + 7200, waiting={naming.tenant_id(UID): at + 3600})
        await world.reconcile()
        assert await self.shown(world) == world.now + HOUR, "its own part of the log waits"

        known[WHERE] = Position(until=at + 3660)
        world.now += timedelta(hours=2)
        world.state.forget(UID)
        await world.reconcile()
        assert (await world.tenant()).status.proven_at != before.proven_at
        assert await self.shown(world) == world.now - HOUR + timedelta(minutes=1), "along with another"

    async def shown(self, world: World) -> datetime:
        found = (await world.tenant()).status.recovery
        assert found is not None
        assert found.ends is not None
        return found.ends


@dataclass
class Nights:
    """A platform through some nights: tenants that change, proofs that take their time, an operator that ends now and then."""

    tenants: int
    at_once: int
    world: World = field(default_factory=World)
    bucket: Bucket = field(default_factory=Bucket)
    dies: list[bool] = field(default_factory=list)
    """Whether the next creations end the operator, when the object is there."""

    def __post_init__(self) -> None:
        self.world.settings = configured(begins=1, hours=4, atOnce=self.at_once)
        self.world.restart()
        self.world.backends.bucket = self.bucket
        self.world.put(ARCHIVED)
        Positions(self.bucket, WHERE).save(Position({1: "1-1-1"}, 1))
        for number in range(self.tenants):
            name = f"t{number}"
            self.world.put(
                body("Tenant", name, {"slug": name}, {"provenAt": NOW.isoformat(), "databaseServer": "main"})
            )
        create = self.world.kube.create

        async def created(manifest: Object) -> Object:
            at = {"creationTimestamp": self.world.now.isoformat()}
            made = await create(merge(manifest, {"metadata": at}))
            if self.dies and self.dies.pop():
                raise asyncio.CancelledError
            return made

        cast("Any", self.world.kube).create = created
        self.operator = Proofs(self.world.services)

    @property
    def made(self) -> list[TenantProof]:
        return [TenantProof.parse(one) for key, one in self.world.kube.objects.items() if key[0] == "TenantProof"]

    def change(self, name: str, number: int) -> None:
        """Something of the tenant is archived."""
        tenant = self.world.cluster.tenants.get(name)
        assert tenant is not None
        Chain(self.bucket, tenant.id).append(bytes([9]) * 32, [b""], Span(f"1-1-{number}", f"1-1-{number}", 1, 1))

    async def look(self) -> None:
        try:
            await self.operator.look()
        except asyncio.CancelledError:
            self.world.restart()
            self.operator = Proofs(self.world.services)
            for one in self.made:  # as a new operator lists them
                self.world.cluster.of(TenantProof).put(one)

    def finish(self, number: int) -> None:
        """The proofs that run have passed."""
        for one in self.made:
            if one.status.runs:
                done = condition("Complete", "Passed", truth=True)
                status = {
                    "conditions": [done],
                    "provenAt": self.world.now.isoformat(),
                    "transaction": f"1-1-{number}",
                }
                self.world.put(merge(self.world.kube.objects["TenantProof", None, one.name], {"status": status}))


class TestNights:
    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_everybody_who_changed_has_one_a_night_and_nobody_two(self, data: st.DataObject) -> None:
        asyncio.run(self.play(data))

    async def play(self, data: st.DataObject) -> None:
        nights = Nights(data.draw(st.integers(1, 5)), data.draw(st.integers(1, 2)))
        names = {f"t{number}" for number in range(nights.tenants)}
        nights.world.now = MIDNIGHT
        everybody: set[str] = set()
        for number in range(1, 5):
            changed = names if number == 1 else data.draw(st.sets(st.sampled_from(sorted(names))))
            for name in sorted(changed):
                nights.change(name, number)
            nights.dies = data.draw(st.lists(st.booleans(), max_size=4))
            seen: dict[str, str] = {}
            for minute in range(0, 24 * 60, 15):
                nights.world.now = MIDNIGHT + number * DAY + timedelta(minutes=minute)
                await nights.look()
                running = [one for one in nights.made if one.status.runs]
                assert len(running) <= nights.at_once
                for one in running:
                    assert seen.setdefault(one.spec.tenant, one.name) == one.name, "twice in one night"
                    assert HOUR <= nights.world.now - (MIDNIGHT + number * DAY) <= 5 * HOUR
                nights.finish(number)
            assert set(seen) == changed
            everybody |= set(seen)
        assert everybody == names

    async def test_an_operator_that_was_away_for_nights_makes_one_of_each(self) -> None:
        nights = Nights(3, 1)
        for name in ("t0", "t1", "t2"):
            nights.change(name, 1)
        nights.world.now = MIDNIGHT + 9 * DAY
        for _ in range(24 * 4):
            await nights.look()
            nights.finish(1)
            nights.world.now += timedelta(minutes=15)
        assert sorted(one.spec.tenant for one in nights.made) == ["t0", "t1", "t2"]

    async def test_a_proof_goes_away_with_its_tenant(self) -> None:
        nights = Nights(1, 1)
        nights.change("t0", 1)
        nights.world.now = MIDNIGHT + 4 * HOUR
        await nights.look()
        (made,) = (one for key, one in nights.world.kube.objects.items() if key[0] == "TenantProof")
        assert made["metadata"]["name"] == f"t0-{MIDNIGHT:%Y%m%d}"
        (owner,) = made["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("Tenant", "t0", "uid-t0")

    async def test_none_is_made_where_none_may_run_or_nothing_is_archived(self) -> None:
        for nights, server in (
            (Nights(1, 0), ARCHIVED),
            (Nights(1, 1), UNARCHIVED),
        ):
            nights.world.put(server)
            nights.change("t0", 1)
            nights.world.now = MIDNIGHT + 4 * HOUR
            await nights.look()
            assert nights.made == []

    async def test_old_proofs_are_removed(self) -> None:
        nights = Nights(1, 1)
        for number in range(1, 6):
            nights.change("t0", number)
            nights.world.now = MIDNIGHT + number * DAY + 4 * HOUR
            await nights.look()
            nights.finish(number)
        await nights.look()
        assert [one.name for one in nights.made] == [f"t0-{MIDNIGHT + 5 * DAY:%Y%m%d}"]

    @pytest.mark.parametrize("damage", ["changed", "gone"])
    async def test_a_damaged_archive_is_proven_and_the_others_have_their_turn(self, damage: str) -> None:
        """The proof says what is wrong: no proof would say that nothing has changed."""
        nights = Nights(3, 3)
        for number, name in enumerate(["t0", "t1", "t2"], start=1):
            nights.change(name, number)
        nights.world.now = MIDNIGHT + 9 * DAY + 4 * HOUR
        await nights.look()
        nights.finish(3)
        key = next(key for key in nights.bucket.objects if "/log/" in key)
        content, told = nights.bucket.objects[key]
        tenant = nights.world.cluster.tenant_of(key.partition("/")[0])
        assert tenant is not None
        Positions(nights.bucket, WHERE).save(Position({1: "1-1-1"}, 1, heads={tenant.id: 1}))
        if damage == "gone":
            del nights.bucket.objects[key]
        else:
            nights.bucket.objects[key] = (content, {**told, "last": "1-1-0"})
        nights.world.now += DAY
        await nights.look()
        assert [one.spec.tenant for one in nights.made if one.name.endswith(f"{MIDNIGHT + 10 * DAY:%Y%m%d}")] == [
            tenant.name
        ]

    async def test_a_bucket_that_is_away_is_counted_and_what_was_known_stays(self) -> None:
        nights = Nights(1, 1)
        await nights.look()
        known = dict(nights.world.services.archive_positions)

        class Away:
            def first(self, prefix: str) -> str:
                raise StepFailedError(f"no answer about {prefix}")

        nights.world.backends.bucket = Away()
        before = REGISTRY.get_sample_value("vivero_proof_errors_total")
        await nights.look()
        assert REGISTRY.get_sample_value("vivero_proof_errors_total") == (before or 0) + 1
        assert nights.world.services.archive_positions == known

    async def test_the_oldest_and_every_result_are_measured(self) -> None:
        nights = Nights(3, 1)
        nights.world.now = NOW + 2 * DAY
        nights.world.put(proof(NOW, tenant="t0").dump() | {"kind": "TenantProof"})
        nights.world.put(proof(NOW, "Failed", tenant="t1").dump() | {"kind": "TenantProof"})
        await nights.look()
        counts = {
            result: REGISTRY.get_sample_value("vivero_recovery_proofs", {"result": result})
            for result in ("Passed", "Failed", "Refused", "None")
        }
        assert counts == {"Passed": 1, "Failed": 1, "Refused": 0, "None": 1}
        age = REGISTRY.get_sample_value("vivero_recovery_proof_age_seconds")
        assert age == (2 * DAY + timedelta(minutes=1)).total_seconds(), (
            "of one that was never proven, since it was made"
        )


JOB = ("Job", "vivero-system", "proof-uid-night")


class TestTenantProof:
    @pytest.fixture
    async def world(self) -> World:
        world = World()
        world.settings = configured()
        world.restart()
        for one in (PLAN, ARCHIVED, tenant_body(), body("TenantProof", "night", resourceVersion="1")):
            world.put(one)
        await world.escrow(naming.tenant_id(UID), UID)
        self.woken: list[str] = []
        return world

    async def reconcile(self, world: World) -> Any:  # noqa: ANN401  a Result
        return await TenantProofReconciler(world.services, self.woken.append).reconcile("night")

    def end(self, world: World, how: str, *states: Object) -> None:
        labels = {"batch.kubernetes.io/job-name": JOB[2]}
        found = pod(*states)
        found["metadata"] |= {"name": "attempt", "namespace": JOB[1], "labels": labels}
        world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        world.kube.objects[JOB] |= job(how)

    def found(self, world: World) -> TenantProof:
        return TenantProof.parse(world.kube.objects["TenantProof", None, "night"])

    def events(self, world: World) -> list[tuple[str, str, str]]:
        return [
            (one["regarding"]["kind"], one["type"], one["reason"])
            for key, one in world.kube.objects.items()
            if key[0] == "Event"
        ]

    async def test_from_its_creation_to_its_end(self, world: World) -> None:
        assert (await self.reconcile(world)).retry_after == LOOK_SECONDS
        data = world.kube.objects["Secret", *JOB[1:]]["data"]
        order = ProofOrder.load(base64.b64decode(data[ORDER_FILE]).decode())
        ident = naming.tenant_id(UID)
        assert (order.tenant, order.uid, order.server) == (ident, "uid-night", WHERE)
        assert order.schemas == (naming.database_name(ident), naming.audit_database_name(ident))
        assert order.file_key not in json.dumps(world.kube.objects[JOB])
        assert world.kube.objects[JOB]["spec"]["ttlSecondsAfterFinished"] == 3 * 86_400
        assert order.file_key not in repr(order)

        said = {"provenAt": "2026-11-22T13:00:02Z", "transaction": "1-1-7", "tables": 9, "files": 1}
        self.end(
            world, "Complete", ended("live"), ended("log"), ended("compare", said={"message": "same", "result": said})
        )
        assert self.woken == []
        await self.reconcile(world)
        found = self.found(world)
        assert policy.outcome(found) == "Passed"
        assert (found.status.transaction, found.status.tables, found.status.files) == ("1-1-7", 9, 1)
        assert self.woken == ["acme"]
        assert self.events(world) == [("Tenant", "Normal", Reason.RECOVERY_PROVEN)]
        assert ("Secret", *JOB[1:]) not in world.kube.objects, "the credentials are not kept"

    async def test_a_second_success_is_no_news(self, world: World) -> None:
        proven = condition("Recoverable", "RecoveryProven", truth=True)
        world.put(merge(tenant_body(), {"status": {"conditions": [proven]}}))
        await self.reconcile(world)
        self.end(world, "Complete", ended("live"), ended("log"), ended("compare", said={"result": {}}))
        await self.reconcile(world)
        assert self.events(world) == []
        assert self.woken == ["acme"]

    @pytest.mark.parametrize(("code", "outcome"), [(1, "Failed"), (3, "Refused")])
    async def test_every_failure_is_told_at_the_tenant(self, world: World, code: int, outcome: str) -> None:
        proven = condition("Recoverable", "RecoveryProven", truth=True)
        world.put(merge(tenant_body(), {"status": {"conditions": [proven]}}))
        await self.reconcile(world)
        self.end(
            world, "Failed", ended("live"), ended("log", code, {"message": "segment 3 lacks"}, "Error"), ended("x")
        )
        await self.reconcile(world)
        assert policy.outcome(self.found(world)) == outcome
        assert self.events(world) == [("Tenant", "Warning", Reason.RECOVERY_NOT_PROVEN)]
        (event,) = (one for key, one in world.kube.objects.items() if key[0] == "Event")
        assert event["note"] == f"TenantProof night: {outcome}: log: segment 3 lacks"

    async def test_without_an_archive_it_waits_and_says_why(self, world: World) -> None:
        world.put(UNARCHIVED)
        assert (await self.reconcile(world)).retry_after == WAIT_SECONDS
        assert "has no archive of its log" in (self.found(world).status.message or "")
        assert JOB not in world.kube.objects

    async def test_of_nobody_it_says_so(self, world: World) -> None:
        world.remove("Tenant", None, "acme")
        await self.reconcile(world)
        assert self.found(world).status.message == "There is no Tenant acme"


def test_where_nothing_is_known_of_a_server_nothing_is_said() -> None:
    world = World()
    world.put(SERVER)
    assert archives.archived_to(world.services, served("acme")) is None
    world.services.archive_positions[WHERE] = Position()
    assert archives.archived_to(world.services, served("acme")) is None
