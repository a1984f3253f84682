"""What a person may do with the records of a collection: every statement that reads records needs an `Access`.

It is made of the collection and of who asks, in this module alone. `repository.py` selects only the fields of
`collection`, and only records that satisfy `rows`: whatever reads records for a person is therefore the same in grid,
API, search, export and report, and cannot leave the rule out.
"""

from collections.abc import Container
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError, NotAllowedError
from vivero_web.text import tidy

from vivero_data.db.database import Connection
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.collections.seen import rights_of, seen
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.records.filters import parse_tree, renamed
from vivero_data.domain.records.query import Clause
from vivero_data.domain.records.where import compiled
from vivero_data.domain.roles.rights import CollectionRights, MissingRightError, Right
from vivero_data.domain.users.schemas import Actor

_NONE: Final = Clause("FALSE")


class Access(msgspec.Struct, frozen=True):
    """What an actor may do with one collection.

    Attributes:
        whole: the collection as it is stored, for writing and for the audit log.
        collection: as the actor sees it, without hidden fields.
        rows: what holds for every record that there is for the actor.
        rights: what their role says; None allows everything that their permissions do.
    """

    actor: Actor
    whole: Collection
    collection: Collection
    rows: tuple[Clause, ...] = ()
    rights: CollectionRights | None = None

    @property
    def unlimited(self) -> "Access":
        """The same for what no person reads: the audit log, the trash, messages to other systems."""
        return everything(self.actor, self.whole)

    @property
    def limited(self) -> bool:
        """Whether there are fields or records that the actor does not see, or fields that they may not write."""
        return self.rights is not None and bool(self.rights.where or self.rights.hidden or self.rights.read_only)

    @property
    def records(self) -> int:
        """How many the collection has: for what is slow, not for answers."""
        return self.whole.records

    def writable(self, field: Field) -> bool:
        return self.rights is None or field.id not in self.rights.read_only

    def has(self, right: Right) -> bool:
        return self.rights is None or self.rights.has(right)

    def require(self, right: Right) -> None:
        """Check a right.

        Raises:
            NotAllowedError: the actor's role does not have it on this collection.
        """
        if not self.has(right):
            raise MissingRightError(self.actor.role_name, right, self.collection.name)

    def require_whole(self) -> None:
        """Check that the actor sees all of the collection, adds to it and changes it, as an import does.

        Raises:
            NotAllowedError: their role does not allow that.
        """
        if self.limited:
            raise NotAllowedError(
                f"An import needs all records and fields of {self.collection.name}; your role {self.actor.role_name}"
                " is limited there."
            )
        self.require(Right.CREATE)
        self.require(Right.CHANGE)

    def read_only(self, numbers: Container[int], place: str = "") -> list[FieldError]:
        """The fields of a change that the actor may read only."""
        return [
            FieldError(f"{place}{field.name}", "is read only for your role")
            for field in self.collection.fields
            if field.id in numbers and not self.writable(field)
        ]


def everything(actor: Actor, collection: Collection) -> Access:
    """Access without limits, for what the workspace does itself."""
    return Access(actor, collection, collection)


def access_to(actor: Actor, collection: Collection) -> Access | None:
    """What the actor may do with a collection; None if there is no such collection for them."""
    shown = seen(actor, collection)
    rights = rights_of(actor, collection.id)
    if shown is None:
        return None
    return Access(actor, collection, shown, _rows(actor, collection, rights), rights)


def row_condition(collection: Collection, rights: CollectionRights) -> Clause | None:
    """What holds for the records that there are with these rights.

    Raises:
        InvalidInputError: it does not fit the collection any more.
    """
    if rights.where is None:
        return None
    names = {f"f{field.id}": field.name for field in collection.fields}
    return compiled(collection, renamed(parse_tree(rights.where), lambda reference: names.get(reference, reference)))


def _rows(actor: Actor, collection: Collection, rights: CollectionRights | None) -> tuple[Clause, ...]:
    """A condition that does not fit the collection any more lets nothing through."""
    if rights is None:
        return ()
    try:
        condition = row_condition(collection, rights)
    except InvalidInputError:
        return (_NONE,)
    return (condition.asked_by(actor.user_id),) if condition else ()


async def access_of(connection: Connection, actor: Actor, name: str) -> Access:
    """Access to the collection of this name.

    Raises:
        CollectionNotFoundError: there is none for the actor.
    """
    return found(actor, await collections.get(connection, tidy(name)))


async def access_to_write(tx: Connection, actor: Actor, name: str) -> Access:
    """The same; the fields stay as they are until this transaction ends: for who writes records."""
    return found(actor, await collections.get_held(tx, tidy(name)))


async def access_by_id(connection: Connection, actor: Actor, collection_id: int) -> Access | None:
    """Access to the collection of this number; None if there is none for the actor."""
    collection = await collections.get_by_id(connection, collection_id)
    return access_to(actor, collection) if collection else None


def found(actor: Actor, collection: Collection | None) -> Access:
    """Access to a collection that was looked up.

    Raises:
        CollectionNotFoundError: there is none for the actor.
    """
    allowed = access_to(actor, collection) if collection else None
    if allowed is None:
        raise CollectionNotFoundError
    return allowed
