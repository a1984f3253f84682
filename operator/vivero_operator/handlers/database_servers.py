"""DatabaseServers: a change is work for the server itself and for the tenants on it or waiting for one."""

from typing import Any

import kopf
from vivero_core.model.constants import GROUP, VERSION, Reason
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.handlers import Desk
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import Rank

_WAITING_FOR_ONE = frozenset({Reason.NO_DATABASE_SERVER, Reason.DATABASE_SERVER_NOT_FOUND})


def wake(desk: Desk, server: str, *, all_of_them: bool = True) -> None:
    """All tenants that this server's change may help or harm; or only those that are not well."""
    for tenant in (*desk.cluster.placed_on(server), *desk.cluster.held_up_by(_WAITING_FOR_ONE)):
        if not all_of_them and life.settled(tenant):
            continue
        desk.memory.forget(tenant.metadata.uid)
        desk.queue.add(Key("Tenant", tenant.name), Rank.AWAITED if life.awaited(tenant) else Rank.ROUTINE)


def observe(desk: Desk, server: DatabaseServer) -> None:
    desk.cluster.servers.put(server)
    wants = server.metadata.generation
    known = desk.wants.get(server.metadata.uid)
    if known != wants:
        desk.wants[server.metadata.uid] = wants
        desk.queue.add(Key("DatabaseServer", server.name))
        wake(desk, server.name, all_of_them=known is not None)


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
