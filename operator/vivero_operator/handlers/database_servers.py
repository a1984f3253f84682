"""DatabaseServers: a change requeues the server and the tenants on it or waiting for one."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.handlers import HandlerContext
from vivero_operator.handlers.dispatch import Watched
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


def wake(context: HandlerContext, server: str, *, all_of_them: bool = True) -> None:
    """All tenants that this server's change may help or harm; or only those that are not well."""
    for tenant in (*context.cluster.placed_on(server), *context.cluster.held_up_by(_WAITING_FOR_ONE)):
        if not all_of_them and life.settled(tenant):
            continue
        context.state.forget(tenant.metadata.uid)
        context.queue.add(Key("Tenant", tenant.name), Rank.AWAITED if life.awaited(tenant) else Rank.ROUTINE)


def observe(context: HandlerContext, server: DatabaseServer) -> None:
    context.cluster.servers.put(server)
    wants = server.metadata.generation, server.metadata.deletion_timestamp, paused(server.metadata)
    known = context.wants.get(server.metadata.uid)
    if known != wants:
        context.wants[server.metadata.uid] = wants
        context.queue.add(Key("DatabaseServer", server.name))
        wake(context, server.name, all_of_them=known is not None)


def forget(context: HandlerContext, metadata: Metadata) -> None:
    context.wants.pop(metadata.uid, None)
    context.cluster.servers.drop(metadata.name, metadata.uid)
    context.queue.add(Key("DatabaseServer", metadata.name))
    wake(context, metadata.name)


WATCHED: Final = Watched(
    "DatabaseServer", DatabaseServer, DatabaseServer.plural, lambda context: context.cluster.servers, observe, forget
)
