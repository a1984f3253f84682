"""A person's own notation: a row for who wants another one than the workspace's, in whole or in part."""

from typing import Annotated, Final

import msgspec
from vivero_web.fields import documented

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.notation.service import MAX_ZONE, require_zone, said_in
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.notation import UNSET, Dates, Notation, Numbers

OwnZone = (
    Annotated[str, documented("A time zone of one's own; null: the workspace's.", minLength=1, maxLength=MAX_ZONE)]
    | None
)
OwnNumbers = Annotated[
    Numbers | None, msgspec.Meta(description="How numbers are written; null: as the workspace does.")
]
OwnDates = Annotated[Dates | None, msgspec.Meta(description="How dates are written; null: as the workspace does.")]


class PersonNotation(msgspec.Struct, frozen=True):
    """How pages write for one person, where that is not as for the workspace."""

    time_zone: OwnZone = None
    number_notation: OwnNumbers = None
    date_notation: OwnDates = None


class PersonNotationChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of it; what is left out stays."""

    time_zone: OwnZone | msgspec.UnsetType = msgspec.UNSET
    number_notation: OwnNumbers | msgspec.UnsetType = msgspec.UNSET
    date_notation: OwnDates | msgspec.UnsetType = msgspec.UNSET


_SELECT: Final = "SELECT time_zone, number_notation, date_notation FROM person_notation WHERE user_id = %s"
_EFFECTIVE: Final = (
    "SELECT COALESCE(p.time_zone, s.time_zone), COALESCE(p.number_notation, s.number_notation),"
    " COALESCE(p.date_notation, s.date_notation) FROM (SELECT 1) one"
    " LEFT JOIN workspace_settings s ON TRUE LEFT JOIN person_notation p ON p.user_id = %s"
)


class PersonNotationService:
    """Reads and changes the caller's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def effective(self, actor: Actor) -> Notation:
        """What pages are written in for them."""
        async with self._database.read() as connection:
            return await notation_for(connection, actor)

    async def get(self, actor: Actor) -> PersonNotation:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return await _own(connection, actor)

    async def change(self, actor: Actor, changes: PersonNotationChanges) -> PersonNotation:
        """Change some of it.

        Raises:
            InvalidInputError: there is no such time zone.
        """
        require_permission(actor, Permission.READ)
        said = said_in(changes)
        if said.get("time_zone") is not None:
            require_zone(said["time_zone"])
        async with self._database.transaction() as tx:
            before = await _own(tx, actor, lock=True)
            after = msgspec.structs.replace(before, **said)
            if after != before:
                await _save(tx, actor, after)
                old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
                await record(tx, actor, "user.notation", actor.email, before=old, after=new)
        return after


async def notation_for(connection: Connection, actor: Actor) -> Notation:
    """What pages are written in for a person, and what they type is read in: theirs, else the workspace's."""
    row = await connection.fetch_one(_EFFECTIVE, actor.user_id)
    zone, numbers, dates = row or (None, None, None)
    return Notation(Numbers(numbers) if numbers else None, Dates(dates) if dates else None, str(zone or UNSET.zone))


async def _own(connection: Connection, actor: Actor, *, lock: bool = False) -> PersonNotation:
    row = await connection.fetch_one(f"{_SELECT} FOR UPDATE" if lock else _SELECT, actor.user_id)
    zone, numbers, dates = row or (None, None, None)
    return PersonNotation(zone, Numbers(numbers) if numbers else None, Dates(dates) if dates else None)


async def _save(tx: Connection, actor: Actor, notation: PersonNotation) -> None:
    await tx.execute(
        "INSERT INTO person_notation (user_id, time_zone, number_notation, date_notation) VALUES (%s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE time_zone = VALUES(time_zone), number_notation = VALUES(number_notation),"
        " date_notation = VALUES(date_notation)",
        actor.user_id,
        notation.time_zone,
        notation.number_notation,
        notation.date_notation,
    )
