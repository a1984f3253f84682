"""Orders of staff about backups: one object each, checked on the Tenant as it is now, audited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from unit.control_plane.builders import NOW, backup_body, condition, restore_body, spare, tenant, tenant_body
from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.backups.policies import OperationNotFoundError
from vivero_control.domain.backups.repository import OperationDirectory, OperationRepository
from vivero_control.domain.backups.schemas import BackUp, BringBack, OperationState, Target
from vivero_control.domain.backups.service import NEWEST, NEWEST_OF_ONE, BackupDeps, BackupService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantNotFoundError,
    TenantRefusedError,
    TenantUnreadableError,
    WrongStateError,
)
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.lib.idempotency import Idempotency, IdempotentOperation
from vivero_core.backends.kube.client import KubeClient, Listing
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeInvalidError, KubeUnavailableError
from vivero_core.errors import BackendError
from vivero_core.model.base import Metadata
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore
from vivero_web.errors import InvalidInputError

ACTOR = "ada@vivero.example"


class Cluster:
    """The API server's part of it: what was made, and what it says to the next write."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.error: BackendError | None = None

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        if self.error:
            raise self.error
        name = manifest["metadata"]["name"]
        if name in self.made:
            raise KubeAlreadyExistsError("kubernetes", "it exists")
        self.made[name] = manifest | {"metadata": {**manifest["metadata"], "uid": "u", "resourceVersion": "9"}}
        return self.made[name]

    async def get(self, _: object, name: str) -> dict[str, Any]:
        return self.made[name]


class Tenants:
    def __init__(self) -> None:
        self.found: Tenant | Unreadable | None = tenant("acme")

    async def find(self, _: str) -> Tenant | Unreadable | None:
        return self.found


class Keys(Idempotency):
    """Idempotency keys in memory."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def once(self, name: str, key: str | None, body: bytes) -> AsyncIterator[IdempotentOperation]:
        full = f"{name} {key} {body.decode()}"
        operation = StoredOperation(key and full, self.answers.get(full))
        yield operation
        if key and operation.stored is not None:
            self.answers[full] = operation.stored


class StoredOperation(IdempotentOperation):
    stored: dict[str, Any] | None = None

    async def store(self, _: object, answer: dict[str, Any]) -> None:
        self.stored = answer


class Transactions:
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


class AuditList:
    """The recorded actions and their outcomes."""

    def __init__(self) -> None:
        self.entries: list[tuple[AuditAction, str]] = []

    @asynccontextmanager
    async def recording(self, act: AuditAction) -> AsyncIterator[None]:
        try:
            yield
        except Exception:
            self.entries.append((act, "failed"))
            raise
        self.entries.append((act, "done"))


class World:
    """The service, and everything around it."""

    def __init__(self, *bodies: dict[str, Any], tenants: tuple[dict[str, Any], ...] = ()) -> None:
        self.cluster, self.tenants, self.audit, self.keys = Cluster(), Tenants(), AuditList(), Keys()
        backups, restores = OperationDirectory(TenantBackup), OperationDirectory(TenantRestore)
        backups.apply(Listing([one for one in bodies if one["kind"] == "TenantBackup"], "8"))
        restores.apply(Listing([one for one in bodies if one["kind"] == "TenantRestore"], "8"))
        directory = TenantDirectory()
        directory.apply(Listing([tenant_body("acme"), *tenants], "8"))
        kube = cast("KubeClient", self.cluster)
        self.service = BackupService(
            BackupDeps(
                backups=backups,
                restores=restores,
                new_backups=OperationRepository(kube, TenantBackup, backups),
                new_restores=OperationRepository(kube, TenantRestore, restores),
                directory=directory,
                tenants=cast("TenantRepository", self.tenants),
                audit=cast("AuditService", self.audit),
                idempotency=self.keys,
                database=cast("Database", Transactions()),
                clock=lambda: NOW,
            )
        )

    def specs(self) -> list[dict[str, Any]]:
        return [one["spec"] for one in self.cluster.made.values()]


def order(slug: str = "acme-then", name: str = "", **changes: Any) -> BringBack:  # noqa: ANN401  fields of any type
    return BringBack(**{"reason": " as agreed ", "target": Target(slug=slug, tenant=name), **changes})


async def test_a_backup_is_an_object_that_is_listed_at_once_and_audited() -> None:
    world = World()
    view = await world.service.back_up("acme", BackUp(reason="before it"), ACTOR)
    assert world.specs() == [{"tenant": "acme"}]
    assert [one.name for one in world.service.overview("acme").under_way] == [view.name]
    assert world.service.backup("acme", view.name).state is OperationState.WAITING
    [(act, outcome)] = world.audit.entries
    assert (act.actor, act.action, act.subject, act.reason) == (ACTOR, "back-up", "tenant/acme", "before it")
    assert (act.detail, outcome) == ({"backup": view.name}, "done")


async def test_the_same_key_is_one_backup_and_one_entry() -> None:
    world = World()
    first, second = [await world.service.back_up("acme", BackUp(), ACTOR, idempotency_key="k") for _ in range(2)]
    assert first == second
    assert len(world.cluster.made) == len(world.audit.entries) == 1


async def test_a_crash_before_the_answer_was_stored_makes_no_second_one() -> None:
    world = World()
    first = await world.service.back_up("acme", BackUp(), ACTOR, idempotency_key="k")
    world.keys.answers.clear()
    assert await world.service.back_up("acme", BackUp(), ACTOR, idempotency_key="k") == first
    assert len(world.cluster.made) == 1


async def test_without_a_key_each_order_is_one_of_its_own() -> None:
    world = World()
    await world.service.back_up("acme", BackUp(), ACTOR)
    await world.service.back_up("acme", BackUp(), ACTOR)
    assert len(world.cluster.made) == 2


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (None, TenantNotFoundError),
        (Unreadable(Metadata(name="acme"), {}, "spec.plan: odd"), TenantUnreadableError),
        (spare("acme"), WrongStateError),
        (
            Tenant.parse(
                tenant_body("acme") | {"metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T11:00:00Z"}}
            ),
            WrongStateError,
        ),
    ],
    ids=["nobody", "unreadable", "a spare", "being deleted"],
)
async def test_who_takes_no_orders(found: Tenant | Unreadable | None, error: type[Exception]) -> None:
    world = World()
    world.tenants.found = found
    with pytest.raises(error):
        await world.service.back_up("acme", BackUp(), ACTOR)
    with pytest.raises(error):
        await world.service.bring_back("acme", order(), ACTOR)
    assert not world.cluster.made
    assert not world.audit.entries


async def test_a_restore_says_which_second_and_where_to() -> None:
    world = World()
    moment = NOW - timedelta(hours=3)
    view = await world.service.bring_back("acme", order(name="Acme-Copy", time=moment), ACTOR)
    spec = {
        "tenant": "acme",
        "time": "2026-11-22T09:00:00Z",
        "target": {"tenant": "acme-copy", "slug": "acme-then"},
    }
    assert world.specs() == [spec]
    assert [one.name for one in world.service.overview("acme").under_way] == [view.name]
    [(act, _)] = world.audit.entries
    assert (act.action, act.reason, act.detail) == ("bring-back", "as agreed", spec | {"restore": view.name})


KEPT = backup_body("kept", conditions=[condition("Complete")], prefix="abcdefghij/backups/7/")
OTHERS = backup_body("others", tenant="brisa", conditions=[condition("Complete")], prefix="bbbbbbbbbb/backups/7/")
UNFINISHED = backup_body("unfinished", conditions=[condition("Complete", "False", "Running")])


async def test_a_restore_of_a_backup_names_it() -> None:
    world = World(KEPT)
    await world.service.bring_back("acme", order(backup="kept"), ACTOR)
    assert world.specs() == [
        {"tenant": "acme", "backup": "kept", "target": {"tenant": "acme-then", "slug": "acme-then"}}
    ]


@pytest.mark.parametrize("backup", ["others", "unfinished", "none"])
async def test_only_a_complete_backup_of_this_very_tenant_is_brought_back(backup: str) -> None:
    world = World(KEPT, OTHERS, UNFINISHED)
    with pytest.raises(InvalidInputError) as caught:
        await world.service.bring_back("acme", order(backup=backup), ACTOR)
    assert [one.field for one in caught.value.errors] == ["backup"]
    assert not world.cluster.made


async def test_a_restore_in_place_names_no_target() -> None:
    world = World(KEPT, tenants=(tenant_body("acme-then"),))
    view = await world.service.bring_back("acme", order(backup="kept", target=Target(in_place=True)), ACTOR)
    assert world.specs() == [{"tenant": "acme", "backup": "kept", "target": {"inPlace": True}}]
    assert (view.in_place, view.target, view.slug) == (True, None, None)


async def test_a_look_names_no_target() -> None:
    world = World(KEPT, tenants=(tenant_body("acme-then"),))
    view = await world.service.bring_back("acme", order(target=Target(as_of=True)), ACTOR)
    assert world.specs() == [{"tenant": "acme", "target": {"asOf": {}}}]
    assert (view.as_of, view.in_place, view.target, view.slug, view.url) == (True, False, None, None, None)


RUNNING = restore_body("r-1", tenant="brisa", into="soon", conditions=[condition("Complete", "False", "Running")])
FAILED = restore_body("r-2", tenant="brisa", into="never", conditions=[condition("Complete", "False", "Failed")])


@pytest.mark.parametrize(
    ("slug", "name", "fields"),
    [
        ("acme", "acme-copy", ["target.slug"]),
        ("acme-copy", "acme", ["target.tenant"]),
        ("halden-slug", "free", ["target.slug"]),
        ("free", "odd", ["target.tenant"]),
        ("soon", "", ["target.slug"]),
        ("soon", "soon", ["target.slug", "target.tenant"]),
        ("odd", "", ["target.slug"]),
        ("never", "", []),
    ],
)
async def test_a_name_or_address_that_somebody_has_or_will_have_is_refused(
    slug: str, name: str, fields: list[str]
) -> None:
    odd = tenant_body("odd", trialEndsAt="2026-12-01T00:00:00+99:00")
    world = World(RUNNING, FAILED, tenants=(tenant_body("halden", slug="halden-slug"), odd))
    if not fields:
        await world.service.bring_back("acme", order(slug, name), ACTOR)
        return
    with pytest.raises(InvalidInputError) as caught:
        await world.service.bring_back("acme", order(slug, name), ACTOR)
    assert [one.field for one in caught.value.errors] == fields


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KubeInvalidError("kubernetes", "no"), TenantRefusedError),
        (KubeUnavailableError("kubernetes", "away"), ClusterUnavailableError),
    ],
)
async def test_what_the_cluster_refuses_is_audited_as_failed(error: BackendError, expected: type[Exception]) -> None:
    world = World()
    world.cluster.error = error
    with pytest.raises(expected):
        await world.service.back_up("acme", BackUp(), ACTOR)
    assert [outcome for _, outcome in world.audit.entries] == ["failed"]


def at(name: str, minute: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  as backup_body
    body = backup_body(name, **changes)
    body["metadata"]["creationTimestamp"] = f"2026-11-22T10:{minute:02}:00Z"
    return body


def test_the_newest_are_listed_first_and_only_so_many() -> None:
    done = [condition("Complete")]
    bodies = [at(f"b-{minute:02}", minute, conditions=done) for minute in range(60)]
    world = World(*bodies, at("under-way", 3), at("other", 59, tenant="brisa", conditions=done), restore_body())
    found = world.service.overview("acme")
    assert [one.name for one in found.backups] == [f"b-{minute:02}" for minute in range(59, 59 - NEWEST_OF_ONE, -1)]
    assert (found.ended_backups, found.ended_restores) == (60, 0)
    assert {one.name for one in found.under_way} == {"under-way", "acme-then"}
    page = world.service.backups("acme", limit=2, offset=1)
    assert ([one.name for one in page.items], page.total) == (["b-58", "b-57"], 61)
    newest, total = world.service.newest()
    assert ([one.name for one in newest[:2]], len(newest), total) == (["acme-then", "other"], NEWEST, 63)


def test_another_tenants_backup_is_not_found_here() -> None:
    world = World(KEPT, OTHERS)
    assert world.service.backup("acme", "kept").name == "kept"
    with pytest.raises(OperationNotFoundError):
        world.service.backup("acme", "others")
    with pytest.raises(OperationNotFoundError):
        world.service.restore("acme", "kept")


def test_without_a_bucket_one_backup_that_waits_says_so_for_all() -> None:
    waiting = backup_body("w", tenant="brisa", conditions=[condition("Complete", "False", "NotConfigured")])
    assert World(waiting).service.overview("acme").no_bucket
    assert not World(KEPT, UNFINISHED).service.overview("acme").no_bucket


@pytest.mark.parametrize(
    ("reasons", "none"),
    [
        (["NotConfigured"], True),
        (["NotConfigured", "NotConfigured"], True),
        (["NotConfigured", "Scheduled"], False),
        (["ScheduleInvalid"], False),
        ([], False),
    ],
)
def test_without_a_bucket_the_tenants_say_so_before_anything_is_asked_for(reasons: list[str], none: bool) -> None:  # noqa: FBT001  a case
    tenants = tuple(
        tenant_body(f"t{number}", conditions=[condition("BackupScheduled", "False", reason)])
        for number, reason in enumerate(reasons)
    )
    assert World(tenants=tenants).service.overview("acme").no_bucket is none


def test_before_the_first_list_nobody_says_that_there_are_none() -> None:
    directory = OperationDirectory(TenantBackup)
    with pytest.raises(ClusterUnavailableError):
        directory.of_tenant("acme")
    directory.apply(Listing([], "1"))
    assert directory.of_tenant("acme") == []
