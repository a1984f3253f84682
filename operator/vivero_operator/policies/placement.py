"""Which database server a new tenant goes to."""

from collections.abc import Iterable, Mapping

from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ConditionType
from vivero_core.model.database_server import DatabaseServer


def choose(servers: Iterable[DatabaseServer], tenants: Mapping[str, int]) -> str | None:
    """The uncordoned server with room and the fewest tenants; of equals the first by name; None when there is none.

    One known to be unreachable is chosen only when all are. `tenants` counts those already placed, by server name.
    """
    open_ones = (
        (_is_unreachable(server), tenants.get(server.name, 0), server.name)
        for server in servers
        if not server.spec.cordoned and tenants.get(server.name, 0) < server.spec.capacity
    )
    best = min(open_ones, default=None)
    return best[-1] if best else None


def _is_unreachable(server: DatabaseServer) -> bool:
    ready = find(server.status.conditions, ConditionType.READY)
    return ready is not None and ready.status is Status.FALSE
