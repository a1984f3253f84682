"""A rebuild: all that was there comes back, what was erased does not, whoever is killed goes on, and nothing is written over."""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

import pytest
from reconcile.fakes import FakeKube, FakeServer
from unit.operator.test_operations import SETTINGS, ended, job, pod
from unit.operator.test_platform_state import Store
from vivero_core.backends.credentials import Credentials
from vivero_core.errors import BackendRefusedError
from vivero_core.model import naming
from vivero_operator.archiver.position import Gap, Position, Positions, gaps
from vivero_operator.escrow import sealing
from vivero_operator.escrow.sealing import SealingKeys
from vivero_operator.instance import TenantKeys
from vivero_operator.operations import rebuild
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.orders import ORDER_FILE, MomentOrder
from vivero_operator.operations.platform_state import State
from vivero_operator.operations.rebuild import Rebuild
from vivero_operator.operations.rebuild_plan import for_people, plans

NAMESPACE = SETTINGS.platform_namespace
OLD, NEW = "uid-lost", "uid-new"
CURRENT = "k1"
SEALING = SealingKeys(CURRENT, {CURRENT: bytes(range(32))})
FILE_KEY = "bb" * 32
NUMBER = 7
NAMES = ("first", "second", "third")
IDS = {name: naming.tenant_id(f"uid-{name}") for name in NAMES}


def keys_of(name: str) -> TenantKeys:
    digits = name.encode().hex().ljust(64, "0")
    return TenantKeys(*([digits] * 6))


@cache
def _sealed(name: str) -> str:
    return base64.b64encode(sealing.seal(SEALING, IDS[name], keys_of(name))).decode()


def record(name: str, **labels: str) -> dict[str, Any]:
    ident, sealed = IDS[name], _sealed(name)
    annotations = {"vivero.dev/escrow-key": CURRENT, "vivero.dev/database-server": "main"}
    meta = {"name": f"escrow-{ident}", "labels": {"vivero.dev/escrow": ident, **labels}, "annotations": annotations}
    return {"metadata": meta, "type": "vivero.dev/escrow", "data": {"sealed": sealed}}


def tenant(name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    wanted = {"displayName": name.title(), "slug": name, "plan": "trial", "owner": {"email": "a@b.co"}}
    status = {"trialEndsAt": "2026-12-24T12:00:00Z", "provenAt": "2026-11-29T12:00:00Z"}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", **metadata},
        "spec": {**wanted, **(spec or {})},
        "status": status,
    }


def state(**changed: Any) -> State:  # noqa: ANN401  fields of a State
    resources = {
        "Tenant": [tenant(name) for name in NAMES],
        "DatabaseServer": [server(OLD)],
        "Plan": [{"metadata": {"name": "trial"}, "spec": {"displayName": "Trial", "price": {"amountCents": 0}}}],
        "TenantPool": [{"metadata": {"name": "trial"}, "spec": {"plan": "trial", "size": 2}}],
    }
    escrow_keys = {name: key.hex() for name, key in SEALING.keys.items()}
    known = State(resources, [record(name) for name in NAMES], escrow_keys, CURRENT, FILE_KEY)
    return replace(known, **changed)


def server(uid: str) -> dict[str, Any]:
    spec = {"host": "db.example", "adminSecret": "a", "caConfigMap": "vivero-ca", "archiverSecret": "reads"}
    return {"metadata": {"name": "main", "uid": uid}, "spec": spec}


class KilledError(Exception):
    """As a process ends."""


class Database(FakeServer):
    """A server that counts transactions."""

    def __init__(self) -> None:
        super().__init__("mariadb")
        self.number, self.domain = 3, 1
        self.may_count = True

    def log_position(self) -> tuple[int, str]:
        return self.domain, f"{self.domain}-1-{self.number}"

    def count_on_from(self, number: int) -> None:
        if not self.may_count:
            raise BackendRefusedError("mariadb", "access denied")
        self.number = number


class Kube(FakeKube):
    """An API server whose Jobs end at once, and which the caller may not outlive."""

    def __init__(self) -> None:
        super().__init__()
        self.kill_at: int | None = None
        self.failing: set[str] = set()
        """Names of Jobs that fail."""
        self.ran: list[str] = []

    def _note(self, verb: str, kind: str, name: str, namespace: str | None) -> None:
        if self.kill_at is not None and len(self.writes) >= self.kill_at:
            raise KilledError
        super()._note(verb, kind, name, namespace)

    def put(self, manifest: dict[str, Any]) -> dict[str, Any]:
        stored = super().put(manifest)
        if manifest["kind"] == "Job":
            name, failed = manifest["metadata"]["name"], manifest["metadata"]["name"] in self.failing
            self.ran.append(name)
            result = {"restoredTo": "2026-11-29T14:05:00Z", "files": 2, "missingFiles": 1}
            said = {"message": "no room" if failed else "", "result": result}
            found = pod(*(ended(one, int(failed), said) for one in ("log", "database", "files", "verify")))
            labels = {"batch.kubernetes.io/job-name": name}
            found["metadata"] |= {"name": f"of-{name}", "namespace": NAMESPACE, "labels": labels}
            super().put({"kind": "Pod", "apiVersion": "v1", **found})
            self.objects["Job", NAMESPACE, name] |= job("Failed" if failed else "Complete")
        return stored


@dataclass
class New:
    """The new platform."""

    kube: Kube = field(default_factory=Kube)
    store: Store = field(default_factory=Store)
    database: Database = field(default_factory=Database)
    storage: FakeServer = field(default_factory=lambda: FakeServer("s3"))
    settings: Any = SETTINGS
    look_seconds: float = 0.0
    tables: bool = False
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        spec = {
            "recoveryKey": "",
            "controlPlane": {
                "databaseServer": "main",
                "database": "vivero_control",
                "secret": "control-plane-database",
            },
        }
        self.put("PlatformBackup", {"metadata": {"name": "platform", "uid": "uid-platform"}, "spec": spec})
        self.put("DatabaseServer", server(NEW))
        self.put("ConfigMap", {"metadata": {"name": f"archiver-{NEW}", "namespace": NAMESPACE}})
        Positions(self.store, OLD).save(Position({1: "1-1-500"}, 1_800_000_000))
        Positions(self.store, OLD).begin("1-1-2")

    def put(self, kind: str, body: dict[str, Any]) -> None:
        self.kube.put({"apiVersion": "vivero.dev/v1alpha1", "kind": kind, **body})

    async def admin_of(self, _: object) -> Any:  # noqa: ANN401  a fake
        return self.database

    async def login(self, secret: str) -> Credentials:
        return Credentials("vivero_control", f"password of {secret}")

    async def holds_tables(self, *_: object) -> bool:
        return self.tables

    def rebuild(self, known: State, *left_out: str) -> Rebuild:
        return Rebuild(cast("Any", self), (NUMBER, known), self.said.append, left_out)

    def named(self, kind: str) -> list[str]:
        return sorted(name for known, _, name in self.kube.objects if known == kind)

    def tenant(self, name: str) -> dict[str, Any]:
        return self.kube.objects["Tenant", None, name]

    def is_done(self) -> bool:
        return ("Secret", NAMESPACE, "platform-key") in self.kube.objects


async def test_all_that_was_there_comes_back() -> None:
    new = New()
    await new.rebuild(state()).all()
    assert new.named("Tenant") == sorted(NAMES)
    for name, ident in IDS.items():
        made = new.tenant(name)
        assert (made["spec"]["adopt"], made["spec"]["slug"]) == (ident, name)
        assert made["metadata"]["annotations"]["vivero.dev/rebuilt"] == str(NUMBER)
        assert made["spec"]["trialEndsAt"] == "2026-12-24T12:00:00Z"
        assert new.kube.objects["Secret", NAMESPACE, f"escrow-{ident}"]["data"] == record(name)["data"]
    keys = new.kube.objects["Secret", NAMESPACE, "escrow-keys"]
    assert base64.b64decode(keys["data"][CURRENT]) == SEALING.keys[CURRENT]
    assert new.is_done()
    assert new.named("Job") == []
    assert [name for name in new.named("Secret") if name.startswith("moment-")] == []
    assert f"first: as of 2026-11-29T14:05:00Z, files 2, gone for good 1" in new.said  # noqa: F541  beside its likes


async def test_each_job_is_told_whose_data_goes_where() -> None:
    new, orders = New(), dict[str, MomentOrder]()
    original = new.kube.put

    def put(manifest: dict[str, Any]) -> dict[str, Any]:
        if manifest["kind"] == "Secret" and ORDER_FILE in manifest.get("data", {}):
            text = base64.b64decode(manifest["data"][ORDER_FILE]).decode()
            orders[manifest["metadata"]["name"]] = MomentOrder.load(text)
        return original(manifest)

    new.kube.put = put  # type: ignore[method-assign]  # looks on
    await new.rebuild(state()).all()
    assert sorted(orders) == sorted(f"moment-{one}" for one in ("platform", *IDS.values()))
    ident = IDS["first"]
    told = orders[f"moment-{ident}"]
    assert (told.server, told.until, told.file_key) == (OLD, None, keys_of("first").file_key)
    assert told.target.schemas == {f"vt{ident}": f"vt{ident}", f"vt{ident}audit": f"vt{ident}audit"}
    assert told.target.storage is not None
    assert told.target.storage.bucket == f"vivero-{ident}"
    tables = orders["moment-platform"]
    assert (tables.target.schemas, tables.source) == ({"vivero_control": "vivero_control"}, None)
    assert tables.file_key == FILE_KEY


async def test_the_new_server_counts_on_and_its_archive_knows_of_the_gap() -> None:
    new = New()
    Positions(new.store, OLD).add_gap(Gap("1-1-9", 5, 6))
    Positions(new.store, NEW).begin("1-1-1")
    await new.rebuild(state()).all()
    assert new.database.number > 1_000_000
    assert Positions(new.store, NEW).beginning() == "1-1-2"
    found = sorted(gaps(new.store, NEW), key=lambda one: one.begins)
    assert [(one.after, one.begins) for one in found] == [("1-1-9", 5), ("1-1-500", 1_800_000_000)]


async def test_what_was_erased_stays_so() -> None:
    new = New()
    new.store.put_whole(f"erasures/{IDS['second']}.json", b"{}", {})
    new.store.put_whole(f"erasures/{IDS['third']}.uid-erasure.json", b"{}", {})
    await new.rebuild(state()).all()
    assert new.named("Tenant") == ["first"]
    assert all(IDS[name] not in "".join(new.named("Secret") + new.kube.ran) for name in ("second", "third"))
    assert f"{IDS['second']} was erased and stays so" in new.said


async def test_retained_data_comes_back_without_a_tenant() -> None:
    new = New()
    known = state(resources=state().resources | {"Tenant": [tenant("first")]})
    await new.rebuild(known).all()
    assert new.named("Tenant") == ["first"]
    for ident in IDS.values():
        labels = new.kube.objects["Secret", NAMESPACE, f"escrow-{ident}"]["metadata"]["labels"]
        assert labels["vivero.dev/retained"] == ident
        assert f"vt{ident}" in new.database.databases


async def test_a_tenant_that_was_being_deleted_does_not_come_back_as_one() -> None:
    new = New()
    going = tenant("second", deletionTimestamp="2026-11-29T12:00:00Z")
    await new.rebuild(state(resources=state().resources | {"Tenant": [tenant("first"), going]})).all()
    assert new.named("Tenant") == ["first"]
    assert f"vt{IDS['second']}" in new.database.databases


async def test_spares_are_made_anew() -> None:
    new = New()
    spare = tenant("third", {"pool": "trial"})
    del spare["spec"]["slug"]
    await new.rebuild(state(resources=state().resources | {"Tenant": [tenant("first"), spare]})).all()
    assert new.named("Tenant") == ["first"]
    assert f"escrow-{IDS['third']}" not in new.named("Secret")


async def test_keys_that_nobody_can_open_are_kept_and_told() -> None:
    new = New()
    broken = record("second")
    broken["data"] = {"sealed": "AAAA"}
    await new.rebuild(state(records=[record("first"), broken])).all()
    assert f"{IDS['second']}: its keys cannot be opened, and it is not brought back" in new.said
    assert new.kube.objects["Secret", NAMESPACE, f"escrow-{IDS['second']}"]["data"] == {"sealed": "AAAA"}
    assert new.named("Tenant") == ["first"]


async def test_without_an_archived_log_the_newest_backup_is_brought_back() -> None:
    new = New()
    del new.store.objects[f"servers/{OLD}/position"]
    ident = IDS["first"]
    backups = [
        {
            "metadata": {"name": name, "uid": f"uid-{name}"},
            "spec": {"tenant": "first"},
            "status": {"prefix": f"{ident}/backups/uid-{name}", "takenAt": at},
        }
        for name, at in (("new", "2026-11-29T02:30:00Z"), ("old", "2026-11-28T02:30:00Z"))
    ]
    known = state(records=[record("first")], resources=state().resources | {"TenantBackup": backups})
    (one,) = plans(known, NUMBER, ()).fillings
    assert one.backup == "uid-new"
    del new.kube.objects["PlatformBackup", None, "platform"]["spec"]["controlPlane"]
    await new.rebuild(known).all()
    assert new.kube.ran == [f"restore-{ident}"]


async def test_whoever_is_killed_at_any_write_goes_on() -> None:
    """To the same end, and what a Job has loaded is not loaded again."""
    undisturbed = New()
    await undisturbed.rebuild(state()).all()
    for at in range(len(undisturbed.kube.writes)):
        new = New()
        new.kube.kill_at = at
        with pytest.raises((KilledError, ExceptionGroup)):
            await new.rebuild(state()).all()
        new.kube.kill_at = None
        await new.rebuild(state()).all()
        assert new.is_done()
        assert (new.named("Tenant"), new.named("Secret")) == (undisturbed.named("Tenant"), undisturbed.named("Secret"))
        assert len(new.kube.ran) == len(set(new.kube.ran))


async def test_what_fails_keeps_no_other_back_and_the_bucket_stays_the_lost_ones() -> None:
    new, ident = New(), IDS["second"]
    new.kube.failing = {f"moment-{ident}"}
    with pytest.raises(StepFailedError, match=f"not brought back: {ident}"):
        await new.rebuild(state()).all()
    assert (new.named("Tenant"), new.is_done()) == (["first", "third"], False)
    assert any("no room" in line for line in new.said)
    await new.rebuild(state(), ident).all()
    assert (new.named("Tenant"), new.is_done()) == (["first", "third"], True)
    assert f"escrow-{ident}" in new.named("Secret"), "its keys are kept"


async def test_a_job_that_failed_is_done_again() -> None:
    new = New()
    new.kube.failing = {f"moment-{IDS['second']}"}
    with pytest.raises(StepFailedError):
        await new.rebuild(state()).all()
    new.kube.failing.clear()
    await new.rebuild(state()).all()
    assert new.named("Tenant") == sorted(NAMES)


async def test_an_installation_that_is_this_one_is_left_alone() -> None:
    new = New()
    await new.rebuild(state()).all()
    new.kube.writes.clear()
    await new.rebuild(state()).all()
    assert new.kube.writes == []
    assert "already: there is nothing to rebuild" in new.said[-1]


async def test_a_lost_key_is_put_back_where_nothing_else_was_lost() -> None:
    new = New()
    with pytest.raises(RefusedError, match="is not installation"):
        await new.rebuild(state()).key()
    await new.rebuild(state()).all()
    with pytest.raises(RefusedError, match="platform-key already"):
        await new.rebuild(state()).key()
    held = new.kube.objects.pop(("Secret", NAMESPACE, "platform-key"))
    await new.rebuild(state()).key()
    assert new.kube.objects["Secret", NAMESPACE, "platform-key"]["data"] == held["data"]


def with_tenant(new: New) -> None:
    new.put("Tenant", tenant("stranger"))


def with_schema(new: New) -> None:
    new.database.databases.add(f"vt{IDS['first']}")


def with_tables(new: New) -> None:
    new.tables = True


def without_server(new: New) -> None:
    del new.kube.objects["DatabaseServer", None, "main"]


def in_another_domain(new: New) -> None:
    new.database.domain = 2


def without_chart(new: New) -> None:
    del new.kube.objects["PlatformBackup", None, "platform"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (with_tenant, "has tenants already: stranger"),
        (with_schema, f"schema vt{IDS['first']} on DatabaseServer main holds data"),
        (with_tables, "schema vivero_control holds tables already"),
        (without_server, "no DatabaseServer main"),
        (in_another_domain, "gtid_domain_id 2, and the lost one had 1"),
        (without_chart, "no PlatformBackup platform"),
    ],
)
async def test_what_cannot_be_done_is_refused_before_a_write(given: Callable[[New], None], words: str) -> None:
    new = New()
    given(new)
    objects, stored = copy.deepcopy(new.kube.objects), dict(new.store.objects)
    with pytest.raises(RefusedError, match=words):
        await new.rebuild(state()).all()
    assert (new.kube.objects, new.store.objects, new.kube.writes) == (objects, stored, [])


async def test_spares_of_the_new_installation_are_no_tenants_of_it() -> None:
    new = New()
    spare = tenant("stranger", {"pool": "trial"})
    del spare["spec"]["slug"]
    new.put("Tenant", spare)
    await new.rebuild(state()).all()
    assert new.is_done()


async def test_an_administrator_who_may_not_count_on_is_told_what_to_run() -> None:
    new = New()
    new.database.may_count = False
    with pytest.raises(RefusedError, match=r"has to run: SET SESSION gtid_seq_no = 1000500; FLUSH PRIVILEGES;"):
        await new.rebuild(state()).all()
    new.database.number = 1_000_500
    await new.rebuild(state()).all()
    assert new.is_done()


async def test_access_keys_that_the_object_store_makes_are_new_and_stored_first() -> None:
    new = New(settings=SETTINGS.model_copy(update={"s3_accounts": "iam"}))
    await new.rebuild(state(records=[record("first")])).all()
    ident = IDS["first"]
    sealed = base64.b64decode(new.kube.objects["Secret", NAMESPACE, f"escrow-{ident}"]["data"]["sealed"])
    keys = sealing.unseal(SEALING, CURRENT, ident, sealed)
    assert keys is not None
    assert keys.storage_access_key in new.storage.keys[f"vivero-{ident}"]
    assert keys.file_key == keys_of("first").file_key


async def test_what_people_make_is_printed_but_for_what_is_there() -> None:
    new = New()
    erasures = [
        {"metadata": {"name": "done"}, "spec": {"id": IDS["first"]}, "status": {"erasedAt": "2026-11-29T12:00:00Z"}},
        {"metadata": {"name": "waits"}, "spec": {"id": IDS["second"]}},
    ]
    known = state(resources=state().resources | {"TenantErasure": erasures})
    new.put("Plan", known.resources["Plan"][0])
    listed = await new.rebuild(known).resources()
    assert [(one["kind"], one["metadata"]["name"]) for one in listed["items"]] == [
        ("TenantPool", "trial"),
        ("TenantErasure", "waits"),
    ]
    assert new.kube.writes == []
    assert json.dumps(for_people(known, {"Plan": ["trial"]})) == json.dumps(listed["items"])


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 33])
def test_what_is_no_key_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", _Text(text))
    assert rebuild.main(["all"]) == 1
    said = capsys.readouterr()
    assert "64 hexadecimal digits" in said.err
    assert text not in said.out or not text


class _Text:
    """Standard input."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, size: int) -> str:
        return self._text[:size]
