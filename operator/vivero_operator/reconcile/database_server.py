"""reconcile(name) of a DatabaseServer: can the administrator log in, who is on it, and what is left there of tenants that are gone."""

from collections.abc import Callable, Sequence
from typing import Final

from vivero_core.backends.kube.resources import DATABASE_SERVER
from vivero_core.errors import BackendError, BackendMisconfiguredError
from vivero_core.model import conditions as cond
from vivero_core.model.base import Metadata
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import (
    ORPHANS_SHOWN,
    DatabaseServer,
    DatabaseServerStatus,
)
from vivero_core.model.database_server import Orphan as OrphanEntry

from vivero_operator import metrics
from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.policies import life, recoverability
from vivero_operator.policies.life import paused, shown
from vivero_operator.reconcile import archives, in_use, orphans, remains
from vivero_operator.reconcile.context import HandlerContext, Orphan
from vivero_operator.reconcile.controller import Key, Result
from vivero_operator.reconcile.kind import News, Reconciler, drop, take
from vivero_operator.reconcile.queue import Rank
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status

PROBE_SECONDS: Final = 30.0
_WAITING_FOR_ONE: Final = frozenset(
    {
        Reason.NO_DATABASE_SERVER,
        Reason.DATABASE_SERVER_NOT_FOUND,
        Reason.SERVER_CORDONED,
        Reason.SERVER_FULL,
    }
)


def wake(context: HandlerContext, server: str, *, all_of_them: bool = True) -> None:
    """All tenants that this server's change may help or harm; or only those that are not well."""
    for tenant in (*context.cluster.placed_on(server), *context.cluster.held_up_by(_WAITING_FOR_ONE)):
        if not all_of_them and life.settled(tenant):
            continue
        context.state.forget(tenant.metadata.uid)
        context.queue.add(Key("Tenant", tenant.name), Rank.AWAITED if life.awaited(tenant) else Rank.ROUTINE)


def observe(context: HandlerContext, server: DatabaseServer) -> None:
    """A change requeues the tenants on it or waiting for one."""
    news = take(context, server)
    if news is not News.ECHO:
        wake(context, server.name, all_of_them=news is News.CHANGED)


def forget(context: HandlerContext, metadata: Metadata) -> None:
    drop(context, DatabaseServer, metadata)
    wake(context, metadata.name)


class DatabaseServerReconciler(Reconciler):
    """Wakes the tenants of a server that has come back, so that they need not sit out their back-off.

    Has orphans looked for when a server comes or goes: it may hold some, or have been the one that shows some.
    """

    def __init__(self, services: Services, wake: Callable[[str], None], sweep: Callable[[], None]) -> None:
        self._services = services
        self._wake = wake
        self._sweep = sweep

    async def reconcile(self, name: str) -> Result:
        server = self._services.cluster.servers.get(name)
        if server is None:
            metrics.forget_orphans(name)
            self._sweep()
            return Result(gone=True)
        users = self._services.cluster.users_of_server(name)
        await in_use.settle(self._services, DATABASE_SERVER, server.metadata, users)
        if paused(server.metadata):
            known = server.status.model_copy(update={"conditions": self._shown(server, server.status.conditions)})
            await write_status(self._services, DATABASE_SERVER, server, known, self._services.cluster.servers)
            return Result()
        version, fault = await self._probe(server)
        recoverable = await self._recoverable(server, fault)
        done, left = await self._remove_orphans(server) if fault is None else (server.status.removals_done, {})
        was = cond.find(server.status.conditions, ConditionType.READY)
        found = [self._ready(server, fault, left), recoverable]
        status = self._status(server, version, done, found)
        await write_status(self._services, DATABASE_SERVER, server, status, self._services.cluster.servers)
        await self._announce(server, status)
        if fault is None and (was is None or was.status is not Status.TRUE):
            self._wake(name)
            self._sweep()
        return Result(failed=fault is not None, retry_after=PROBE_SECONDS)

    async def _probe(self, server: DatabaseServer) -> tuple[str | None, BackendError | None]:
        """(version, None) or (None, what is wrong)."""
        try:
            client = await self._services.backends.database(server)
            return await client.breaker.call(client.admin.server_version), None
        except BackendError as error:
            return None, error

    async def _remove_orphans(self, server: DatabaseServer) -> tuple[tuple[str, ...], dict[str, str]]:
        """Delete the orphans that spec.removeOrphans names; (processed entries, id -> why one still exists).

        An entry that counted forever would delete a tenant that was adopted and became an orphan again.
        """
        done = [ident for ident in server.spec.remove_orphans if ident in server.status.removals_done]
        left: dict[str, str] = {}
        for ident in (one for one in server.spec.remove_orphans if one not in done):
            if ident not in self._services.orphans.known and not self._services.orphans.whole:
                left[ident] = "waiting for an orphan sweep in which every backend responds"
                continue
            try:
                refused = await orphans.refusal(self._services, ident)
                left_over = [] if refused else await remains.remove(self._services, ident)
            except BackendError as error:
                left[ident] = str(error)
                continue
            if left_over:
                left[ident] = f"waiting for {', '.join(left_over)} to be deleted"
                continue
            done.append(ident)
            if refused:
                await self._say(
                    server, "Warning", Reason.ORPHAN_KEPT, f"Orphan {ident} was not deleted: {refused}", "Remove"
                )
            else:
                self._services.orphans.known.pop(ident, None)
                message = f"Orphan {ident} was deleted as requested in spec.removeOrphans"
                await self._say(server, "Normal", Reason.ORPHAN_REMOVED, message, "Remove")
        return tuple(done), left

    def _status(
        self,
        server: DatabaseServer,
        version: str | None,
        done: tuple[str, ...],
        conditions: Sequence[Condition],
    ) -> DatabaseServerStatus:
        found = [one for one in self._services.orphans.of(server.name) if not self._is_adopted(one)]
        known = self._services.orphans.swept
        if known:
            metrics.ORPHANS.labels(server.name).set(len(found))
        return DatabaseServerStatus(
            tenants=self._services.cluster.placements()[server.name],
            version=version or server.status.version,
            orphans=len(found) if known else server.status.orphans,
            orphaned=tuple(map(_entry, found[:ORPHANS_SHOWN])) if known else server.status.orphaned,
            removals_done=done,
            observed_generation=server.metadata.generation,
            conditions=self._shown(server, cond.merge(server.status.conditions, conditions)),
        )

    def _shown(self, server: DatabaseServer, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        idle = "health checks or orphan removal"
        return shown(conditions, server.metadata, self._services.now(), idle=idle)

    def _is_adopted(self, orphan: Orphan) -> bool:
        tenant = self._services.cluster.tenant_of(orphan.found.id)
        return tenant is not None and orphan.found.belongs_to(tenant.status.database_server)

    def _ready(self, server: DatabaseServer, fault: BackendError | None, left: dict[str, str]) -> Condition:
        message = str(fault) if fault is not None else "Admin login succeeded"
        if server.metadata.deletion_timestamp is not None:
            users = self._services.cluster.users_of_server(server.name)
            message = f"{message}. Deletion waits until it is not in use. {in_use.held_by(users)}"
        message += "".join(f". Orphan {ident}: {why}" for ident, why in left.items())
        return self._condition(server, ConditionType.READY, Status.of(fault is None), _reason(fault), message)

    def _condition(
        self, server: DatabaseServer, kind: ConditionType, status: Status, reason: Reason, message: str
    ) -> Condition:
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            last_transition_time=self._services.now(),
            observed_generation=server.metadata.generation,
        )

    async def _recoverable(self, server: DatabaseServer, fault: BackendError | None) -> Condition:
        """Run the archiver that the server is to have, and say whether a tenant there can be restored to any second."""
        services = self._services
        runs = await archives.ensure_archiver(services, server)
        was = cond.find(server.status.conditions, ConditionType.RECOVERABLE)
        if fault is not None and was is not None:
            return was
        client = await services.backends.database(server) if fault is None else None
        variables = await client.breaker.call(client.admin.log_settings) if client is not None else {}
        status, reason, message = recoverability.verdict(server, services.settings, variables, runs=runs)
        return self._condition(server, ConditionType.RECOVERABLE, status, reason, message)

    async def _announce(self, server: DatabaseServer, status: DatabaseServerStatus) -> None:
        """Emit events when a condition changes, and for each new orphan."""
        for kind in (ConditionType.READY, ConditionType.RECOVERABLE):
            was, now = cond.find(server.status.conditions, kind), cond.find(status.conditions, kind)
            if now is None or (was and (was.status, was.reason) == (now.status, now.reason)):
                continue
            # That nobody has asked for an archive is no news.
            if was is not None or now.reason != Reason.NOT_CONFIGURED:
                level: EventType = "Normal" if now.status is Status.TRUE else "Warning"
                await self._say(server, level, now.reason, now.message, "Probe")
        before = {one.id for one in server.status.orphaned}
        new = [one for one in status.orphaned if one.id not in before]
        if new:
            names = ", ".join(f"{one.id} ({', '.join(one.found)})" for one in new)
            message = f"Orphaned resources without a Tenant: {names}. Adopt them with spec.adopt, or delete them with spec.removeOrphans"
            await self._say(server, "Warning", Reason.ORPHANS_FOUND, message, "Sweep")

    async def _say(self, server: DatabaseServer, kind: EventType, reason: str, note: str, action: str) -> None:
        subject = Subject.of("DatabaseServer", server.metadata)
        await self._services.recorder.record(ObjectEvent(subject, kind, reason, note, action))


def _entry(orphan: Orphan) -> OrphanEntry:
    found = orphan.found
    return OrphanEntry(id=found.id, tenant=orphan.tenant, found=found.things, since=orphan.since)


def _reason(fault: BackendError | None) -> Reason:
    if fault is None:
        return Reason.REACHABLE
    return Reason.MISCONFIGURED if isinstance(fault, BackendMisconfiguredError) else Reason.UNREACHABLE
