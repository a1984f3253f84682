"""Makes the TenantBackups that are due by the schedules of tenants: a few at a time, and none of who changed nothing.

What is due follows from the clock, the schedule and `status.backup.scheduledAt`, which is written last; the object's name
follows from the tenant and the scheduled time. So an operator that is killed anywhere makes neither two nor none.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.kube.resources import TENANT
from vivero_core.errors import BackendError
from vivero_core.model import constants as c
from vivero_core.model.tenant import BackupStatus, Tenant
from vivero_core.model.tenant_backup import BackupSchedule, TenantBackup

from vivero_operator.archiver.head import read, unchanged
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.policies import schedule as policy
from vivero_operator.policies.life import paused
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.operation import has_ended
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant_backup import by_tenant, is_scheduled, newest_complete
from vivero_operator.reconcile.writing import remember, write_status

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0


class BackupSchedules:
    """Of all tenants."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._backups = services.cluster.of(TenantBackup)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Deal with what is due; those that have waited longest first."""
        due = sorted(self._due(), key=lambda one: one[1])
        if not due:
            return
        known = by_tenant(self._backups)
        free = self._services.settings.backups_at_once - sum(map(_runs, self._backups))
        for name, at in due:
            tenant = self._services.cluster.tenants.get(name)
            if free <= 0:
                return
            if tenant is None:
                continue
            try:
                made = await self._make(tenant, at, known.get(name, ()))
            except BackendError as error:
                logger.warning("the scheduled backup of %s is tried again: %s", name, error)
            else:
                free -= made

    def _due(self) -> Iterator[tuple[str, datetime]]:
        """Names of tenants, and for when."""
        now = self._services.now()
        for tenant, schedule in scheduled(self._services):
            meta, told = tenant.metadata, tenant.status.backup
            since = (told and told.scheduled_at) or tenant.spec.claimed_at or meta.creation_timestamp
            if since is not None and (at := policy.due(schedule, meta.uid, since, now)) is not None:
                yield tenant.name, at

    async def _make(self, tenant: Tenant, at: datetime, known: Sequence[TenantBackup]) -> bool:
        """Make the TenantBackup, unless nothing is to be backed up, and say what came of it; whether it was made."""
        name = policy.name_of(tenant.name, at)
        obstacle = None if self._backups.get(name) is not None else await self._obstacle(tenant, at, known)
        if obstacle is not None:
            await self._settle(tenant, at, obstacle)
            return False
        # Without an owner: a backup outlives its Tenant.
        manifest = {
            "apiVersion": c.API_VERSION,
            "kind": "TenantBackup",
            "metadata": {"name": name, "labels": {c.LABEL_SCHEDULED: policy.label_of(at), c.LABEL_TENANT: tenant.id}},
            "spec": {"tenant": tenant.name},
        }
        with suppress(KubeAlreadyExistsError):  # an earlier look was interrupted here
            remember(TenantBackup, await self._services.kube.create(manifest), self._backups)
        await self._settle(tenant, at, f"TenantBackup {name} was made")
        return True

    async def _obstacle(self, tenant: Tenant, at: datetime, known: Sequence[TenantBackup]) -> str | None:
        """Why none is made for this time."""
        waiting = next((one.name for one in known if is_scheduled(one, tenant) and not has_ended(one.status)), None)
        if waiting is not None:
            return f"TenantBackup {waiting} has not ended: none was made for {policy.label_of(at)}"
        base = newest_complete(known, tenant)
        if base is not None and await self._is_unchanged(tenant, base, at):
            return f"Unchanged since TenantBackup {base.name}, skipped"
        return None

    async def _is_unchanged(self, tenant: Tenant, base: TenantBackup, at: datetime) -> bool:
        """By the archived log. Where there is none, the backup's own Job compares."""
        server = self._services.cluster.servers.get(tenant.status.database_server or "")
        gtid, taken_at = base.status.gtid, base.status.taken_at
        if server is None or gtid is None or taken_at is None or not archived(server, self._services.settings):
            return False
        try:
            store = await self._services.backends.backup_bucket()
            head = await asyncio.to_thread(read, store, server.metadata.uid, tenant.id)
        except (BackendError, StepFailedError) as error:
            logger.info("how far the log of %s is archived is not known: %s", tenant.name, error)
            return False
        return unchanged(head, gtid, taken_at, at)

    async def _settle(self, tenant: Tenant, at: datetime, message: str) -> None:
        """Say that this scheduled time was dealt with."""
        cluster = self._services.cluster
        known = cluster.tenants.get(tenant.name)
        if known is None or known.metadata.uid != tenant.metadata.uid:
            return
        told = (known.status.backup or BackupStatus()).model_copy(update={"scheduled_at": at, "message": message})
        status = known.status.model_copy(update={"backup": told})
        await write_status(self._services, TENANT, known, status, cluster.tenants)


def scheduled(services: Services) -> Iterator[tuple[Tenant, BackupSchedule]]:
    """Tenants that have data and a schedule without a fault, where there is a backup bucket."""
    if not services.settings.backup_secret:
        return
    for tenant in services.cluster.tenants:
        schedule = policy.in_force(tenant, services.cluster.plan_of(tenant))
        if (
            schedule is not None
            and not tenant.is_spare
            and tenant.status.proven_at is not None
            and tenant.metadata.deletion_timestamp is None
            and not paused(tenant.metadata)
            and policy.fault(schedule) is None
        ):
            yield tenant, schedule


def _runs(backup: TenantBackup) -> bool:
    """Whether it takes one of the places of scheduled ones."""
    return c.LABEL_SCHEDULED in backup.metadata.labels and backup.status.runs
