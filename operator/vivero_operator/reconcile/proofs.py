"""Looks every minute how far logs are archived, and in the night makes the TenantProofs that are due (policies/proofs.py).

All that it goes by is in the cluster and in the bucket: a TenantProof has one name a night, so that an operator that ends
between any two steps neither leaves one out nor makes it twice.
"""

import asyncio
import logging
from collections import Counter
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import of_model
from vivero_core.errors import BackendError
from vivero_core.model import constants as c
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_proof import TenantProof

from vivero_operator import metrics
from vivero_operator.archiver.bucket import Objects
from vivero_operator.archiver.chain import Chain
from vivero_operator.archiver.position import Positions, sequence
from vivero_operator.instance import owner_reference
from vivero_operator.operations.errors import DamagedError, StepFailedError
from vivero_operator.policies import proofs as policy
from vivero_operator.policies.proofs import Night
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import remember

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
_PROOFS: Final = of_model(TenantProof)
_RESULTS: Final = ("Passed", "Failed", "Refused", "None")


class Proofs:
    """For one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settled: dict[str, Night] = {}
        """Tenant's UID -> the night in which nothing new was found in its archive: it is not asked for again."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Once."""
        if not self._services.settings.backup_secret:
            return
        for work in (self._read_positions, self._make_due, self._remove_superfluous):
            try:
                await work()
            except (BackendError, StepFailedError) as error:
                logger.warning("looking after proofs failed, retrying: %s", error)
                metrics.PROOF_ERRORS.inc()
        self._measure()

    async def _read_positions(self) -> None:
        store = await self._services.backends.backup_bucket()
        for server in self._services.cluster.servers:
            if not archived(server, self._services.settings):
                continue
            try:
                position = await asyncio.to_thread(Positions(store, server.metadata.uid).load)
            except DamagedError as error:  # says nothing of the other servers
                logger.warning("how far the log of %s is archived is not known: %s", server.name, error)
                metrics.PROOF_ERRORS.inc()
            else:
                self._services.archive_positions[server.metadata.uid] = position

    async def _make_due(self) -> None:
        now, schedule = self._services.now(), self._services.settings.proof_schedule
        tonight = policy.night(now, schedule)
        if tonight is None:
            self._settled.clear()
            return
        store = await self._services.backends.backup_bucket()
        free = schedule.atOnce - sum(one.status.runs for one in self._services.cluster.of(TenantProof))
        for tenant in policy.due(self._known(), tonight, now):
            if free <= 0:
                return
            if not await self._is_settled(store, tenant, tonight):
                await self._make(tenant, tonight)
                free -= 1

    async def _is_settled(self, store: Objects, tenant: Tenant, tonight: Night) -> bool:
        """Whether it need not be proven in this night."""
        uid = tenant.metadata.uid
        if self._settled.get(uid) == tonight:
            return True
        chain = Chain(store, tenant.id, self._newest(tenant))
        try:
            head = await asyncio.to_thread(chain.head)
        except DamagedError as error:  # its proof tells its people, and the others go on
            logger.warning("the archive of %s: %s", tenant.name, error)
            return False
        if chain.is_cut:
            return False
        last = sequence(head.span.last) if head is not None else None
        settled = policy.settles(self._services.cluster.proofs_of(tenant), last, self._services.now())
        if settled:
            self._settled[uid] = tonight
        return settled

    def _newest(self, tenant: Tenant) -> int:
        """Number of the newest segment of the tenant's log, as was read last."""
        server = self._services.cluster.servers.get(tenant.status.database_server or "")
        position = self._services.archive_positions.get(server.metadata.uid) if server is not None else None
        return position.heads.get(tenant.id, 0) if position is not None else 0

    async def _make(self, tenant: Tenant, tonight: Night) -> None:
        manifest = {
            "apiVersion": c.API_VERSION,
            "kind": "TenantProof",
            "metadata": {
                "name": tonight.proof_of(tenant.name),
                "ownerReferences": [owner_reference("Tenant", tenant.metadata)],
            },
            "spec": {"tenant": tenant.name},
        }
        try:
            body = await self._services.kube.create(manifest)
        except KubeAlreadyExistsError:
            return  # of an operator before this one: its event comes in a moment
        remember(TenantProof, body, self._services.cluster.of(TenantProof))

    async def _remove_superfluous(self) -> None:
        for tenant in self._services.cluster.tenants:
            for proof in policy.superfluous(self._services.cluster.proofs_of(tenant)):
                if proof.metadata.deletion_timestamp is None:
                    await self._remove(proof)

    async def _remove(self, proof: TenantProof) -> None:
        try:
            await self._services.kube.delete(_PROOFS, proof.name, uid=proof.metadata.uid)
        except KubeNotFoundError:
            return  # its event comes in a moment

    def _known(self) -> list[tuple[Tenant, list[TenantProof]]]:
        """Tenants whose log is archived, and their proofs."""
        servers = self._services.cluster.servers
        archiving = {one.name for one in servers if archived(one, self._services.settings)}
        return [
            (tenant, self._services.cluster.proofs_of(tenant))
            for tenant in self._services.cluster.tenants
            if tenant.status.database_server in archiving
        ]

    def _measure(self) -> None:
        now, results, oldest = self._services.now(), Counter[Any](dict.fromkeys(_RESULTS, 0)), 0.0
        for tenant, proofs in self._known():
            if policy.is_provable(tenant):
                results[policy.last_outcome(proofs) or "None"] += 1
                since = policy.last_passed(proofs) or tenant.metadata.creation_timestamp or now
                oldest = max(oldest, (now - since).total_seconds())
        metrics.show_proofs(results, oldest)
