"""A person's own sessions: where they are logged in, and how that ends."""

from typing import Final

from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.auth import repository
from vivero_data.domain.sessions.schemas import SessionNotFoundError, SessionView
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"


class SessionService:
    """The caller's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[SessionView]:
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_sessions(connection, actor, limit, below)
        return page_of(found, limit, lambda session: cursors.by_id(_SORT, session.id))

    async def end(self, actor: Actor, session_id: int) -> None:
        """End one; its access token ends with it.

        Raises:
            SessionNotFoundError: the actor has none of this number.
        """
        async with self._database.transaction() as tx:
            if not await repository.revoke_own(tx, actor.user_id, session_id):
                raise SessionNotFoundError
            await record(tx, actor, "session.revoke", actor.email)

    async def end_others(self, actor: Actor) -> int:
        """End all but the one that asks; how many."""
        async with self._database.transaction() as tx:
            ended = await repository.revoke_all(tx, actor.user_id, but=actor.session_id)
            if ended:
                await record(tx, actor, "session.revoke_others", actor.email, after={"sessions": ended})
        return ended
