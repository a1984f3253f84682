"""SQL of reports, and the one that runs them."""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.reports.compiler import Statement
from vivero_data.domain.reports.definition import Stored
from vivero_data.lib.json import decode, encode

_SELECT: Final = (
    "SELECT r.id, r.name, r.description, r.collection_id, COALESCE(c.label, c.name), r.definition, r.owner_id,"
    " COALESCE(u.email, ''), r.shared, r.created_at, r.updated_at"
    " FROM reports r LEFT JOIN collections c ON c.id = r.collection_id LEFT JOIN users u ON u.id = r.owner_id"
)


class Words(msgspec.Struct, frozen=True):
    """What people call a report, and who sees it."""

    name: str
    description: str
    shared: bool


class StoredReport(msgspec.Struct, frozen=True):
    """A row; `collection` is the present name of its collection, None when that is gone."""

    id: int
    words: Words
    collection_id: int
    collection: str | None
    stored: Stored
    owner_id: int
    owner: str
    created_at: datetime
    updated_at: datetime


async def select_page(connection: Connection, user_id: int, limit: int, below: int | None) -> list[StoredReport]:
    """What the user may see, the newest first; one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"{_SELECT} WHERE (r.shared OR r.owner_id = %s) AND (%s IS NULL OR r.id < %s) ORDER BY r.id DESC LIMIT %s",
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_report(row) for row in rows]


async def select_all(connection: Connection) -> list[StoredReport]:
    """The shared ones, and everybody's own."""
    return [_report(row) for row in await connection.fetch_all(f"{_SELECT} ORDER BY r.id")]


async def get(connection: Connection, report_id: int, user_id: int) -> StoredReport | None:
    """The report, if the user may see it."""
    row = await connection.fetch_one(f"{_SELECT} WHERE r.id = %s AND (r.shared OR r.owner_id = %s)", report_id, user_id)
    return _report(row) if row else None


async def count(tx: Connection) -> int:
    row = await tx.fetch_one("SELECT COUNT(*) FROM reports")
    return int(row[0]) if row else 0


async def insert(tx: Connection, collection_id: int, owner_id: int, words: Words, stored: Stored) -> int:
    return await tx.insert(
        "INSERT INTO reports (name, description, shared, definition, collection_id, owner_id)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        words.name,
        words.description,
        words.shared,
        encode(stored),
        collection_id,
        owner_id,
    )


async def update(tx: Connection, report_id: int, words: Words, stored: Stored) -> None:
    await tx.execute(
        "UPDATE reports SET name = %s, description = %s, shared = %s, definition = %s,"
        " updated_at = CURRENT_TIMESTAMP(6) WHERE id = %s",
        words.name,
        words.description,
        words.shared,
        encode(stored),
        report_id,
    )


async def delete(tx: Connection, report_id: int) -> None:
    await tx.execute("DELETE FROM reports WHERE id = %s", report_id)


async def run(connection: Connection, statement: Statement) -> list[Row]:
    return await connection.fetch_all(statement.sql, *statement.params)


def _report(row: Row) -> StoredReport:
    number, name, description, collection_id, collection, stored, owner_id, owner, shared, created, updated = row
    return StoredReport(
        id=number,
        words=Words(name, description, bool(shared)),
        collection_id=collection_id,
        collection=collection,
        stored=msgspec.convert(decode(stored), Stored),
        owner_id=owner_id,
        owner=owner,
        created_at=clock.utc(created),
        updated_at=clock.utc(updated),
    )
