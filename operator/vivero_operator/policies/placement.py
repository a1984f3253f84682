"""Which database server a new tenant goes to."""

from collections.abc import Iterable, Mapping

from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer


def choose(servers: Iterable[DatabaseServer], tenants: Mapping[str, int]) -> str | None:
    """The uncordoned server with room and the fewest tenants; of equals the first by name; None when there is none.

    An unavailable one is chosen only when all are, and one whose admin login never succeeded is not chosen at all.
    `tenants` counts those already placed, by server name.
    """
    open_ones = (
        (_is_unavailable(server), tenants.get(server.name, 0), server.name)
        for server in servers
        if not never_answered(server)
        and not server.spec.cordoned
        and tenants.get(server.name, 0) < server.spec.capacity
    )
    best = min(open_ones, default=None)
    return best[-1] if best else None


def refused(server: DatabaseServer, tenants: Mapping[str, int]) -> tuple[Reason, str] | None:
    """Why this server takes no new tenant although a spec names it; None when it does."""
    if server.spec.cordoned:
        return Reason.SERVER_CORDONED, f"DatabaseServer {server.name} is cordoned and takes no new tenants"
    if tenants.get(server.name, 0) >= server.spec.capacity:
        return Reason.SERVER_FULL, f"DatabaseServer {server.name} is full: its capacity is {server.spec.capacity}"
    return None


def never_answered(server: DatabaseServer) -> bool:
    """Whether nothing can be on it: the admin login was tried and has not succeeded yet."""
    return _is_unavailable(server) and server.status.version is None


def _is_unavailable(server: DatabaseServer) -> bool:
    ready = find(server.status.conditions, ConditionType.READY)
    return ready is not None and ready.status is Status.FALSE
