"""An operator that is killed behind any of its writes during an operation: the next one ends as if nothing had been.

Which writes there are is counted and not listed, so that a new one is killed behind by itself. The Job, its pods and the
workspace's are played here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from reconcile.fakes import FakeServer
from reconcile.scenes import NAMESPACE, pod
from reconcile.world import MODELS, Object, World
from unit.operator.made import body
from unit.operator.test_erasure import DeathError
from unit.operator.test_in_place import DEPLOYMENT, Scene
from unit.operator.test_operations import ended, job
from unit.operator.test_operations import pod as pod_of_job
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.reconcile.operation import OperationReconciler, has_ended
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler
from vivero_operator.reconcile.tenant_proof import TenantProofReconciler
from vivero_operator.reconcile.tenant_restore import TenantRestoreReconciler

AT = "2026-11-22T11:30:00Z"
ROUNDS = 40
"""Of all reconciles, after which an operation has ended whatever was killed."""


@dataclass(frozen=True)
class Kind:
    """An operation that is played."""

    model: Any
    make: Callable[[World], OperationReconciler[Any]]
    spec: Object
    said: Object
    """What its Job says in the end."""
    reason: str
    """With which it ends, if the Job succeeds."""


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
        self.world.put(body(self.kind.model.__name__, "one", self.kind.spec))
        with monkeypatch.context() as patch:
            for name in ("apply", "create", "patch", "delete"):
                patch.setattr(self.world.kube, name, self._behind(name, getattr(self.world.kube, name)))
            up = FakeServer._up  # noqa: SLF001  where every call comes by

            def counted(server: FakeServer, call: str) -> None:
                up(server, call)
                self._count(call)

            patch.setattr(FakeServer, "_up", counted)
            await self._play()
        return self._seen()

    async def _play(self) -> None:
        reconciler = self.kind.make(self.world)
        for _ in range(ROUNDS):
            before = self.world.kube.writes.copy()
            try:
                await reconciler.reconcile("one")
                for tenant in [one.name for one in self.world.cluster.tenants]:
                    await self.world.reconcile(tenant)
            except* DeathError:
                self.deaths += 1
                self.world.restart()
                reconciler = self.kind.make(self.world)
            self._others()
            if has_ended(self.item.status) and self.world.kube.writes == before:
                break
        assert has_ended(self.item.status), self.item.status.message

    def _others(self) -> None:
        """What the watches tell, the Job controller and kubelet do meanwhile."""
        kube = self.world.kube
        for (kind, _, name), item in list(kube.objects.items()):
            if kind in MODELS:
                self.world.cluster.of(MODELS[kind]).put(MODELS[kind].parse(item))
            if kind == "Job" and not item.get("status"):
                self._end(name)
        replicas, is_there = kube.objects[DEPLOYMENT]["spec"]["replicas"], ("Pod", NAMESPACE, "app-1") in kube.objects
        if replicas and not is_there:
            self.world.put(pod())
        elif is_there and not replicas:
            self.world.remove("Pod", NAMESPACE, "app-1")
        for tenant in self.world.cluster.tenants:
            if tenant.name == "again":
                new = pod()
                new["metadata"] |= {"namespace": f"tenant-{tenant.id}", "labels": {"vivero.dev/tenant": tenant.id}}
                self.world.put(new)

    def _end(self, name: str) -> None:
        steps = self.kind.make(self.world).program_of(self.item).steps
        last = ended(steps[-1], said={"message": "so", "result": self.kind.said})
        found = pod_of_job(*map(ended, steps[:-1]), last if self.how == "Complete" else ended(steps[-1], 1))
        labels = {"batch.kubernetes.io/job-name": name}
        found["metadata"] |= {
            "name": f"of-{name}",
            "namespace": self.world.settings.platform_namespace,
            "labels": labels,
        }
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        self.world.kube.objects["Job", self.world.settings.platform_namespace, name] |= job(self.how)

    def _behind(self, name: str, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  as the client takes and gives them
            answer = await real(*given, **named)
            self._count(name)
            return answer

        return call

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.lives is not None and len(self.calls) == self.lives:
            raise DeathError

    @property
    def item(self) -> Any:  # noqa: ANN401  an operation
        return self.kind.model.parse(self.world.kube.objects[self.kind.model.__name__, None, "one"])

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
        return {"objects": objects, "conditions": conditions, "tenants": tenants, **held}


@pytest.mark.parametrize("how", ["Complete", "Failed"])
@pytest.mark.parametrize("name", KINDS)
async def test_killed_behind_any_write_it_ends_the_same(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Play(KINDS[name], how)
    expected = await whole.run(monkeypatch)
    wanted = KINDS[name].reason if how == "Complete" else "Failed"
    assert expected["conditions"]["Complete"][1] == wanted
    assert not [one for one in expected["objects"] if "Secret" in one and "-uid-one" in one], "its credentials are gone"
    ran = len(whole.calls)
    assert ran > len(KINDS)
    for lives in range(1, ran + 1):
        play = Play(KINDS[name], how, lives)
        assert await play.run(monkeypatch) == expected, f"killed behind write {lives}: {whole.calls[lives - 1]}"
        assert play.deaths == 1
