"""SQL of views."""

from datetime import datetime
from typing import Final

import msgspec

from vivero_data.db.database import Connection, Row
from vivero_data.domain.collections.names import fold
from vivero_data.domain.views.schemas import MAX_POSITION, ViewKind
from vivero_data.domain.views.spec import KeptSpec
from vivero_data.lib.json import decode, encode
from vivero_data.lib.like import like

_COLUMNS: Final = "id, name, kind, owner_id, scope, is_default, locked, position, spec, created_at, updated_at"
SHARED: Final = 0


class StoredView(msgspec.Struct, frozen=True):
    """A row; `scope` is 0 for a shared view, else its owner: names are unique in each."""

    id: int
    name: str
    kind: ViewKind
    owner_id: int
    scope: int
    default: bool
    locked: bool
    position: int
    spec: KeptSpec
    created_at: datetime
    updated_at: datetime

    @property
    def shared(self) -> bool:
        return self.scope == SHARED


class Placed(msgspec.Struct, frozen=True):
    """A view with the number and the name of its collection, which there is."""

    view: StoredView
    collection_id: int
    collection: str


async def insert(tx: Connection, collection_id: int, view: StoredView) -> int:
    """Add a view, one that comes back with the id that it had; returns its id.

    Raises:
        DuplicateKeyError: the scope has a view of this name.
    """
    return await tx.insert(
        "INSERT INTO views (id, collection_id, name, name_key, kind, owner_id, scope, is_default, locked, position, spec)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        view.id or None,
        collection_id,
        view.name,
        fold(view.name),
        view.kind.value,
        view.owner_id,
        view.scope,
        view.default,
        view.locked,
        view.position,
        encode(view.spec),
    )


async def update(tx: Connection, view: StoredView) -> None:
    """Store all of a view.

    Raises:
        DuplicateKeyError: the scope has a view of this name.
    """
    await tx.execute(
        "UPDATE views SET name = %s, name_key = %s, kind = %s, scope = %s, is_default = %s, locked = %s, position = %s, spec = %s,"
        " updated_at = CURRENT_TIMESTAMP(6) WHERE id = %s",
        view.name,
        fold(view.name),
        view.kind.value,
        view.scope,
        view.default,
        view.locked,
        view.position,
        encode(view.spec),
        view.id,
    )


async def no_default(tx: Connection, collection_id: int) -> None:
    """No view of the collection is its default any more."""
    await tx.execute("UPDATE views SET is_default = FALSE WHERE collection_id = %s AND is_default", collection_id)


async def delete(tx: Connection, view_id: int) -> None:
    """One that comes back from the trash is no favourite any more."""
    await tx.execute("DELETE FROM favourite_views WHERE view_id = %s", view_id)
    await tx.execute("DELETE FROM views WHERE id = %s", view_id)


async def add_favourite(tx: Connection, user_id: int, view_id: int) -> None:
    """No error if it is one already."""
    await tx.execute(
        "INSERT INTO favourite_views (user_id, view_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE user_id = user_id",
        user_id,
        view_id,
    )


async def remove_favourite(tx: Connection, user_id: int, view_id: int) -> None:
    await tx.execute("DELETE FROM favourite_views WHERE user_id = %s AND view_id = %s", user_id, view_id)


async def select_favourites(connection: Connection, user_id: int) -> list[Placed]:
    """What a person wants at hand of what they see, by name."""
    return await _among_all(
        connection, user_id, "v.id IN (SELECT view_id FROM favourite_views WHERE user_id = %s)", user_id
    )


async def search(connection: Connection, user_id: int, text: str, limit: int) -> list[Placed]:
    """The first by name, of those that a person sees, whose name contains the text."""
    condition, patterns = like("v.name_key", fold(text), anywhere=True)
    return await _among_all(connection, user_id, condition, *patterns, limit=limit)


async def _among_all(
    connection: Connection, user_id: int, condition: str, *params: object, limit: int | None = None
) -> list[Placed]:
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS}, collection_id, (SELECT COALESCE(c.label, c.name) FROM collections c WHERE c.id = v.collection_id)"  # noqa: S608  fixed words
        f" FROM views v WHERE v.scope IN (%s, %s) AND {condition} AND EXISTS (SELECT * FROM collections c WHERE c.id = v.collection_id)"
        f" ORDER BY v.name, v.id{'' if limit is None else ' LIMIT %s'}",
        SHARED,
        user_id,
        *params,
        *([] if limit is None else [limit]),
    )
    return [Placed(_view(row[:-2]), int(row[-2]), row[-1]) for row in rows]


async def count(connection: Connection, collection_id: int, scope: int) -> int:
    row = await connection.fetch_one(
        "SELECT COUNT(*) FROM views WHERE collection_id = %s AND scope = %s", collection_id, scope
    )
    return int(row[0]) if row else 0


async def next_position(connection: Connection, collection_id: int) -> int:
    row = await connection.fetch_one(
        "SELECT COALESCE(MAX(position), -1) + 1 FROM views WHERE collection_id = %s", collection_id
    )
    return min(int(row[0]), MAX_POSITION) if row else 0


async def select_page(
    connection: Connection, collection_id: int, user_id: int, limit: int, after: tuple[int, int] | None
) -> list[StoredView]:
    """What a user sees, by position; one more than the limit when there are more."""
    beyond = "(position, id) > (%s, %s)" if after else "TRUE"
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM views WHERE collection_id = %s AND scope IN (%s, %s) AND {beyond}"  # noqa: S608  fixed words
        " ORDER BY position, id LIMIT %s",
        collection_id,
        SHARED,
        user_id,
        *(after or ()),
        limit + 1,
    )
    return [_view(row) for row in rows]


async def select_all(connection: Connection, collection_id: int) -> list[StoredView]:
    """The shared ones, and everybody's own."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM views WHERE collection_id = %s ORDER BY position, id",  # noqa: S608  fixed words
        collection_id,
    )
    return [_view(row) for row in rows]


async def get(
    connection: Connection, collection_id: int, user_id: int, view_id: int, *, lock: bool = False
) -> StoredView | None:
    """A view that the user sees; with `lock` until this transaction ends."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM views WHERE id = %s AND collection_id = %s AND scope IN (%s, %s)"  # noqa: S608  fixed words
        f"{' FOR UPDATE' if lock else ''}",
        view_id,
        collection_id,
        SHARED,
        user_id,
    )
    return _view(row) if row else None


async def named(connection: Connection, collection_id: int, user_id: int, name: str) -> StoredView | None:
    """The user's own view of this name, or else the shared one."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM views WHERE collection_id = %s AND name_key = %s AND scope IN (%s, %s)"  # noqa: S608  fixed words
        " ORDER BY scope DESC LIMIT 1",
        collection_id,
        fold(name),
        SHARED,
        user_id,
    )
    return _view(row) if row else None


def _view(row: Row) -> StoredView:
    number, name, kind, owner_id, scope, default, locked, position, spec, created_at, updated_at = row
    return StoredView(
        id=number,
        name=name,
        kind=ViewKind(kind),
        owner_id=owner_id,
        scope=scope,
        default=bool(default),
        locked=bool(locked),
        position=position,
        spec=msgspec.convert(decode(spec), KeptSpec),
        created_at=created_at,
        updated_at=updated_at,
    )
