"""Orphans: found on every backend, reported, their Ingresses deleted, and themselves deleted on request alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from reconcile.fakes import DirectBreaker, merge
from reconcile.world import NOW, SERVER, Object, World, tenant_body
from unit.operator.made import PAUSED
from unit.operator.waiting import until
from vivero_core.backends.kube.errors import SYSTEM, KubeForbiddenError
from vivero_core.model.conditions import find
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.database_server import ORPHANS_SHOWN, DatabaseServer
from vivero_core.model.naming import tenant_id
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_operator import main
from vivero_operator.health import Heartbeat
from vivero_operator.policies import orphans as policy
from vivero_operator.policies.orphans import Found, Known
from vivero_operator.reconcile import orphans
from vivero_operator.reconcile.context import HandlerContext, Orphans
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.reconcile.orphans import OrphanReconciler, Sweep
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState

ID = "orphanaaaa"
THINGS = ("schema", "database users", "bucket", "storage account", "cache user", "namespace", "keys")
INGRESS = {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "app"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "CONFIRM_SECONDS", 0)


def namespace_of(ident: str, name: str | None = None, **metadata: Any) -> Object:  # noqa: ANN401  JSON
    known = {"name": name or f"tenant-{ident}", "labels": {LABEL_TENANT: ident}}
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {**known, **metadata}}


class Place:
    """A world with two database servers, and what is done to it."""

    def __init__(self) -> None:
        self.world = World()
        self.reported = 0
        self.asked = 0
        for name in ("main", "second"):
            self.world.put(merge(SERVER, {"metadata": {"name": name, "uid": name, "generation": 1}}))
            assert self.world.backends.servers[name].databases == set()
        self.begin()

    def begin(self) -> None:
        """As a program that has just started to lead."""
        self.world.services = replace(self.world.services, orphans=Orphans())
        self.sweeper = Sweep(self.world.services, self._report)
        self.servers = DatabaseServerReconciler(self.world.services, lambda _: None, lambda: None)
        self.closer = OrphanReconciler(self.world.services, self._ask)

    def _report(self) -> None:
        self.reported += 1

    def _ask(self) -> None:
        self.asked += 1

    async def leave(self, ident: str = ID, *things: str, server: str = "main") -> None:
        """As a tenant whose finalizer was taken away leaves it."""
        backends, found = self.world.backends, things or THINGS
        if "schema" in found:
            backends.servers[server].databases.add(f"vt{ident}")
        if "database users" in found:
            backends.servers[server].users[f"vt{ident}a"] = "x"
        if "bucket" in found:
            backends.s3.buckets[f"vivero-{ident}"] = ""
        if "storage account" in found:
            backends.s3.users[f"vivero-{ident}"] = "x"
        if "cache user" in found:
            backends.valkey.users[f"vt{ident}"] = "x"
        if "namespace" in found:
            self.world.put(namespace_of(ident, annotations={"vivero.dev/tenant-name": "former"}))
            self.world.put(
                merge(INGRESS, {"metadata": {"namespace": f"tenant-{ident}", "labels": {LABEL_TENANT: ident}}})
            )
        if "keys" in found:
            await self.world.escrow(ident, "uid-of-former", server)

    def live(self, name: str = "acme", uid: str = "uid-1", **how: Object) -> Tenant:
        """A Tenant on server main."""
        status = {"databaseServer": "main", **how.pop("status", {})}
        self.world.put(
            {**tenant_body(name, **how.pop("spec", {})), "status": status}
            | {"metadata": {**tenant_body(name)["metadata"], "uid": uid, **how}}
        )
        found = self.world.cluster.tenants.get(name)
        assert found is not None
        return found

    async def sweep(self) -> dict[str, set[str]]:
        """Id -> what is there."""
        await self.sweeper._sweep()  # noqa: SLF001  one round of `run`
        return {ident: set(one.found.things) for ident, one in self.world.services.orphans.known.items()}

    async def server(self, name: str = "main") -> DatabaseServer:
        await self.servers.reconcile(name)
        return DatabaseServer.parse(self.world.kube.objects["DatabaseServer", None, name])

    def order(self, *idents: str, server: str = "main") -> None:
        self.world.put({"kind": "DatabaseServer", "metadata": {"name": server}, "spec": {"removeOrphans": [*idents]}})

    def events(self) -> list[str]:
        events = [item for (kind, _, _), item in self.world.kube.objects.items() if kind == "Event"]
        return [f"{one['type']} {one['reason']}: {one['note']}" for one in events if one["reason"] != "Reachable"]

    def left(self, ident: str = ID) -> set[str]:
        """What there is of it."""
        backends, names = self.world.backends, {f"vt{ident}", f"vt{ident}a", f"vivero-{ident}"}
        found = {"schema"} if any(names & one.databases for one in backends.servers.values()) else set()
        found |= {"database users"} if any(names & one.users.keys() for one in backends.servers.values()) else set()
        found |= {"bucket"} if names & backends.s3.buckets.keys() else set()
        found |= {"storage account"} if names & backends.s3.users.keys() else set()
        found |= {"cache user"} if names & backends.valkey.users.keys() else set()
        objects = self.world.kube.objects
        found |= {"namespace"} if ("Namespace", None, f"tenant-{ident}") in objects else set()
        return found | ({"keys"} if ("Secret", "vivero-system", f"escrow-{ident}") in objects else set())


@pytest.fixture
def place() -> Place:
    return Place()


IDS = st.sampled_from(["a" * 10, "b" * 10, "c" * 10])
HELD = st.dictionaries(IDS, st.sets(st.sampled_from(THINGS), min_size=1))
PLACES = st.dictionaries(IDS, st.sampled_from(["main", "second", None]))


class TestPolicy:
    @given(st.dictionaries(st.sampled_from(["main", "second"]), HELD), st.lists(HELD, max_size=3), PLACES, PLACES)
    def test_what_has_no_owner_and_nothing_else(
        self,
        databases: dict[str, dict[str, set[str]]],
        elsewhere: list[dict[str, set[str]]],
        placed: dict[str, str | None],
        retained: dict[str, str | None],
    ) -> None:
        known = Known(placed, retained)
        found = {one.id: one for one in policy.find(databases, dict(zip("xyz", elsewhere, strict=False)), known)}
        for ident in ("a" * 10, "b" * 10, "c" * 10):
            owned = ident in placed or ident in retained
            place = placed.get(ident, retained.get(ident)) if owned else None
            odd = {
                server
                for server, held in databases.items()
                if ident in held and not (owned and place in (None, server))
            }
            assert (ident in found) == bool(odd or (not owned and any(ident in held for held in elsewhere)))
            assert set(found[ident].servers if ident in found else ()) == odd
            assert ident not in found or not known.accounts_for(found[ident])

    def test_both_looks_have_to_agree(self) -> None:
        first, second = (
            [Found("a", ("x",), ()), Found("b", ("x",), ())],
            [Found("b", ("y",), ()), Found("c", ("x",), ())],
        )
        assert policy.lasting(first, second) == [Found("b", ("y",), ())]

    def test_what_is_remembered_is_joined_with_what_is_found(self) -> None:
        before = [Found("a", ("schema",), ("main",)), Found("b", ("bucket",), ()), Found("c", ("keys",), ())]
        now = [Found("a", ("bucket",), ())]
        found = policy.remembered(before, now, Known({"c": None}, {}))
        assert found == [Found("a", ("bucket", "schema"), ("main",)), Found("b", ("bucket",), ())]

    @pytest.mark.parametrize(
        ("found", "place", "servers", "shown"),
        [
            (Found("a", (), ("second",)), "main", ["main", "second"], "second"),
            (Found("a", (), ("gone",)), "main", ["main", "second"], "main"),
            (Found("a", (), ()), None, ["main", "second"], "main"),
            (Found("a", (), ()), None, [], None),
        ],
    )
    def test_where_it_is_shown(self, found: Found, place: str | None, servers: list[str], shown: str | None) -> None:
        assert policy.shown_at(found, place, servers) == shown


class TestSweep:
    @pytest.mark.parametrize("thing", THINGS)
    async def test_each_thing_by_itself_on_every_system(self, place: Place, thing: str) -> None:
        await place.leave(ID, thing)
        assert await place.sweep() == {ID: {thing}}
        assert place.reported == 1

    async def test_nothing_is_found_where_nothing_is(self, place: Place) -> None:
        assert await place.sweep() == {}
        assert (place.world.services.orphans.swept, place.reported) == (True, 1)

    async def test_what_is_a_tenants_is_none(self, place: Place) -> None:
        own, other = place.live("acme"), place.live("adopter", "uid-2", spec={"adopt": "b" * 10})
        await place.leave(own.id)
        await place.leave(other.id)
        assert (other.id, await place.sweep()) == ("b" * 10, {})

    async def test_what_an_unreadable_tenant_has_is_none(self, place: Place) -> None:
        body = tenant_body("odd", trialEndsAt="odd")
        odd = Unreadable(
            place.live("odd", "uid-3").metadata, {**body, "metadata": {"name": "odd", "uid": "uid-3"}}, "x"
        )
        place.world.cluster.tenants.drop("odd", "uid-3")
        place.world.cluster.tenants._gone.clear()  # noqa: SLF001  never heard of in a state that could be read
        place.world.cluster.put_unreadable("Tenant", odd)
        await place.leave(tenant_id("uid-3"))
        assert await place.sweep() == {}

    async def test_retained_data_is_none(self, place: Place) -> None:
        await place.leave(ID, "schema", "bucket")
        await place.world.escrow(ID, "uid-of-former", retained=True)
        assert await place.sweep() == {}

    async def test_a_schema_on_a_server_where_its_tenant_is_not(self, place: Place) -> None:
        await place.leave(place.live().id, "schema", server="second")
        assert list((await place.sweep()).values()) == [{"schema"}]
        assert (await place.server("second")).status.orphans == 1
        assert (await place.server()).status.orphans == 0

    @pytest.mark.parametrize("name", ["tenant-production", "tenant-orphanaaaa", "production"])
    async def test_a_namespace_that_is_not_ours(self, place: Place, name: str) -> None:
        labels = {} if name == "tenant-orphanaaaa" else {LABEL_TENANT: "developers"}
        place.world.put(namespace_of("x", name, labels=labels))
        assert await place.sweep() == {}

    async def test_what_only_one_look_finds_is_none(self, place: Place) -> None:
        """A Tenant that came after the servers had answered; and two whose deletion ended after they had."""
        going = place.live("going", "uid-4")
        await place.leave(going.id, "schema")
        await place.leave(tenant_id("uid-1"), "schema")
        await place.leave("b" * 10, "bucket")
        real, calls = place.world.backends.s3.inventory, list[int]()

        def inventory() -> Any:  # noqa: ANN401  as the real one
            calls.append(1)
            if len(calls) == 2:
                place.live()
                place.world.cluster.tenants.drop("going", "uid-4")
                del place.world.backends.s3.buckets["vivero-" + "b" * 10]
            return real()

        place.world.backends.s3.inventory = inventory  # type: ignore[method-assign]  # between the two looks
        assert await place.sweep() == {}

    async def test_since_when_it_is_known_outlives_the_program(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        await place.server()
        place.world.now += timedelta(hours=1)
        await place.sweep()
        assert place.world.services.orphans.known[ID].since == NOW
        place.begin()
        await place.leave("b" * 10)
        await place.sweep()
        known = place.world.services.orphans.known
        assert (known[ID].since, known["b" * 10].since) == (NOW, NOW + timedelta(hours=1))


SYSTEMS: dict[str, Callable[[World], Any]] = {
    "main": lambda world: world.backends.servers["main"],
    "second": lambda world: world.backends.servers["second"],
    "s3": lambda world: world.backends.s3,
    "valkey": lambda world: world.backends.valkey,
}


class TestNoAnswer:
    @pytest.mark.parametrize("look", [1, 2, "both"])
    @pytest.mark.parametrize("system", SYSTEMS)
    async def test_what_was_known_is_kept(self, place: Place, system: str, look: object) -> None:
        await place.leave(server="second" if system == "second" else "main")
        before = await place.sweep()
        self.silence(place, system, look)
        place.world.now += timedelta(hours=1)
        assert await place.sweep() == before
        assert place.world.services.orphans.known[ID].since == NOW
        assert not place.world.services.orphans.whole

    @staticmethod
    def silence(place: Place, system: str, look: object) -> None:
        """The system does not respond in the first scan, the second, or both."""
        server, calls = SYSTEMS[system](place.world), list[int]()
        real = server.inventory

        def inventory() -> Any:  # noqa: ANN401  as the real one
            calls.append(1)
            server.down = look in ("both", len(calls))
            try:
                return real()
            finally:
                server.down = False

        server.inventory = inventory

    @pytest.mark.parametrize("system", SYSTEMS)
    async def test_the_others_are_reported_all_the_same(self, place: Place, system: str) -> None:
        await place.leave()
        await place.leave("b" * 10, server="second")
        SYSTEMS[system](place.world).down = True
        found = await place.sweep()
        assert found.keys() == {ID, "b" * 10}
        SYSTEMS[system](place.world).down = False
        assert await place.sweep() == {ID: set(THINGS), "b" * 10: set(THINGS)}
        assert place.world.services.orphans.whole

    @pytest.mark.parametrize("system", SYSTEMS)
    async def test_an_answer_that_breaks_the_program_is_none(self, place: Place, system: str) -> None:
        await place.leave()

        def inventory() -> dict[str, object]:
            raise KeyError("odd")

        SYSTEMS[system](place.world).inventory = inventory
        found = await place.sweep()
        assert found.keys() == {ID}
        assert not place.world.services.orphans.whole

    async def test_one_that_was_adopted_meanwhile_is_not_kept(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        place.world.backends.s3.down = True
        place.live("adopter", "uid-2", spec={"adopt": ID})
        assert await place.sweep() == {}


@asynccontextmanager
async def sweeping(place: Place) -> AsyncIterator[None]:
    task = asyncio.create_task(place.sweeper.run())
    yield
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


class TestRun:
    async def test_at_the_start_then_each_hour_and_when_asked(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with sweeping(place):
            await until(lambda: place.reported == 1)
            place.sweeper.ask()
            await until(lambda: place.reported == 2)
            monkeypatch.setattr(orphans, "EVERY_SECONDS", 0.01)
            place.sweeper.ask()
            await until(lambda: place.reported == 5)

    async def test_soon_again_when_a_system_gave_no_answer(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orphans, "RETRY_SECONDS", 0.01)
        place.world.backends.s3.down = True
        async with sweeping(place):
            await until(lambda: place.reported == 3)


class TestAddress:
    def ingress(self, place: Place, ident: str = ID) -> bool:
        return ("Ingress", f"tenant-{ident}", "app") in place.world.kube.objects

    async def test_it_is_closed_and_nothing_else_is_touched(self, place: Place) -> None:
        await place.leave()
        place.world.kube.writes.clear()
        assert (await place.closer.reconcile(ID)).gone
        assert place.world.kube.writes == [f"delete Ingress tenant-{ID}/app"]
        assert place.left() == set(THINGS)
        assert place.asked == 1  # a sweep finds out what else there is

    async def test_once_it_is_known_no_sweep_is_asked_for(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        await place.closer.reconcile(ID)
        assert (self.ingress(place), place.asked) == (False, 0)

    async def test_a_sweep_has_it_closed(self, place: Place) -> None:
        """Its finalizer was taken away while no operator ran: no watch told of it."""
        await place.leave()
        await place.leave("b" * 10, "schema")
        await place.sweep()
        context = HandlerContext(place.world.cluster, WorkQueue[Key](), ReconcileState(), Heartbeat())
        main._tell_of_orphans(place.world.services, context)  # noqa: SLF001  what the sweep is given to report to
        assert {await context.queue.get() for _ in range(len(context.queue))} == {
            Key("DatabaseServer", "main"),
            Key("DatabaseServer", "second"),
            Key("Orphan", ID),
            Key("Orphan", "b" * 10),
        }

    async def test_a_living_tenants_is_left_alone(self, place: Place) -> None:
        ident = place.live().id
        await place.leave(ident)
        await place.closer.reconcile(ident)
        assert self.ingress(place, ident)

    @pytest.mark.parametrize("labels", [{}, {LABEL_TENANT: "production"}, {"app": "x"}])
    async def test_a_namespace_that_is_not_ours_is_left_alone(self, place: Place, labels: dict[str, str]) -> None:
        place.world.put(namespace_of("x", "tenant-developers", labels=labels))
        place.world.put(merge(INGRESS, {"metadata": {"namespace": "tenant-developers", "labels": labels}}))
        await place.closer.reconcile("developers")
        assert self.ingress(place, "developers")

    @pytest.mark.parametrize("change", [{"deletionTimestamp": NOW.isoformat()}, None])
    async def test_one_that_goes_or_has_gone(self, place: Place, change: Object | None) -> None:
        if change is not None:
            place.world.put(namespace_of(ID, **change))
        assert (await place.closer.reconcile(ID)).gone
        assert (place.world.kube.writes, place.asked) == ([], 0)

    async def test_without_rights_nothing_is_claimed(self, place: Place, caplog: pytest.LogCaptureFixture) -> None:
        await place.leave()

        async def forbidden(*_: object, **__: object) -> None:
            raise KubeForbiddenError(SYSTEM, "no rights")

        place.world.kube.delete = forbidden  # type: ignore[method-assign]  # its RoleBinding was taken away
        await place.closer.reconcile(ID)
        assert "deleting a route of an orphan failed: " in caplog.text
        assert "is closed" not in caplog.text


class TestShown:
    async def test_before_the_first_sweep_nothing_is_said_to_be_gone(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        assert (await place.server()).status.orphans == 1
        place.begin()
        assert [one.id for one in (await place.server()).status.orphaned] == [ID]

    async def test_in_the_status_with_its_name_and_what_there_is(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        [entry] = (await place.server()).status.orphaned
        assert (entry.id, entry.tenant, set(entry.found), entry.since) == (ID, "former", set(THINGS), NOW)
        assert (await place.server("second")).status.orphaned == ()

    async def test_no_more_than_a_hundred_are_named_and_all_are_counted(self, place: Place) -> None:
        for number in range(ORPHANS_SHOWN + 5):
            await place.leave(tenant_id(f"{number}"), "schema")
        await place.sweep()
        status = (await place.server()).status
        assert (status.orphans, len(status.orphaned)) == (ORPHANS_SHOWN + 5, ORPHANS_SHOWN)

    async def test_an_event_for_each_that_is_new(self, place: Place) -> None:
        await place.leave(ID, "schema", "bucket")
        await place.sweep()
        await place.server()
        await place.server()
        said = "Orphaned resources without a Tenant: {}. Adopt them with spec.adopt, or delete them with spec.removeOrphans"
        assert place.events() == ["Warning OrphansFound: " + said.format(f"{ID} (bucket, schema)")]
        await place.leave("b" * 10, "schema")
        await place.sweep()
        await place.server()
        assert place.events()[1:] == ["Warning OrphansFound: " + said.format("bbbbbbbbbb (schema)")]

    async def test_one_that_is_adopted_is_shown_no_more(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        place.live("adopter", "uid-2", spec={"adopt": ID})
        assert (await place.server()).status.orphaned == ()

    async def test_the_metric_says_the_same_as_the_status(self, place: Place) -> None:
        def metric(server: str) -> float | None:
            return REGISTRY.get_sample_value("vivero_orphans", {"server": server})

        await place.leave()
        await place.sweep()
        await place.server()
        await place.server("second")
        assert (metric("main"), metric("second")) == (1, 0)
        place.live("adopter", "uid-2", spec={"adopt": ID})
        await place.server()
        assert metric("main") == 0
        for name in ("main", "second", "never seen"):
            place.world.cluster.servers.drop(name, name)
            assert (await place.servers.reconcile(name)).gone
        assert metric("main") is None


class TestOrder:
    async def carried_out(self, place: Place) -> DatabaseServer:
        """Until the namespace is gone as well."""
        await place.server()
        return await place.server()

    async def test_without_one_nothing_is_ever_removed(self, place: Place) -> None:
        await place.leave()
        for _ in range(5):
            place.world.now += timedelta(days=1)
            await place.sweep()
            await place.server()
            await place.server("second")
        assert place.left() == set(THINGS)
        assert not [one for server in place.world.backends.all().values() for one in server.calls if "drop" in one]

    @pytest.mark.parametrize("holder", ["main", "second"])
    async def test_all_that_is_left_is_destroyed(self, place: Place, holder: str) -> None:
        await place.leave(server=holder)
        await place.leave("b" * 10)
        await place.sweep()
        place.order(ID)
        going = await place.server()
        assert "waiting for namespace to be deleted" in going.status.conditions[0].message
        assert (going.status.removals_done, "keys" in place.left()) == ((), True)
        done = await place.server()
        assert (place.left(), done.status.removals_done) == (set(), (ID,))
        assert [one.id for one in done.status.orphaned] == ["b" * 10]
        assert place.left("b" * 10) == set(THINGS)
        assert [one for one in place.events() if ID in one][
            -1
        ] == f"Normal OrphanRemoved: Orphan {ID} was deleted as requested in spec.removeOrphans"

    async def test_what_takes_long_is_no_outage(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bucket is emptied object by object: that has the threads for long calls."""
        await place.leave()
        await place.sweep()
        real = DirectBreaker.long
        long = list[str]()

        async def note(breaker: DirectBreaker, function: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  as the real one
            long.append(function.__name__)
            return await real(breaker, function, *args, **kwargs)

        monkeypatch.setattr(DirectBreaker, "long", note)
        place.order(ID)
        await place.server()
        assert sorted({*long}) == ["drop_cache", "drop_database", "drop_storage"]

    async def test_it_counts_once(self, place: Place) -> None:
        """It stands forever in a values file; a tenant that is adopted or made since must not go with it."""
        await place.leave()
        await place.sweep()
        place.order(ID)
        await self.carried_out(place)
        await place.leave()
        await place.sweep()
        assert (await self.carried_out(place)).status.removals_done == (ID,)
        assert place.left() == set(THINGS)
        place.begin()  # nor after a restart
        await place.sweep()
        await self.carried_out(place)
        assert place.left() == set(THINGS)
        place.order()  # taken out, and added again
        assert (await place.server()).status.removals_done == ()
        place.order(ID)
        await self.carried_out(place)
        assert place.left() == set()

    @pytest.mark.parametrize("owner", ["living", "unheard", "adopter", "unreadable", "retained", "unknown"])
    async def test_one_that_has_an_owner_is_refused(self, place: Place, owner: str) -> None:
        ident = ID if owner in ("adopter", "retained", "unknown") else tenant_id("uid-1")
        if owner != "unknown":
            await place.leave(ident)
            await place.sweep()
        why = self.own(place, owner)
        if owner == "retained":
            await place.world.escrow(ident, "uid-of-former", retained=True)
        if owner == "unknown":
            await place.sweep()
        place.order(ident)
        status = (await place.server()).status
        assert status.removals_done == (ident,)
        assert f"Warning OrphanKept: Orphan {ident} was not deleted: {why}" in place.events()
        assert place.left(ident) == (set() if owner == "unknown" else set(THINGS))

    @staticmethod
    def own(place: Place, owner: str) -> str:
        """Give it an owner; what the refusal says."""
        if owner in ("living", "unheard", "unreadable"):
            place.live()
        if owner == "adopter":
            place.live("acme", "uid-2", spec={"adopt": ID})
        if owner == "unreadable":
            place.world.kube.objects["Tenant", None, "acme"]["spec"] = {"hosts": 5}
        if owner == "unheard":
            place.world.cluster.tenants.drop("acme", "uid-1")  # the watch is late; the API server is not
        reasons = {
            "retained": "its data is retained for spec.adopt",
            "unknown": "the last orphan sweep did not find it",
        }
        return reasons.get(owner, "it belongs to Tenant acme")

    async def test_before_a_sweep_nothing_is_done_and_the_order_stands(self, place: Place) -> None:
        await place.leave()
        place.order(ID)
        assert (await place.server()).status.removals_done == ()
        assert place.left() == set(THINGS)

    async def test_one_that_a_silent_system_may_hold_is_not_said_to_be_nowhere(self, place: Place) -> None:
        await place.leave(ID, "bucket")
        place.world.backends.s3.down = True
        await place.sweep()
        place.order(ID)
        waiting = await place.server()
        assert waiting.status.removals_done == ()
        assert f"Orphan {ID}: waiting for an orphan sweep" in waiting.status.conditions[0].message
        place.world.backends.s3.down = False
        await place.sweep()
        assert (await place.server()).status.removals_done == (ID,)
        assert place.left() == set()

    @pytest.mark.parametrize("system", SYSTEMS)
    async def test_while_a_system_is_away_the_order_stands_and_says_why(self, place: Place, system: str) -> None:
        await place.leave()
        await place.sweep()
        place.order(ID, server="second" if system == "main" else "main")
        SYSTEMS[system](place.world).down = True
        name = "second" if system == "main" else "main"
        status = (await place.server(name)).status
        assert status.removals_done == ()
        assert f"Orphan {ID}: " in status.conditions[0].message
        SYSTEMS[system](place.world).down = False
        await place.server(name)
        assert (await place.server(name)).status.removals_done == (ID,)

    async def test_one_that_cannot_be_removed_keeps_no_other(self, place: Place) -> None:
        await place.leave("b" * 10, "schema")
        await place.leave(ID, "schema")
        await place.sweep()
        place.order("b" * 10, ID)
        real = place.world.kube.get

        async def get(resource: Any, name: str, namespace: str | None = None) -> Object:  # noqa: ANN401  a kind
            if name == "escrow-" + "b" * 10:
                raise KubeForbiddenError(SYSTEM, "no rights")
            return await real(resource, name, namespace)

        place.world.kube.get = get  # type: ignore[method-assign]  # one record cannot be read
        assert (await place.server()).status.removals_done == (ID,)

    async def test_a_namespace_that_is_not_ours_is_not_destroyed_with_it(self, place: Place) -> None:
        await place.leave(ID, "schema")
        place.world.put(namespace_of("x", f"tenant-{ID}", labels={}))
        await place.sweep()
        place.order(ID)
        assert (await place.server()).status.removals_done == (ID,)
        assert place.left() == {"namespace"}

    async def test_a_paused_server_removes_nothing_and_says_so(self, place: Place) -> None:
        await place.leave()
        await place.sweep()
        place.order(ID)
        place.world.put({"kind": "DatabaseServer", "metadata": {"name": "main", "annotations": PAUSED}})
        status = (await place.server()).status
        shown = find(status.conditions, "Paused")
        assert shown is not None
        assert shown.message.endswith("no health checks or orphan removal")
        assert (place.left(), status.removals_done) == (set(THINGS), ())
        place.world.put(
            {"kind": "DatabaseServer", "metadata": {"name": "main", "annotations": {"vivero.dev/paused": "no"}}}
        )
        await place.server()
        status = (await place.server()).status
        assert (find(status.conditions, "Paused"), status.removals_done) == (None, (ID,))
