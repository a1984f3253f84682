"""Which database server a new tenant goes to."""

from collections.abc import Iterable, Mapping

from vivero_core.model.database_server import DatabaseServer


def choose(servers: Iterable[DatabaseServer], tenants: Mapping[str, int]) -> str | None:
    """The uncordoned server with room and the fewest tenants; of equals the first by name; None when there is none.

    `tenants` counts those already placed, by server name.
    """
    open_ones = (
        (tenants.get(server.name, 0), server.name)
        for server in servers
        if not server.spec.cordoned and tenants.get(server.name, 0) < server.spec.capacity
    )
    best = min(open_ones, default=None)
    return best[1] if best else None
