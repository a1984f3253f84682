"""Removes scheduled backups that are not kept any more, the beginning of the log that no second in reach needs, and files.

A Job does it (operations/expire.py), one for a tenant at a time, and never beside another operation on the tenant's data.
The Job is deleted before the TenantBackups are, and the status is written last: an operator that is killed in between finds
the same to do, and a Job that has nothing left to do. So nothing is said to be removed that is not.
"""

import asyncio
import base64
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import JOB, SECRET, TENANT, of_model
from vivero_core.errors import BackendError
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import BackupStatus, Tenant
from vivero_core.model.tenant_backup import Keep, TenantBackup
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.operations.orders import EXPIRE, ORDER_FILE, ExpiryOrder
from vivero_operator.operations.runner import DEADLINE_SECONDS, Operation, Outcome
from vivero_operator.policies import retention as policy
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.backup_schedule import scheduled
from vivero_operator.reconcile.operation import expiry_of, forget, has_ended, job_of, progress_of, start
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant_backup import by_tenant, is_backup_of, is_scheduled
from vivero_operator.reconcile.writing import write_status

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 3600.0
"""After a Job that failed."""
FAILED_LASTS: Final = timedelta(days=7)
"""How long a scheduled backup that failed, or that held nothing, is there for people to read."""


@dataclass(frozen=True)
class Surplus:
    """What is to be removed of a tenant."""

    expired: Sequence[TenantBackup] = ()
    """With what they hold in the bucket."""
    empty: Sequence[TenantBackup] = ()
    """They never held anything."""
    trims: bool = False
    """A backup has become old enough for the log before it to be given up."""


class BackupRetention:
    """Of all tenants."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._backups = services.cluster.of(TenantBackup)
        self._not_before: dict[str, datetime] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Go on with all tenants of which something is to be removed."""
        known = by_tenant(self._backups)
        wanted = {
            tenant.id: self._surplus(tenant, schedule.keep, known.get(tenant.name, ()))
            for tenant, schedule in scheduled(self._services)
        }
        # A Job that was begun is followed to its end, whatever became of the schedule.
        for ident in [*wanted, *(self._services.expiring - wanted.keys())]:
            tenant = self._services.cluster.tenant_of(ident)
            if tenant is None:
                self._services.expiring.discard(ident)
                continue
            try:
                await self._go_on(tenant, wanted.get(ident, Surplus()))
            except BackendError as error:
                logger.warning("removing expired backups of %s is tried again: %s", tenant.name, error)

    async def _go_on(self, tenant: Tenant, surplus: Surplus) -> None:
        for one in surplus.empty:
            await self._delete(one)
        is_wanted = bool(surplus.expired) or surplus.trims
        if not is_wanted and tenant.id not in self._services.expiring:
            return
        body = await job_of(self._services, expiry_of(tenant))
        if body is not None:
            self._services.expiring.add(tenant.id)
            await self._follow(tenant, body)
        elif is_wanted and self._services.now() >= self._not_before.get(tenant.id, self._services.now()):
            await self._begin(tenant, surplus)
        else:
            self._services.expiring.discard(tenant.id)

    async def _follow(self, tenant: Tenant, body: Mapping[str, Any]) -> None:
        name = expiry_of(tenant)
        found = await progress_of(self._services, EXPIRE.steps, name, body)
        if found.outcome is Outcome.RUNNING:
            return
        # What this very Job was told, and not what would be expired by now.
        order = await self._told(name)
        # In this order: an order that outlived its Job would be the next one's.
        await forget(self._services, SECRET, name)
        await forget(self._services, JOB, name)
        if found.outcome is Outcome.DONE and order is not None:
            said = next((one.message for one in found.steps if one.message), found.message)
            await self._conclude(tenant, order, said)
        elif found.outcome is not Outcome.DONE:
            self._not_before[tenant.id] = self._services.now() + timedelta(seconds=AGAIN_SECONDS)
            await self._say(tenant, "Warning", Reason.EXPIRY_FAILED, f"Expired backups stay: {found.message}")
        self._services.expiring.discard(tenant.id)

    async def _told(self, name: str) -> ExpiryOrder | None:
        try:
            secret = await self._services.kube.get(SECRET, name, self._services.settings.platform_namespace)
        except KubeNotFoundError:
            return None
        return ExpiryOrder.load(base64.b64decode(secret["data"][ORDER_FILE]).decode())

    def _surplus(self, tenant: Tenant, keep: Keep, mine: Sequence[TenantBackup]) -> Surplus:
        now = self._services.now()
        whole = {
            one.name: policy.Made(one.name, one.status.taken_at)
            for one in mine
            if is_backup_of(one, tenant) and one.status.taken_at is not None
        }
        by_schedule = {one.name: one for one in mine if is_scheduled(one, tenant)}
        window = self._window(tenant)
        begins = now - window if window is not None else None
        names = [one.name for one in policy.expired([whole[n] for n in by_schedule if n in whole], keep, begins)]
        others = [one for name, one in by_schedule.items() if name not in whole and has_ended(one.status)]
        old = [one for one in others if _age(one, now) > FAILED_LASTS]
        empty = [one for one in old if is_true(one.status.conditions, ConditionType.COMPLETE)]
        expired = [by_schedule[name] for name in names] + [one for one in old if one not in empty]
        trims = window is not None and self._is_trimmed_again(tenant, [one.taken_at for one in whole.values()], window)
        return Surplus(expired, empty, trims)

    def _window(self, tenant: Tenant) -> timedelta | None:
        """Out of which a backup has passed when no second in reach needs one that is older; None where no log is archived."""
        server = self._services.cluster.servers.get(tenant.status.database_server or "")
        if server is None or not archived(server, self._services.settings):
            return None
        # Its log is needed from when its dump was there, and status says when that was begun.
        return timedelta(days=self._services.settings.recovery_days, seconds=DEADLINE_SECONDS)

    def _is_trimmed_again(self, tenant: Tenant, taken: Sequence[datetime], window: timedelta) -> bool:
        """Whether a backup has left the window since the log was last trimmed."""
        told = tenant.status.backup
        last = told.expired_at if told is not None else None
        left = [at + window for at in taken if at + window < self._services.now()]
        return bool(left) and (last is None or max(left) > last)

    async def _begin(self, tenant: Tenant, surplus: Surplus) -> None:
        services, expiring = self._services, self._services.expiring
        if len(expiring - {tenant.id}) >= services.settings.backups_at_once:
            return
        expiring.add(tenant.id)  # before it is looked: an operation that begins looks in the other order
        if self._has_operation(tenant) or (order := await self._order(tenant, surplus)) is None:
            expiring.discard(tenant.id)
            return
        operation = Operation(
            program=EXPIRE.name,
            kind="Tenant",
            owner=tenant.metadata,
            steps=EXPIRE.steps,
            files={ORDER_FILE: order.dump()},
            storage_secret=services.settings.backup_secret,
            scratch=EXPIRE.scratch,
        )
        await start(services, operation)

    def _has_operation(self, tenant: Tenant) -> bool:
        """Whether something uses the tenant's archive, or is about to."""
        cluster = self._services.cluster
        found = [*self._backups, *cluster.of(TenantRestore), *cluster.of(TenantProof)]
        return any(one.spec.tenant == tenant.name and not has_ended(one.status) for one in found)

    async def _order(self, tenant: Tenant, surplus: Surplus) -> ExpiryOrder | None:
        """None without the tenant's key: what cannot be read is not removed."""
        record = await self._services.escrow.find(tenant.id)
        if record is None or record.keys is None:
            return None
        server = self._services.cluster.servers.get(record.database_server or "")
        is_archived = server is not None and archived(server, self._services.settings)
        now, expired = int(self._services.now().timestamp()), [one.metadata.uid for one in surplus.expired]
        return ExpiryOrder(
            tenant=tenant.id,
            server=server.metadata.uid if server is not None and is_archived else None,
            uids=tuple(expired),
            kept=tuple(
                one.metadata.uid
                for one in self._backups
                if is_backup_of(one, tenant) and one.metadata.uid not in expired
            ),
            at=now,
            window_begins=now - self._services.settings.recovery_days * 86_400,
            file_key=record.keys.file_key,
        )

    async def _conclude(self, tenant: Tenant, order: ExpiryOrder, said: str) -> None:
        for one in self._backups:
            if one.metadata.uid in order.uids:
                await self._delete(one)
        cluster = self._services.cluster
        known = cluster.tenants.get(tenant.name)
        if known is not None and known.metadata.uid == tenant.metadata.uid:
            at = datetime.fromtimestamp(order.at, UTC)
            told = (known.status.backup or BackupStatus()).model_copy(update={"expired_at": at})
            status = known.status.model_copy(update={"backup": told})
            await write_status(self._services, TENANT, known, status, cluster.tenants)
        await self._say(tenant, "Normal", Reason.EXPIRED, said)

    async def _delete(self, backup: TenantBackup) -> None:
        with suppress(KubeNotFoundError):
            await self._services.kube.delete(of_model(TenantBackup), backup.name, uid=backup.metadata.uid)
        self._backups.drop(backup.name, backup.metadata.uid)

    async def _say(self, tenant: Tenant, kind: EventType, reason: Reason, message: str) -> None:
        subject = Subject.of("Tenant", tenant.metadata)
        await self._services.recorder.record(ObjectEvent(subject, kind, reason, message, "Expire"))


def _age(backup: TenantBackup, now: datetime) -> timedelta:
    made = backup.metadata.creation_timestamp
    return now - made if made is not None else timedelta()
