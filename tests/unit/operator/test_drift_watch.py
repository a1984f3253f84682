"""Who touched what: fingerprints of objects, surveys of servers, and what becomes of a suspicion."""

from typing import Any, ClassVar

import pytest
from reconcile.world import SERVER, World
from vivero_core.backends.kube.client import Change, Listing
from vivero_core.backends.survey import digests, tenant_in
from vivero_core.model.constants import FIELD_MANAGER, LABEL_TENANT
from vivero_operator.health import Heartbeat
from vivero_operator.policies import drift, expected_objects
from vivero_operator.policies.outcome import Outcome, State
from vivero_operator.reconcile import children
from vivero_operator.reconcile.children import Child, Children
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import Rank, WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.surveys import Surveyor

IDENT = "u5g5446au3"  # of the world's tenant
FIELDS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def entry(manager: str, time: str = "t1", fields: object = FIELDS, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Apply", "time": time, "fieldsV1": fields, **more}


def metadata(*entries: dict[str, Any], uid: str = "u1", **more: object) -> dict[str, Any]:
    return {"uid": uid, "labels": {LABEL_TENANT: IDENT}, "managedFields": list(entries), **more}


def child(*entries: dict[str, Any], **more: Any) -> Child:  # noqa: ANN401  any parts of metadata
    return Child.of({"metadata": metadata(*entries, **more)})


WELL: dict[str, Any] = {
    "url": "https://acme.example",
    "databaseServer": "main",
    "observedGeneration": 1,
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Proven", "lastTransitionTime": "2026-11-22T12:00:00Z"},
    ],
}
OURS = entry(FIELD_MANAGER)
OURS_WHOLE = entry(FIELD_MANAGER, fields={"f:spec": {"f:selector": {"f:name": {}}, "f:ports": {}, "f:type": {}}})


class TestFingerprint:
    @pytest.mark.parametrize(
        "after",
        [
            metadata(entry(FIELD_MANAGER, "t2")),
            metadata(OURS, entry("kube-controller-manager", subresource="status")),
            metadata(OURS, resourceVersion="9", generation=4),
        ],
        ids=["we wrote the same again", "a controller reported status", "only versions moved"],
    )
    def test_the_same(self, after: dict[str, Any]) -> None:
        assert drift.fingerprint(after) == drift.fingerprint(metadata(OURS))

    @pytest.mark.parametrize(
        "after",
        [
            metadata(OURS, entry("kubectl-edit")),
            metadata(entry(FIELD_MANAGER, fields={"f:spec": {}})),
            metadata(OURS) | {"labels": {LABEL_TENANT: IDENT, "extra": "x"}},
            metadata(OURS, deletionTimestamp="t3"),
        ],
        ids=["someone wrote", "a field of ours is someone else's or gone", "a label", "it is being deleted"],
    )
    def test_another(self, after: dict[str, Any]) -> None:
        assert drift.fingerprint(after) != drift.fingerprint(metadata(OURS))

    def test_who_writes_again_is_seen_again(self) -> None:
        first, second = (metadata(OURS, entry("kubectl-edit", time)) for time in ("t2", "t3"))
        assert drift.fingerprint(first) != drift.fingerprint(second)


class TestIntrusion:
    SERVICE: ClassVar[dict[str, Any]] = {
        "kind": "Service",
        "spec": {"selector": {"name": "ours"}, "ports": [{"port": 80}], "type": "ClusterIP"},
    }

    def live(self, fields: dict[str, Any], manager: str = "kubectl-patch", **more: str) -> dict[str, Any]:
        return {**self.SERVICE, "metadata": metadata(OURS_WHOLE, entry(manager, fields={"f:spec": fields}, **more))}

    @pytest.mark.parametrize(
        ("fields", "patch"),
        [
            ({"f:selector": {"f:extra": {}}}, {"selector": {"extra": None}}),
            ({"f:selector": {".": {}, "f:name": {}, "f:extra": {}}}, {"selector": {"extra": None}}),
            ({"f:externalIPs": {}}, {"externalIPs": None}),
            ({"f:sessionAffinityConfig": {"f:clientIP": {"f:timeoutSeconds": {}}}}, {"sessionAffinityConfig": None}),
            ({"f:type": {}}, {}),
        ],
        ids=["a key", "a key beside ours", "a list", "a map", "what we want as well"],
    )
    def test_what_somebody_added_is_taken_out(self, fields: dict[str, Any], patch: dict[str, Any]) -> None:
        live = self.live(fields)
        assert drift.unmanaged_fields(self.SERVICE, live) == ({"spec": patch} if patch else {})
        assert drift.differs(self.SERVICE, live) is bool(patch)

    def test_an_entry_of_our_list_is_taken_out_and_a_shared_one_is_not(self) -> None:
        live = self.live({"f:ports": {'k:{"port":80}': {"f:port": {}}}})
        assert drift.unmanaged_fields(self.SERVICE, live) == {}
        more = {**live, "spec": {**self.SERVICE["spec"], "ports": [{"port": 80}, {"port": 81}]}}
        assert drift.unmanaged_fields(self.SERVICE, more) == {"spec": {"ports": [{"port": 80}]}}

    def test_what_we_patched_is_ours_as_what_we_applied(self) -> None:
        patched = entry(FIELD_MANAGER, fields={"f:spec": {"f:type": {}}}) | {"operation": "Update"}
        theirs = entry("kubectl-create", fields={"f:spec": {"f:type": {}, "f:selector": {}}})
        live = {**self.SERVICE, "metadata": metadata(patched, OURS_WHOLE, theirs)}
        assert not drift.differs(self.SERVICE, live)

    @pytest.mark.parametrize(
        ("ours", "differs"),
        [
            ({"f:spec": {"f:type": {}}}, True),
            ({"f:spec": {"f:type": {}, "f:selector": {}}}, False),
        ],
        ids=["the map is theirs", "the map is shared, for we want the same"],
    )
    def test_a_map_that_somebody_took_over_as_a_whole(self, ours: dict[str, Any], differs: bool) -> None:  # noqa: FBT001
        theirs = entry("kubectl-patch", fields={"f:spec": {"f:selector": {}}})
        live = {**self.SERVICE, "metadata": metadata(entry(FIELD_MANAGER, fields=ours), theirs)}
        assert drift.differs(self.SERVICE, live) is differs

    def test_controllers_and_we_ourselves_are_nobody_else(self) -> None:
        fields: dict[str, Any] = {"f:selector": {"f:extra": {}}}
        assert drift.unmanaged_fields(self.SERVICE, self.live(fields, FIELD_MANAGER)) == {}
        assert (
            drift.unmanaged_fields(self.SERVICE, self.live(fields, "kube-controller-manager", subresource="status"))
            == {}
        )

    def test_notes_of_people_stay(self) -> None:
        noted = entry("kubectl", fields={"f:metadata": {"f:annotations": {"f:note": {}}}})
        assert drift.unmanaged_fields(self.SERVICE, {**self.SERVICE, "metadata": metadata(OURS, noted)}) == {}


class TestChildren:
    @pytest.fixture
    def suspects(self) -> list[str]:
        return []

    @pytest.fixture
    def children(self, suspects: list[str]) -> Children:
        one = Children(suspects.append)
        one.listed(Listing([child(OURS)], "1"))
        return one

    def test_what_only_we_wrote_is_as_we_made_it(self, children: Children, suspects: list[str]) -> None:
        children.changed(Change("ADDED", child(OURS, uid="u2")))
        children.changed(Change("MODIFIED", child(OURS)))
        assert suspects == []

    def test_what_is_seen_for_the_first_time_speaks_for_itself(self, suspects: list[str]) -> None:
        edited = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        labelled = {"manager": "kubectl-label", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {}}}}
        for uid, extra in (("u1", labelled), ("u2", edited)):
            Children(suspects.append).listed(Listing([child(OURS, extra, uid=uid)], "1"))
            assert suspects == ([IDENT] if uid == "u2" else [])
        Children(suspects.append).listed(Listing([child(edited)], "1"))
        assert suspects == [IDENT, IDENT]

    def test_a_foreign_write_and_a_deletion_are_suspect(self, children: Children, suspects: list[str]) -> None:
        children.changed(Change("MODIFIED", child(OURS, entry("kubectl-edit"))))
        assert suspects == [IDENT]
        # Without its label it comes as deleted, and its labels do not say whose it was.
        children.changed(Change("DELETED", Child.of({"metadata": {"uid": "u1", "labels": {}}})))
        assert suspects == [IDENT, IDENT]
        children.changed(Change("DELETED", Child.of({"metadata": {"uid": "u1"}})))
        assert suspects == [IDENT, IDENT]

    def test_what_happened_between_two_lists_is_noticed(self, children: Children, suspects: list[str]) -> None:
        children.listed(Listing([child(OURS, uid="u3")], "9"))
        assert suspects == [IDENT]


HOST = "app.example.com"
SERVED: dict[str, Any] = {"hosts": [HOST], "hostCertificates": [{"host": HOST, "secretName": "app-tls"}]}
SERVED_STATUS: dict[str, Any] = {"hosts": [{"host": HOST, "ready": True, "reason": "HostServed"}]}
SPARE: dict[str, Any] = {"slug": None, "owner": None, "pool": "trial"}
OFF: dict[str, Any] = {"suspended": {"reason": "Unpaid"}}
KINDS = [
    *(kind.kind for kind in (*children.KINDS, *children.SUMMED_UP)),
    "Ingress",
    "HTTPRoute",
    "Secret",
    "ConfigMap",
    expected_objects.RECORD,
]


def tenant(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None) -> World:
    world = World()
    world.put({**TENANT, "spec": {**TENANT["spec"], **(spec or {})}, "status": {**WELL, **(status or {})}})
    return world


class TestRoster:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(("spec", "status"), [({}, {}), (SERVED, SERVED_STATUS), (OFF, {}), (SPARE, {})])
    def test_each_is_missed_by_its_name(self, kind: str, spec: dict[str, Any], status: dict[str, Any]) -> None:
        """Whatever else is there, and however much of it."""
        tenants = list(tenant(spec, status).cluster.tenants)
        whole = expected_objects.expected(tenants[0], kind)
        assert list(expected_objects.incomplete(tenants, kind, {IDENT: whole})) == []
        for name in whole:
            found = {IDENT: {*whole - {name}, "other", "foreign", "more"}}
            assert list(expected_objects.incomplete(tenants, kind, found)) == [IDENT]

    @pytest.mark.parametrize(
        ("kind", "spec", "expected"),
        [
            ("Secret", {}, {"database", "cache", "storage", "app", "limits"}),
            ("Service", OFF, set()),
            ("Ingress", SPARE, set()),
            ("HTTPRoute", SPARE, set()),
            ("HTTPRoute", OFF, set()),
            ("HTTPRoute", {}, {"app"}),
            ("Service", SPARE, {"app"}),
            ("Namespace", {}, {f"tenant-{IDENT}"}),
            (expected_objects.RECORD, {}, {f"escrow-{IDENT}"}),
        ],
    )
    def test_names(self, kind: str, spec: dict[str, Any], expected: set[str]) -> None:
        assert expected_objects.expected(next(iter(tenant(spec).cluster.tenants)), kind) == expected

    def test_who_is_still_being_made_lacks_nothing(self) -> None:
        world = World()
        world.put(TENANT)
        assert list(expected_objects.incomplete(world.cluster.tenants, "Service", {})) == []


class TestSurveyor:
    async def test_a_change_between_two_looks_is_suspect_and_so_is_what_was_never_seen(self) -> None:
        world, suspects = World(), list[tuple[str, str]]()
        world.put(SERVER)
        world.put(TENANT)
        database = world.backends.servers["main"]
        surveyor = Surveyor(world.services, lambda *whose: suspects.append(whose))
        await surveyor.look()
        database.users[f"vt{IDENT}a"] = "first"
        await surveyor.look()
        assert suspects == [(IDENT, "database")]
        suspects.clear()
        database.users[f"vt{IDENT}a"] = "changed by hand"
        await surveyor.look()
        assert suspects == [(IDENT, "database")]
        del database.users[f"vt{IDENT}a"]
        await surveyor.look()
        assert suspects == [(IDENT, "database")] * 2
        # Mended and tampered with once more before the next look: still not as it was.
        database.users[f"vt{IDENT}a"] = "changed again"
        await surveyor.look()
        assert suspects == [(IDENT, "database")] * 3
        await surveyor.look()
        assert suspects == [(IDENT, "database")] * 3

    async def test_who_is_missing_at_the_first_look_is_suspect(self) -> None:
        world, suspects = World(), list[tuple[str, str]]()
        world.put(SERVER)
        world.put({**TENANT, "status": WELL})
        world.backends.valkey.users[f"vt{IDENT}"] = "secret"
        await Surveyor(world.services, lambda *whose: suspects.append(whose)).look()
        assert sorted(suspects) == [(IDENT, "database"), (IDENT, "storage")]

    async def test_a_server_that_is_away_makes_nobody_suspect(self) -> None:
        world, suspects = World(), list[tuple[str, str]]()
        world.put(SERVER)
        world.put(TENANT)
        world.backends.valkey.users[f"vt{IDENT}"] = "secret"
        surveyor = Surveyor(world.services, lambda *whose: suspects.append(whose))
        await surveyor.look()
        world.backends.valkey.down = True
        await surveyor.look()
        world.backends.valkey.down = False
        await surveyor.look()
        assert suspects == []
        # It came back without its users, as after a restart from an old file.
        world.backends.valkey.users.clear()
        await surveyor.look()
        assert suspects == [(IDENT, "cache")]


def test_a_digest_depends_on_all_facts_and_on_no_order() -> None:
    one = digests([("a", 1), ("a", 2), (None, 3)])
    assert one == digests([("a", 2), ("a", 1)])
    assert one != digests([("a", 1)])
    assert list(one) == ["a"]


@pytest.mark.parametrize(
    ("name", "found"),
    [(f"vt{IDENT}a", IDENT), (f"vt{IDENT}", IDENT), ("vtshort", None), (f"x{IDENT}", None), ("", None)],
)
def test_whose_a_name_is(name: str, found: str | None) -> None:
    assert tenant_in(name, "vt") == found


class TestReconcileState:
    DONE = Outcome(State.DONE, "Provisioned", "")

    def test_a_pass_that_began_before_the_suspicion_teaches_nothing(self) -> None:
        state = ReconcileState()
        before = state.epoch
        state.suspect("u")
        state.keep("u", "database", "f", self.DONE, before)
        assert state.recall("u", "database", "f") is None
        state.keep("u", "database", "f", self.DONE, state.epoch)
        assert state.recall("u", "database", "f") == self.DONE

    def test_a_suspicion_of_one_step_leaves_the_others(self) -> None:
        state = ReconcileState()
        before = state.epoch
        state.keep("u", "workload", "f", self.DONE, before)
        state.suspect("u", "database")
        state.keep("u", "database", "f", self.DONE, before)
        state.keep("u", "storage", "f", self.DONE, before)
        known = [state.recall("u", step, "f") for step in ("workload", "database", "storage")]
        assert known == [self.DONE, None, self.DONE]

    def test_a_suspicion_is_taken_once(self) -> None:
        state = ReconcileState()
        state.suspect("u")
        assert [state.take_suspicion("u"), state.take_suspicion("u")] == [True, False]
        state.suspect("u")
        state.drop("u")
        assert state.take_suspicion("u") is False


async def test_a_suspect_is_queued_behind_those_that_somebody_waits_for() -> None:
    world = World()
    context = HandlerContext(Cluster(), WorkQueue[Key](), ReconcileState(), Heartbeat())
    world.put({**TENANT, "status": {}})
    for tenant in world.cluster.tenants:
        context.cluster.tenants.put(tenant)
    context.suspect(IDENT)
    context.queue.add(Key("Tenant", "waits"), Rank.AWAITED)
    context.suspect("nobodysone")
    assert (await context.queue.get()).name == "waits"
    assert (await context.queue.get()).name == "acme"
    assert len(context.queue) == 0


TENANT: dict[str, Any] = {
    "kind": "Tenant",
    "apiVersion": "vivero.dev/v1alpha1",
    "metadata": {"name": "acme", "uid": "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11", "generation": 1},
    "spec": {"displayName": "Acme", "slug": "acme", "plan": "trial", "owner": {"email": "a@b.co"}},
}
