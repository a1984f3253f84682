"""A TenantErasure: waits for its time, takes the data before anybody can adopt it, destroys it, and leaves a receipt.

Each step can be repeated, and what the receipt says is counted and written down before anything is destroyed. The last
thing to go of the data itself is its record with the key of the backups; a Job then removes those.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeConflictError, KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, TENANT, of_model
from vivero_core.backends.tally import Tally, tally
from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.recoverability import kept_until
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_erasure import (
    ErasedNames,
    ErasureResult,
    TenantErasure,
    TenantErasureStatus,
)

from vivero_operator.escrow.record import Record
from vivero_operator.operations.orders import ERASE, EraseOrder, Program
from vivero_operator.operations.runner import Operation
from vivero_operator.policies import allocation, erasure
from vivero_operator.policies.erasure import Decision, Holder, Seen, Turn
from vivero_operator.policies.life import paused
from vivero_operator.reconcile import archives, erasures, remains
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.operation import WAIT_SECONDS, ObstacleError, OperationReconciler, has_ended

_AGAIN_SECONDS: Final = 1.0
SCHEDULED_SECONDS: Final = 60.0
"""How often one whose time has not come is looked at, to say if its data was adopted meanwhile."""


class TenantErasureReconciler(OperationReconciler[TenantErasure]):
    """Of erasures."""

    model = TenantErasure
    result = ErasureResult
    succeeded = (Reason.ERASED, "Erased: nothing is left, nor in the backup bucket; status has the receipt")
    action = "Erase"

    def program_of(self, item: TenantErasure) -> Program:  # noqa: ARG002  all have the same
        return ERASE

    async def recall(self) -> None:
        """Ids that were erased are nobody's again."""
        await erasures.recall(self._services)

    async def reconcile(self, name: str) -> Result:
        item: TenantErasure | None = self._items.get(name)
        if item is None or self._rests(item) or item.status.erased_at is not None:
            return await super().reconcile(name)
        if item.status.begun_at is None:
            waiting = await self._begin(item)
            if waiting is not None:
                return waiting
            item = self._items.get(name) or item
        return await self._destroy(item)

    def _rests(self, item: TenantErasure) -> bool:
        gone = item.metadata.deletion_timestamp is not None
        return gone or paused(item.metadata) or has_ended(item.status)

    async def _begin(self, item: TenantErasure) -> Result | None:
        """None once the data is this erasure's, and what there is of it is written down."""
        record = await self._record(item)
        decision = erasure.decide(await self._seen(item, record), self._services.now())
        if decision.turn is Turn.END:
            await self._end(item, decision.reason, decision.message, _closed(item.status), done=False)
            return Result()
        if decision.turn is Turn.WAIT:
            return await self._wait(item, decision, record)
        if record is not None:
            try:
                await self._services.escrow.claim(record, item.metadata.uid)
            except KubeConflictError:
                return Result(retry_after=_AGAIN_SECONDS)  # somebody was faster: look who
        await self._write(item, await self._counted(item))
        return None

    async def _record(self, item: TenantErasure) -> Record | None:
        """Before its time it is read once, for what brings the workspace back."""
        if self._is_early(item) and item.status.undelete is not None:
            return None
        return await self._services.escrow.find(item.spec.id)

    def _is_early(self, item: TenantErasure) -> bool:
        return item.spec.at is not None and self._services.now() < item.spec.at

    async def _seen(self, item: TenantErasure, record: Record | None) -> Seen:
        servers = {one.name for one in self._services.cluster.servers}
        others = [one for one in self._items if one.metadata.uid != item.metadata.uid]
        elsewhere = any(one.spec.id == item.spec.id and one.status.begun_at is not None for one in others)
        holder = self._known_holder(item) if self._is_early(item) else await self._holder(item.spec.id)
        return Seen(item, record, holder, servers, {one.metadata.uid for one in others}, elsewhere)

    async def _wait(self, item: TenantErasure, decision: Decision, record: Record | None) -> Result:
        status = item.status
        if record is not None and record.retained:
            status = status.model_copy(update={"undelete": record.undelete})
        await self._tell(item, decision.reason, decision.message, status)
        if item.spec.at is None or not self._is_early(item):
            return Result(retry_after=WAIT_SECONDS)
        left = (item.spec.at - self._services.now()).total_seconds()
        return Result(retry_after=min(left, SCHEDULED_SECONDS if status.undelete else WAIT_SECONDS))

    def _known_holder(self, item: TenantErasure) -> Holder | None:
        """As the mirror has it: good enough for a word in the status."""
        found = self._services.cluster.tenant_of(item.spec.id)
        return Holder(found.name, found.metadata.deletion_timestamp is not None) if found is not None else None

    async def _holder(self, ident: str) -> Holder | None:
        """The Tenant that has this id, asked of the API server: a mirror may be stale."""
        found = await self._services.kube.list_as(TENANT, _speaks_for)
        return next((holder for one, holder in found.items if one == ident), None)

    async def _counted(self, item: TenantErasure) -> TenantErasureStatus:
        ident, found = item.spec.id, {"tables": tally(()), "files": tally(()), "secrets": tally(())}
        server = await self._server_with_data(ident)
        if server is not None:
            client = await self._services.backends.database(server)
            found["tables"] = await client.breaker.long(client.admin.tables, naming.database_name(ident))
        storage = await self._services.backends.storage()
        found["files"] = await storage.breaker.long(storage.admin.contents, naming.bucket_name(ident))
        found["secrets"] = await self._secrets(ident)
        erased = tuple(_names(kind, one) for kind, one in found.items())
        place = server.name if server is not None else None
        update = {"begun_at": self._services.now(), "erased": erased, "database_server": place}
        return _closed(item.status).model_copy(update=update)

    async def _server_with_data(self, ident: str) -> DatabaseServer | None:
        for server in self._servers():
            client = await self._services.backends.database(server)
            if await client.breaker.call(client.admin.database_exists, naming.database_name(ident)):
                return server
        return None

    def _servers(self) -> list[DatabaseServer]:
        return [one for one in self._services.cluster.servers if not allocation.never_answered(one)]

    async def _secrets(self, ident: str) -> Tally:
        """Of the namespace and of the escrow. An earlier deletion may have taken the namespace, and our rights in it."""
        try:
            listing = await self._services.kube.list(SECRET, naming.namespace_name(ident))
            names = [f"{naming.namespace_name(ident)}/{one['metadata']['name']}" for one in listing.items]
        except KubeForbiddenError:
            names = []
        record = await self._services.escrow.find(ident)
        names += [f"{self._services.settings.platform_namespace}/escrow-{ident}"] if record is not None else []
        return tally(sorted(names, key=str.encode))

    async def _destroy(self, item: TenantErasure) -> Result:
        """All of it, and its key last; then the Job begins, where there is a bucket that it can look into."""
        server = self._server(item)
        if server is not None:
            # First: what follows in the log is not archived any more.
            await archives.withdraw_key(self._services, server, item.spec.id)
        await self._forget_backups(item.spec.id)
        left = await remains.remove(self._services, item.spec.id)
        if left:
            await self._tell(item, Reason.ERASING, f"Waiting for {', '.join(left)} to be deleted", item.status)
            return Result(retry_after=2.0)
        self._services.orphans.known.pop(item.spec.id, None)
        now = self._services.now()
        status = item.status.model_copy(update={"erased_at": now, "log_until": await self._log_until(server)})
        self._services.erased[item.spec.id] = now
        if not self._services.settings.backup_secret:
            await self._end(item, Reason.ERASED, "Erased; there is no backup bucket", status, done=True)
            return Result()
        await self._tell(item, Reason.ERASING, "Erased; its backups are removed", status)
        return Result(retry_after=0.1)

    async def _log_until(self, server: DatabaseServer | None) -> datetime | None:
        """When the server's own log of the last changes is gone."""
        if server is None:
            return None
        client = await self._services.backends.database(server)
        return kept_until(await client.breaker.call(client.admin.log_settings), self._services.now())

    async def _forget_backups(self, ident: str) -> None:
        """Objects that stand for backups which nobody can read any more."""
        for one in list(self._services.cluster.of(TenantBackup)):
            if one.status.prefix is not None and one.status.prefix.partition("/")[0] == ident:
                with suppress(KubeNotFoundError):
                    await self._services.kube.delete(of_model(TenantBackup), one.name, uid=one.metadata.uid)

    def _server(self, item: TenantErasure) -> DatabaseServer | None:
        return self._services.cluster.servers.get(item.status.database_server or "")

    async def require_rest(self, item: TenantErasure) -> None:
        """Its Tenant is gone, and with it the Job that removed what had expired."""

    async def prepare(self, item: TenantErasure) -> Operation:
        self.require_backup_bucket()
        at = item.status.erased_at
        if at is None:
            raise ObstacleError(Reason.ERASING, "The data is not erased yet")
        server = self._server(item)
        receipt = {
            "id": item.spec.id,
            "erasure": item.metadata.uid,
            "orderedBy": item.spec.ordered_by,
            "begunAt": item.status.begun_at,
            "erasedAt": at,
            "serverLogUntil": item.status.log_until,
            "erased": [one.dump() for one in item.status.erased],
        }
        logged = server is not None and archives.archived(server, self._services.settings)
        log = server.metadata.uid if server is not None and logged else None
        order = EraseOrder(item.spec.id, item.metadata.uid, log, int(at.timestamp()), receipt)
        return self.operation(item, order, None)

    async def conclude(self, item: TenantErasure) -> None:
        """The log is past it: the archiver need not know of it any more."""
        server = self._server(item)
        if server is not None:
            await archives.forget_key(self._services, server, item.spec.id)


def _names(kind: str, found: Tally) -> ErasedNames:
    return ErasedNames(kind=kind, count=found.count, sha256=found.sha256)


def _speaks_for(body: dict[str, Any]) -> tuple[str, Holder]:
    """A Tenant's id, and what else matters of it."""
    name, ident = remains.speaks_for(body)
    return ident, Holder(name, "deletionTimestamp" in body["metadata"])


def _closed(status: TenantErasureStatus) -> TenantErasureStatus:
    """Nothing is to be had back by it any more."""
    return status.model_copy(update={"undelete": None})
