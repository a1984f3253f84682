"""reconcile(name) of a DatabaseServer: can the administrator log in, what version is it, how many tenants are on it."""

from collections.abc import Callable
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DATABASE_SERVER
from vivero_core.errors import BackendError
from vivero_core.model import conditions as cond
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer, DatabaseServerStatus

from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant import Result

PROBE_SECONDS: Final = 30.0
_MESSAGE_LIMIT: Final = 1024


class DatabaseServerReconciler:
    """Also wakes the tenants of a server that has come back: they need not sit out their back-off."""

    def __init__(self, services: Services, wake: Callable[[str], None]) -> None:
        self._services = services
        self._wake = wake

    async def reconcile(self, name: str) -> Result:
        server = self._services.cluster.servers.get(name)
        if server is None:
            return Result()
        version, fault = await self._probe(server)
        was_ready = cond.is_true(server.status.conditions, ConditionType.READY)
        await self._write(server, self._status(server, version, fault))
        if fault is None and not was_ready:
            self._wake(name)
        return Result(failed=fault is not None, retry_after=PROBE_SECONDS)

    async def _probe(self, server: DatabaseServer) -> tuple[str | None, str | None]:
        """(version, None) or (None, what is wrong)."""
        try:
            link = await self._services.backends.database(server)
            return await link.lane.call(link.admin.server_version), None
        except BackendError as error:
            return None, str(error)

    def _status(self, server: DatabaseServer, version: str | None, fault: str | None) -> DatabaseServerStatus:
        ready = Condition(
            type=ConditionType.READY,
            status=Status.of(fault is None),
            reason=Reason.REACHABLE if fault is None else Reason.UNREACHABLE,
            message=(fault or "Administrator can log in")[:_MESSAGE_LIMIT],
            last_transition_time=self._services.now(),
            observed_generation=server.metadata.generation,
        )
        return DatabaseServerStatus(
            tenants=self._services.cluster.placements()[server.name],
            version=version or server.status.version,
            observed_generation=server.metadata.generation,
            conditions=cond.merge(server.status.conditions, [ready]),
        )

    async def _write(self, server: DatabaseServer, status: DatabaseServerStatus) -> None:
        if status == server.status:
            return
        patch: dict[str, Any] = status.dump()
        try:
            body = await self._services.kube.patch_status(DATABASE_SERVER, server.name, patch, uid=server.metadata.uid)
        except KubeNotFoundError:
            return
        self._services.cluster.servers.put(DatabaseServer.parse(body))
