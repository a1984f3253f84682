# ruff: noqa: ANN401  wrappers pass on what they are given
"""The real reconcile against the real API server and backing services, for one Tenant, without kopf in between."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from unittest import mock

from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DATABASE_SERVER, PLAN, POD, TENANT
from vivero_core.model.conditions import find, is_true
from vivero_core.model.constants import FIELD_MANAGER, LABEL_TENANT, ConditionType
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.backends import Backends, PlatformObjects
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.memory import Memory
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant import Result, TenantReconciler
from vivero_operator.settings import Settings

ASPECTS = ("DatabaseReady", "StorageReady", "CacheReady", "RouteReady")


@dataclass(frozen=True)
class Setup:
    """The instance under test, and how names of its cluster are reached from the host."""

    kubeconfig: str
    environment: dict[str, str]
    names: dict[str, tuple[str, int]]
    real_data_plane: bool

    def settings(self) -> Settings:
        with mock.patch.dict("os.environ", self.environment):
            return Settings()


@contextlib.contextmanager
def cluster_names(names: dict[str, tuple[str, int]]) -> Iterator[None]:
    """Resolve the backing services' cluster names to where they listen on this host."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = names.get(host) if isinstance(host, str) else None
        return real(*(found or (host, port)), *args, **kwargs)

    with mock.patch("socket.getaddrinfo", resolve):
        yield


class Live:
    """One Tenant's reconciler; `pass_once` sees what the watches would have told."""

    def __init__(self, services: Services, kube: KubeClient) -> None:
        self.services, self.kube = services, kube
        self.memory = Memory()
        self.reconciler = TenantReconciler(services, self.memory)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, setup: Setup) -> AsyncIterator[Self]:
        settings = setup.settings()
        async with (
            KubeClient(kube_config.load(Path(setup.kubeconfig)), field_manager=FIELD_MANAGER) as kube,
            DataPlaneClient() as data_plane,
        ):
            backends = Backends(settings, PlatformObjects(kube, settings.platform_namespace))
            with contextlib.closing(backends):
                yield cls(Services(settings, kube, backends, data_plane, Cluster(), lambda: datetime.now(UTC)), kube)

    async def look(self, name: str) -> Tenant | None:
        cluster = self.services.cluster
        for item in (await self.kube.list(PLAN)).items:
            cluster.plans.put(Plan.parse(item))
        for item in (await self.kube.list(DATABASE_SERVER)).items:
            cluster.servers.put(DatabaseServer.parse(item))
        try:
            tenant = Tenant.parse(await self.kube.get(TENANT, name))
        except KubeNotFoundError:
            known = cluster.tenants.get(name)
            if known is not None:
                cluster.tenants.drop(name, known.metadata.uid)
            return None
        cluster.tenants.put(tenant)
        for pod in cluster.pods(tenant.id):
            cluster.drop_pod(pod)
        for item in (await self.kube.list(POD, label_selector=f"{LABEL_TENANT}={tenant.id}")).items:
            cluster.put_pod(Pod.parse(item))
        return tenant

    async def pass_once(self, name: str) -> Result:
        await self.look(name)
        return await self.reconciler.reconcile(name)

    async def until(self, name: str, *, ready: bool, seconds: float = 120) -> Tenant:
        """Reconcile until Ready, or (without a data plane to wait for) until all but the pod is done."""
        async with asyncio.timeout(seconds):
            while True:
                await self.pass_once(name)
                tenant = await self.look(name)
                assert tenant is not None
                if finished(tenant, ready=ready):
                    return tenant
                await asyncio.sleep(0.2)

    async def delete(self, name: str, seconds: float = 120) -> None:
        tenant = await self.look(name)
        if tenant is None:
            return
        await self.kube.delete(TENANT, name, uid=tenant.metadata.uid)
        async with asyncio.timeout(seconds):
            while await self.look(name) is not None:
                await self.pass_once(name)
                await asyncio.sleep(0.2)


def finished(tenant: Tenant, *, ready: bool) -> bool:
    conditions = tenant.status.conditions
    if ready:
        return is_true(conditions, ConditionType.READY)
    return find(conditions, ConditionType.READY) is not None and all(is_true(conditions, one) for one in ASPECTS)


def manifest(name: str, **spec: object) -> dict[str, Any]:
    wanted = {
        "displayName": "Operator test",
        "slug": name,
        "plan": "trial",
        "owner": {"email": "owner@example.com"},
        "deletionPolicy": "Delete",
    }
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": {**wanted, **spec},
    }
