"""DatabaseServers: a change is work for the server itself and for the tenants on it or waiting for one."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.handlers import Desk
from vivero_operator.handlers.hearing import Watched
from vivero_operator.policies import life
from vivero_operator.policies.pause import paused
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import Rank

_WAITING_FOR_ONE: Final = frozenset(
    {
        Reason.NO_DATABASE_SERVER,
        Reason.DATABASE_SERVER_NOT_FOUND,
        Reason.SERVER_CORDONED,
        Reason.SERVER_FULL,
    }
)


def wake(desk: Desk, server: str, *, all_of_them: bool = True) -> None:
    """All tenants that this server's change may help or harm; or only those that are not well."""
    for tenant in (*desk.cluster.placed_on(server), *desk.cluster.held_up_by(_WAITING_FOR_ONE)):
        if not all_of_them and life.settled(tenant):
            continue
        desk.memory.forget(tenant.metadata.uid)
        desk.queue.add(Key("Tenant", tenant.name), Rank.AWAITED if life.awaited(tenant) else Rank.ROUTINE)


def observe(desk: Desk, server: DatabaseServer) -> None:
    desk.cluster.servers.put(server)
    wants = server.metadata.generation, server.metadata.deletion_timestamp, paused(server.metadata)
    known = desk.wants.get(server.metadata.uid)
    if known != wants:
        desk.wants[server.metadata.uid] = wants
        desk.queue.add(Key("DatabaseServer", server.name))
        wake(desk, server.name, all_of_them=known is not None)


def forget(desk: Desk, metadata: Metadata) -> None:
    desk.wants.pop(metadata.uid, None)
    desk.cluster.servers.drop(metadata.name, metadata.uid)
    desk.queue.add(Key("DatabaseServer", metadata.name))
    wake(desk, metadata.name)


WATCHED: Final = Watched(
    "DatabaseServer", DatabaseServer, DatabaseServer.plural, lambda desk: desk.cluster.servers, observe, forget
)
