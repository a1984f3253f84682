"""The workspace's notation: one row, which everybody reads and administrators write."""

from functools import lru_cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.fields import documented

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.notation import UNSET, Dates, Notation, Numbers

MAX_ZONE: Final = 64
_NO_PLACES: Final = ("Etc/", "SystemV/", "US/", "posix/", "right/")

TimeZone = Annotated[
    str, documented("The time zone of the pages: an IANA name such as Europe/Berlin.", minLength=1, maxLength=MAX_ZONE)
]
NumberNotation = Annotated[
    Numbers | None,
    msgspec.Meta(description="How pages write 1234.5, and read numbers; null: as typed, if it has one meaning alone."),
]
DateNotation = Annotated[
    Dates | None,
    msgspec.Meta(
        description="How pages write 29 November 2026, and read dates; null: as typed, if it has one meaning."
    ),
]


class WorkspaceSettings(msgspec.Struct, frozen=True):
    """What people chose for their workspace. The API itself keeps to ISO 8601 and plain numbers."""

    time_zone: TimeZone
    number_notation: NumberNotation
    date_notation: DateNotation

    @property
    def notation(self) -> Notation:
        return Notation(self.number_notation, self.date_notation, self.time_zone)


class SettingsChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings to change; what is left out stays."""

    time_zone: TimeZone | msgspec.UnsetType = msgspec.UNSET
    number_notation: NumberNotation | msgspec.UnsetType = msgspec.UNSET
    date_notation: DateNotation | msgspec.UnsetType = msgspec.UNSET


_SELECT: Final = "SELECT time_zone, number_notation, date_notation FROM workspace_settings"
_DEFAULT: Final = WorkspaceSettings(UNSET.zone, UNSET.numbers, UNSET.dates)


class NotationService:
    """Reads and changes the settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> Notation:
        """What pages are written in."""
        async with self._database.read() as connection:
            return await notation_of(connection)

    async def get(self, actor: Actor) -> WorkspaceSettings:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return await settings_of(connection)

    async def change(self, actor: Actor, changes: SettingsChanges) -> WorkspaceSettings:
        """Change some of the settings.

        Raises:
            InvalidInputError: there is no such time zone.
        """
        require_permission(actor, Permission.MANAGE_WORKSPACE)
        said = said_in(changes)
        if "time_zone" in said:
            require_zone(said["time_zone"])
        async with self._database.transaction() as tx:
            before = await settings_of(tx, lock=True)
            after = msgspec.structs.replace(before, **said)
            if after != before:
                await _save(tx, after)
                old, new = _told(before), _told(after)
                await record(tx, actor, "workspace.settings", "settings", before=old, after=new)
        return after


def said_in(changes: msgspec.Struct) -> dict[str, Any]:
    """What changes name, without what they leave out."""
    return {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}


def require_zone(name: str) -> None:
    """Check that there is such a time zone.

    Raises:
        InvalidInputError: there is none.
    """
    if name not in time_zones():
        raise InvalidInputError.of("time_zone", "must be the IANA name of a time zone, such as Europe/Berlin")


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The names of places that have a time zone, and UTC."""
    return frozenset(
        name
        for name in available_timezones()
        if name == UNSET.zone or ("/" in name and not name.startswith(_NO_PLACES))
    )


def _told(settings: WorkspaceSettings) -> dict[str, Any]:
    return msgspec.structs.asdict(settings)


async def notation_of(connection: Connection) -> Notation:
    """What pages are written in, and what is typed in them is read in."""
    return (await settings_of(connection)).notation


async def settings_of(connection: Connection, *, lock: bool = False) -> WorkspaceSettings:
    """The settings; with `lock` until this transaction ends."""
    row = await connection.fetch_one(f"{_SELECT} FOR UPDATE" if lock else _SELECT)
    if row is None:
        return _DEFAULT
    zone, numbers, dates = row
    return WorkspaceSettings(str(zone), Numbers(numbers) if numbers else None, Dates(dates) if dates else None)


async def _save(tx: Connection, settings: WorkspaceSettings) -> None:
    await tx.execute(
        "INSERT INTO workspace_settings (time_zone, number_notation, date_notation) VALUES (%s, %s, %s)"
        " ON DUPLICATE KEY UPDATE time_zone = VALUES(time_zone), number_notation = VALUES(number_notation),"
        " date_notation = VALUES(date_notation)",
        settings.time_zone,
        settings.number_notation,
        settings.date_notation,
    )
