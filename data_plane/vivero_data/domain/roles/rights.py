"""What a role of the workspace's own allows, as it is stored: by the numbers of collections and fields."""

from enum import StrEnum
from typing import Any, Final

import msgspec
from vivero_web.errors import NotAllowedError


class Right(StrEnum):
    """What a role may be allowed to do with a collection that it reads."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    EXPORT = "export"


_WORDS: Final = {
    Right.CREATE: "add records to",
    Right.CHANGE: "change records of",
    Right.DELETE: "delete records of",
    Right.EXPORT: "export",
}


class MissingRightError(NotAllowedError):
    """A role does not have a right on a collection that it sees."""

    def __init__(self, role: str, right: Right, collection: str) -> None:
        super().__init__(
            f"Your role {role} may not {_WORDS[right]} {collection}. An administrator can change the role."
        )


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

    def has(self, right: Right) -> bool:
        return bool(getattr(self, right.value))


class OwnRole(msgspec.Struct, frozen=True):
    """A role: its rights by the number of the collection, and whether it reads and writes the workspace's files."""

    id: int
    name: str
    files: bool = False
    collections: dict[int, CollectionRights] = {}
