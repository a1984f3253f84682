"""An operator that is killed behind any of its writes during an operation: the next one ends as if nothing had been.

Which writes there are is counted and not listed, so that a new one is killed behind by itself. The Job, its pods and the
workspace's are played here. A neighbour is beside it all the time: its objects and all that it has on servers stay the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from reconcile.fakes import FakeServer
from reconcile.scenes import NAMESPACE, SCHEMA, condition, pod
from reconcile.world import MODELS, Object, World, tenant_body
from support.sweeps import sampled
from unit.operator.made import body
from unit.operator.test_erasure import DeathError
from unit.operator.test_in_place import DEPLOYMENT, Scene
from unit.operator.test_operations import ended, job
from unit.operator.test_operations import pod as pod_of_job
from unit.operator.test_platform_state import PUBLIC, Store
from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.platform_backup import PlatformBackup
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.archiver.position import Position, Positions
from vivero_operator.manifests import archiver as archivers
from vivero_operator.reconcile.as_of import OPEN_FOR
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.operation import has_ended
from vivero_operator.reconcile.platform_backup import PlatformBackupReconciler
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler
from vivero_operator.reconcile.tenant_proof import TenantProofReconciler
from vivero_operator.reconcile.tenant_restore import TenantRestoreReconciler

AT = "2026-11-22T11:30:00Z"
NEIGHBOUR = naming.tenant_id("uid-neighbour")
ROUNDS = 40
"""Of all reconciles, after which an operation has ended whatever was killed."""


@dataclass(frozen=True)
class Kind:
    """An operation that is played."""

    model: Any
    make: Callable[[World], Reconciler]
    spec: Object
    said: Object
    """What its Job says in the end."""
    reason: str
    """With which it ends, if the Job succeeds."""
    named: str = "one"
    before_migration: bool = False
    """What is restored is of an older revision."""
    later: timedelta | None = None
    """So long after it was done it goes on, and ends once more."""


def _pod_of(ident: str) -> Object:
    found = pod()
    found["metadata"] |= {"namespace": naming.namespace_name(ident), "labels": {"vivero.dev/tenant": ident}}
    return found


def _target(**target: Any) -> Object:  # noqa: ANN401  JSON
    return {"time": AT, "backup": None, "target": {"inPlace": None, "tenant": None, "slug": None, **target}}


KINDS = {
    "backup": Kind(
        TenantBackup,
        lambda world: TenantBackupReconciler(world.services),
        {"tenant": "acme"},
        {"prefix": "p", "bytes": 1, "files": 1, "takenAt": AT, "gtid": "0-1-1"},
        "BackedUp",
    ),
    "restore to a new Tenant": Kind(
        TenantRestore,
        lambda world: TenantRestoreReconciler(world.services),
        _target(tenant="again", slug="again"),
        {"files": 1, "missingFiles": 0, "restoredTo": AT},
        "Restored",
    ),
    "restore in place": Kind(
        TenantRestore,
        lambda world: TenantRestoreReconciler(world.services),
        _target(inPlace=True),
        {"files": 1, "missingFiles": 0, "restoredTo": AT},
        "Restored",
    ),
    "workspace as of a second": Kind(
        TenantRestore,
        lambda world: TenantRestoreReconciler(world.services),
        _target(asOf={"host": None}),
        {"files": 1, "missingFiles": 0, "restoredTo": AT},
        "Restored",
    ),
    "workspace as of a second before a migration": Kind(
        TenantRestore,
        lambda world: TenantRestoreReconciler(world.services),
        _target(asOf={"host": None}),
        {"files": 1, "missingFiles": 0, "restoredTo": AT},
        "Restored",
        before_migration=True,
    ),
    "workspace as of a second, until it is closed": Kind(
        TenantRestore,
        lambda world: TenantRestoreReconciler(world.services),
        _target(asOf={"host": None}),
        {"files": 1, "missingFiles": 0, "restoredTo": AT},
        "Restored",
        later=OPEN_FOR,
    ),
    "platform": Kind(
        PlatformBackup,
        lambda world: PlatformBackupReconciler(world.services, lambda _: None),
        {"recoveryKey": PUBLIC.hex(), "controlPlane": {"databaseServer": "main", "secret": "control-plane-database"}},
        {"prefix": "platform/backups/d1", "takenAt": AT},
        "Stored",
        named="platform",
    ),
    "proof": Kind(
        TenantProof,
        lambda world: TenantProofReconciler(world.services, lambda _: None),
        {"tenant": "acme"},
        {"provenAt": AT, "reachableFrom": AT, "reachableTo": AT, "transaction": "0-1-1", "tables": 1, "files": 1},
        "Passed",
    ),
}


@dataclass
class Play:
    """One operation from its creation to its end, among whatever else there is."""

    kind: Kind
    how: str
    """The Job's end."""
    lives: int | None = None
    """Behind so many writes the operator is killed, once."""
    calls: list[str] = field(default_factory=list)
    deaths: int = 0

    async def run(self, monkeypatch: pytest.MonkeyPatch) -> Object:
        """What is there in the end."""
        scene = Scene()
        await scene.serve()
        self.world = scene.world
        self._archive()
        await self._settle_neighbour()
        if self.kind.before_migration:
            self.world.backends.servers["main"].older.add(SCHEMA)
        beside = self._of_neighbour()
        self.world.put(body(self.kind.model.__name__, self.kind.named, self.kind.spec))
        with monkeypatch.context() as patch:
            for name in ("put_whole", "delete"):
                patch.setattr(self.store, name, self._at_once_behind(name, getattr(self.store, name)))
            for name in ("apply", "create", "patch", "delete"):
                patch.setattr(self.world.kube, name, self._behind(name, getattr(self.world.kube, name)))
            up = FakeServer._up  # noqa: SLF001  where every call comes by

            def counted(server: FakeServer, call: str) -> None:
                up(server, call)
                self._count(call)

            patch.setattr(FakeServer, "_up", counted)
            await self._play()
        assert self._of_neighbour() == beside, "a neighbour is what it was"
        return self._seen()

    async def _settle_neighbour(self) -> None:
        """Another tenant, which serves."""
        neighbour = tenant_body("neighbour")
        self.world.put({**neighbour, "metadata": {**neighbour["metadata"], "uid": "uid-neighbour"}})
        await self.world.reconcile("neighbour")
        self.world.put(_pod_of(NEIGHBOUR))
        for _ in range(2):
            await self.world.reconcile("neighbour")
        assert condition(self.world, "Ready", "neighbour") == "True Proven"

    def _of_neighbour(self) -> tuple[dict[Any, Object], set[str]]:
        """Its objects, wherever they are, and what servers hold under its id."""
        names = {"neighbour", f"escrow-{NEIGHBOUR}"}
        space = naming.namespace_name(NEIGHBOUR)
        objects = {key: one for key, one in self._stored().items() if space in key or key[2] in names}
        backends = self.world.backends
        of_servers: list[dict[str, Any]] = [backends.s3.buckets, backends.s3.users, backends.valkey.users]
        for server in backends.servers.values():
            of_servers += [dict.fromkeys(server.databases), server.users]
        return objects, {f"{name}: {of[name]}" for of in of_servers for name in of if NEIGHBOUR in name}

    def _archive(self) -> None:
        """The backup bucket, and the archiver of the server, which follows the control plane's tables."""
        self.store = Store()
        self.world.backends.bucket = self.store
        (server,) = self.world.cluster.servers
        Positions(self.store, server.metadata.uid).save(Position({1: "1-1-5"}, 100, platform="vivero_control"))
        (tenant,) = self.world.cluster.tenants
        self.store.objects[f"{tenant.id}/log/fffffffffffe"] = b"", {}
        self.world.kube.put(archivers.keys(server, self.world.settings))

    async def _play(self) -> None:
        later, reconciler = self.kind.later, self.kind.make(self.world)
        for _ in range(ROUNDS):
            before = self._stored()
            try:
                await reconciler.reconcile(self.kind.named)
                # The neighbour's own passes would put right what was done to it.
                for tenant in [one.name for one in self.world.cluster.tenants if one.name != "neighbour"]:
                    await self.world.reconcile(tenant)
            except* DeathError:
                self.deaths += 1
                self.world.restart()
                reconciler = self.kind.make(self.world)
            self._others()
            if not self._has_ended() or self._stored() != before:
                continue
            if later is None:
                break
            self.world.now += later
            later = None
        assert self._has_ended(), self.item.status.message
        assert later is None

    def _stored(self) -> dict[Any, Object]:
        """In Kubernetes; what is applied as it is changes nothing."""
        return {
            key: {**item, "metadata": {**item["metadata"], "resourceVersion": None}}
            for key, item in self.world.kube.objects.items()
        }

    def _has_ended(self) -> bool:
        known = cond.find(self.item.status.conditions, ConditionType.RECOVERABLE)
        return has_ended(self.item.status) or (known is not None and known.reason in {Reason.STORED, Reason.FAILED})

    def _others(self) -> None:
        """What the watches tell, the Job controller and kubelet do meanwhile."""
        kube = self.world.kube
        for (kind, _, name), item in list(kube.objects.items()):
            if kind in MODELS:
                self.world.cluster.of(MODELS[kind]).put(MODELS[kind].parse(item))
            if kind == "Job" and not item.get("status"):
                self._end(name)
            if kind == "Deployment" and name != "app":
                if item["spec"]["template"]["spec"].get("initContainers"):
                    self.world.backends.servers["main"].older.clear()
                item["status"] = {"readyReplicas": 1, "updatedReplicas": 1}
        replicas, is_there = kube.objects[DEPLOYMENT]["spec"]["replicas"], ("Pod", NAMESPACE, "app-1") in kube.objects
        if replicas and not is_there:
            self.world.put(pod())
        elif is_there and not replicas:
            self.world.remove("Pod", NAMESPACE, "app-1")
        for tenant in self.world.cluster.tenants:
            if tenant.name == "again":
                self.world.put(_pod_of(tenant.id))

    def _end(self, name: str) -> None:
        made = self.world.kube.objects["Job", self.world.settings.platform_namespace, name]
        spec = made["spec"]["template"]["spec"]
        steps = [one["name"] for one in (*spec["initContainers"], *spec["containers"])]
        last = ended(steps[-1], said={"message": "so", "result": self.kind.said})
        found = pod_of_job(*map(ended, steps[:-1]), last if self.how == "Complete" else ended(steps[-1], 1))
        labels = {"batch.kubernetes.io/job-name": name}
        found["metadata"] |= {
            "name": f"of-{name}",
            "namespace": self.world.settings.platform_namespace,
            "labels": labels,
        }
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        made |= job(self.how)

    def _behind(self, name: str, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  as the client takes and gives them
            answer = await real(*given, **named)
            self._count(name)
            return answer

        return call

    def _at_once_behind(self, name: str, real: Callable[..., None]) -> Callable[..., None]:
        def call(*given: Any) -> None:  # noqa: ANN401  as the bucket takes them
            real(*given)
            self._count(name)

        return call

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.lives is not None and len(self.calls) == self.lives:
            raise DeathError

    @property
    def item(self) -> Any:  # noqa: ANN401  an operation
        return self.kind.model.parse(self.world.kube.objects[self.kind.model.__name__, None, self.kind.named])

    def _seen(self) -> Object:
        """Without what has to differ: times, passwords, and how often something was said."""
        server, backends = self.world.backends.servers["main"], self.world.backends
        objects = sorted(str(key) for key in self.world.kube.objects if key[0] not in {"Event", "Lease"})
        conditions = {one.type: (one.status, one.reason) for one in self.item.status.conditions}
        tenants = {
            one.name: sorted((c.type, c.status, c.reason) for c in one.status.conditions)
            for one in self.world.cluster.tenants
        }
        held = {"schemas": server.databases, "users": set(server.users), "buckets": set(backends.s3.buckets)}
        held |= {"accounts": set(backends.s3.users), "cache": set(backends.valkey.users)}
        held |= {"backup bucket": set(self.store.objects)}
        return {"objects": objects, "conditions": conditions, "tenants": tenants, **held}


@pytest.mark.parametrize(("name", "how"), sampled([*product(KINDS, ("Complete", "Failed"))], 6, seed=13))
async def test_killed_behind_any_write_it_ends_the_same(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Play(KINDS[name], how)
    expected = await whole.run(monkeypatch)
    wanted = KINDS[name].reason if how == "Complete" else "Failed"
    told = expected["conditions"].get("Complete") or expected["conditions"]["Recoverable"]
    assert told[1] == wanted
    left = [one for one in expected["objects"] if "Secret" in one and f"-uid-{KINDS[name].named}" in one]
    assert not left, "its credentials are gone"
    ran = len(whole.calls)
    assert ran > 5
    for lives in range(1, ran + 1):
        play = Play(KINDS[name], how, lives)
        assert await play.run(monkeypatch) == expected, f"killed behind write {lives}: {whole.calls[lives - 1]}"
        assert play.deaths == 1
