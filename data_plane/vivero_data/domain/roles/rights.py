"""What a role of the workspace's own allows, as it is stored: by the numbers of collections and fields."""

from typing import Any

import msgspec


class CollectionRights(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be done with one collection. Who has a role without rights on a collection does not know of it.

    Attributes:
        hidden, read_only: the numbers of fields.
        where: the records that there are for this role, as a tree of conditions with `f<number>` for fields; all if None.
    """

    create: bool = False
    change: bool = False
    delete: bool = False
    export: bool = False
    hidden: frozenset[int] = frozenset()
    read_only: frozenset[int] = frozenset()
    where: dict[str, Any] | None = None


class OwnRole(msgspec.Struct, frozen=True):
    """A role: its rights by the number of the collection, and whether it reads and writes the workspace's files."""

    id: int
    name: str
    files: bool = False
    collections: dict[int, CollectionRights] = {}
