"""SQL of what has been done with a workspace."""

from vivero_data.db.database import Connection


async def signs(connection: Connection) -> tuple[bool, bool, bool]:
    """Whether a file was imported, whether there is an API key, and whether a person came back a day after they began."""
    row = await connection.fetch_one(
        "SELECT EXISTS (SELECT 1 FROM imports WHERE state = 'done' AND NOT dry_run), EXISTS (SELECT 1 FROM api_keys),"
        " EXISTS (SELECT 1 FROM sessions JOIN users ON users.id = sessions.user_id"
        " WHERE sessions.last_seen_at >= users.created_at + INTERVAL 1 DAY)"
    )
    assert row is not None  # noqa: S101  such a question has one answer
    imported, has_api_key, returned = map(bool, row)
    return imported, has_api_key, returned
