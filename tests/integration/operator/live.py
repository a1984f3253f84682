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
from vivero_core.backends.kube.resources import DATABASE_SERVER, PLAN, POD, RELEASE, TENANT
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import FIELD_MANAGER, LABEL_TENANT, ConditionType
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_operator.backend_clients import BackendClients, PlatformObjects
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.dns_records import DnsRecords
from vivero_operator.escrow.store import EscrowStore
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import Orphans, Rollout
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.recorder import Recorder
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.start_limiter import StartLimiter
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.tenant import TenantReconciler
from vivero_operator.reconcile.waiting_pages import WaitingPages
from vivero_operator.settings import Settings


@dataclass(frozen=True)
class Setup:
    """The instance under test, and how names of its cluster are reached from the host."""

    administrator: str
    """Kubeconfig of the tests themselves."""
    kubeconfig: str
    """Kubeconfig of the operator's service account: what the chart does not allow fails."""
    environment: dict[str, str]
    names: dict[str, tuple[str, int]]

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


def services_of(
    settings: Settings, kube: KubeClient, backends: BackendClients, data_plane: DataPlaneClient
) -> Services:
    """As main puts them together, without a leader's Lease."""
    cluster = Cluster()
    return Services(
        settings=settings,
        kube=kube,
        backends=backends,
        data_plane=data_plane,
        cluster=cluster,
        escrow=EscrowStore(kube, settings.platform_namespace),
        recorder=Recorder(kube, settings.identity, _now),
        rollout=Rollout(settings, cluster),
        start_limiter=StartLimiter(settings.starts_at_once),
        waiting_pages=WaitingPages(kube, cluster, settings, _now),
        orphans=Orphans(),
        dns=DnsRecords(settings.dns_servers),
        now=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Live:
    """One Tenant's reconciler; `pass_once` sees what the watches would have told."""

    def __init__(self, services: Services, kube: KubeClient) -> None:
        """`kube`: the tests' own."""
        self.services, self.kube = services, kube
        self.state = ReconcileState()
        self.reconciler = TenantReconciler(services, self.state)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, setup: Setup) -> AsyncIterator[Self]:
        settings = setup.settings()
        administrator, account = (kube_config.load(Path(one)) for one in (setup.administrator, setup.kubeconfig))
        async with (
            KubeClient(administrator, field_manager="operator-tests") as kube,
            KubeClient(account, field_manager=FIELD_MANAGER) as own,
            DataPlaneClient() as data_plane,
        ):
            backends = BackendClients(settings, PlatformObjects(own, settings.platform_namespace))
            with contextlib.closing(backends):
                yield cls(services_of(settings, own, backends, data_plane), kube)

    async def look(self, name: str) -> Tenant | None:
        cluster = self.services.cluster
        for item in (await self.kube.list(PLAN)).items:
            cluster.plans.put(Plan.parse(item))
        for item in (await self.kube.list(DATABASE_SERVER)).items:
            cluster.servers.put(DatabaseServer.parse(item))
        for item in (await self.kube.list(RELEASE)).items:
            cluster.releases.put(Release.parse(item))
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

    async def until_ready(self, name: str, seconds: float = 120) -> Tenant:
        async with asyncio.timeout(seconds):
            while True:
                await self.pass_once(name)
                tenant = await self.look(name)
                assert tenant is not None
                if is_true(tenant.status.conditions, ConditionType.READY):
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
