"""SQL of comments."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection
from vivero_data.domain.comments.schemas import Comment, RecordComment

_COLUMNS: Final = "c.id, c.text, COALESCE(u.name, u.email, ''), c.user_id, c.created_at, c.edited_at"
_FROM: Final = "record_comments c LEFT JOIN users u ON u.id = c.user_id"


async def select_page(
    connection: Connection, collection_id: int, record_id: int, limit: int, above: int | None
) -> list[Comment]:
    """The oldest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE c.collection_id = %s AND c.record_id = %s AND c.id > %s"  # noqa: S608  fixed words
        " ORDER BY c.id LIMIT %s",
        collection_id,
        record_id,
        above or 0,
        limit + 1,
    )
    return [_comment(row) for row in rows]


async def select_of_collection(
    connection: Connection, collection_id: int, limit: int, above: int | None
) -> list[RecordComment]:
    """All comments of a collection with their records, the oldest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT c.record_id, {_COLUMNS} FROM {_FROM} WHERE c.collection_id = %s AND c.id > %s"  # noqa: S608  fixed words
        " ORDER BY c.id LIMIT %s",
        collection_id,
        above or 0,
        limit + 1,
    )
    return [
        RecordComment(**msgspec.structs.asdict(_comment(comment)), record_id=int(record_id))
        for record_id, *comment in rows
    ]


async def get(connection: Connection, collection_id: int, record_id: int, comment_id: int) -> Comment | None:
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE c.collection_id = %s AND c.record_id = %s AND c.id = %s",  # noqa: S608  fixed words
        collection_id,
        record_id,
        comment_id,
    )
    return _comment(row) if row else None


async def count(connection: Connection, collection_id: int, record_id: int) -> int:
    row = await connection.fetch_one(
        "SELECT COUNT(*) FROM record_comments WHERE collection_id = %s AND record_id = %s", collection_id, record_id
    )
    return int(row[0]) if row else 0


async def insert(tx: Connection, collection_id: int, record_id: int, user_id: int, text: str) -> int:
    return await tx.insert(
        "INSERT INTO record_comments (collection_id, record_id, user_id, text) VALUES (%s, %s, %s, %s)",
        collection_id,
        record_id,
        user_id,
        text,
    )


async def update(tx: Connection, comment_id: int, text: str) -> None:
    await tx.execute(
        "UPDATE record_comments SET text = %s, edited_at = CURRENT_TIMESTAMP(6) WHERE id = %s", text, comment_id
    )


async def delete(tx: Connection, comment_id: int) -> None:
    await tx.execute("DELETE FROM record_comments WHERE id = %s", comment_id)


def _comment(row: Sequence[Any]) -> Comment:
    number, text, author, author_id, created_at, edited_at = row
    edited = None if edited_at is None else clock.utc(edited_at)
    return Comment(int(number), text, author, int(author_id), clock.utc(created_at), edited)
