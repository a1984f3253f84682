"""Which resources on the backends are orphans: they belong to no Tenant and to no retained data. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Inventory = Mapping[str, Mapping[str, Collection[str]]]
"""System -> id -> what of the tenant is there."""


@dataclass(frozen=True)
class Found:
    """What is left of one tenant, or is in a place where it does not belong."""

    id: str
    things: tuple[str, ...]
    servers: tuple[str, ...]
    """DatabaseServers that hold a part of it."""

    def belongs_to(self, server: str | None) -> bool:
        """Whether all of it belongs to a Tenant of this id that is placed on `server`."""
        return set(self.servers) <= {server}

    def beside(self, other: "Found | None") -> "Found":
        """All that either look found."""
        if other is None:
            return self
        things, servers = {*self.things, *other.things}, {*self.servers, *other.servers}
        return Found(self.id, tuple(sorted(things)), tuple(sorted(servers)))


@dataclass(frozen=True)
class Known:
    """Whose things are accounted for."""

    placed: Mapping[str, str | None]
    """Id of each living Tenant -> the DatabaseServer that it is placed on, None while it is not."""
    retained: Mapping[str, str | None]
    """Id of retained data -> its DatabaseServer."""

    def expects(self, ident: str, server: str | None) -> bool:
        """Whether something of this id may be there; `server` for what a DatabaseServer holds."""
        if ident in self.placed:
            return server is None or self.placed[ident] in (None, server)
        return ident in self.retained and (server is None or self.retained[ident] in (None, server))

    def accounts_for(self, found: Found) -> bool:
        """Whether all of it is where it belongs by now."""
        places: tuple[str | None, ...] = found.servers or (None,)
        return all(self.expects(found.id, place) for place in places)


def find(databases: Inventory, elsewhere: Inventory, known: Known) -> list[Found]:
    """Sorted by id. `databases` by DatabaseServer; `elsewhere`: bucket, cache user, namespace, keys."""
    things: dict[str, set[str]] = {}
    servers: dict[str, set[str]] = {}
    for server, held in databases.items():
        for ident, what in held.items():
            if not known.expects(ident, server):
                things.setdefault(ident, set()).update(what)
                servers.setdefault(ident, set()).add(server)
    for held in elsewhere.values():
        for ident, what in held.items():
            if not known.expects(ident, None):
                things.setdefault(ident, set()).update(what)
    return [
        Found(ident, tuple(sorted(things[ident])), tuple(sorted(servers.get(ident, ())))) for ident in sorted(things)
    ]


def lasting(first: Iterable[Found], second: Iterable[Found]) -> list[Found]:
    """What both looks found: a Tenant that came or went between a server's answer and ours is none."""
    before = {one.id for one in first}
    return [one for one in second if one.id in before]


def remembered(before: Iterable[Found], now: Iterable[Found], known: Known) -> list[Found]:
    """What was found now, and what was found before on systems that did not respond this time: it is still there."""
    found = {one.id: one for one in now}
    for one in before:
        if not known.accounts_for(one):
            found[one.id] = one.beside(found.get(one.id))
    return [found[ident] for ident in sorted(found)]


def shown_at(found: Found, remembered: str | None, servers: Collection[str]) -> str | None:
    """The DatabaseServer whose status names it: one that holds a part, best the one of its record; else that, else the first."""
    by_record = sorted(found.servers, key=lambda name: name != remembered)
    return next((name for name in (*by_record, remembered) if name in servers), min(servers, default=None))
