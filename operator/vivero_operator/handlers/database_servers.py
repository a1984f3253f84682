"""DatabaseServers: a change is work for the server itself and for the tenants on it or waiting for one."""

from typing import Any

import kopf
from vivero_core.model.conditions import find
from vivero_core.model.constants import GROUP, VERSION, ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant import Tenant

from vivero_operator.handlers import Desk
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key

_WAITING_FOR_ONE = frozenset({Reason.NO_DATABASE_SERVER, Reason.DATABASE_SERVER_NOT_FOUND})


def _concerned(tenant: Tenant, server: str) -> bool:
    ready = find(tenant.status.conditions, ConditionType.READY)
    return tenant.status.database_server == server or (ready is not None and ready.reason in _WAITING_FOR_ONE)


def wake(desk: Desk, server: str) -> None:
    """All tenants that this server's change may help or harm."""
    for tenant in desk.cluster.tenants:
        if _concerned(tenant, server):
            desk.memory.forget(tenant.metadata.uid)
            desk.queue.add(Key("Tenant", tenant.name), urgent=life.awaited(tenant))


def observe(desk: Desk, server: DatabaseServer) -> None:
    desk.cluster.servers.put(server)
    wants = server.metadata.generation
    if desk.wants.get(server.metadata.uid) != wants:
        desk.wants[server.metadata.uid] = wants
        desk.queue.add(Key("DatabaseServer", server.name))
        wake(desk, server.name)


def forget(desk: Desk, server: DatabaseServer) -> None:
    desk.wants.pop(server.metadata.uid, None)
    desk.cluster.servers.drop(server.name, server.metadata.uid)
    desk.queue.forget(Key("DatabaseServer", server.name))
    wake(desk, server.name)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, DatabaseServer.plural, id="servers-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        desk.cluster.servers.put(DatabaseServer.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, DatabaseServer.plural, id="servers", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        server = DatabaseServer.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, server)
