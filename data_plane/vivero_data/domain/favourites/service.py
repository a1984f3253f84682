"""A person's favourites, which their sidebar shows first. They are nobody else's, and no matter of the audit log."""

import builtins
from typing import Final

from vivero_web.errors import ConflictError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import CollectionSummary
from vivero_data.domain.collections.seen import as_seen
from vivero_data.domain.collections.service import shown_to
from vivero_data.domain.records.access import access_of
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.views import repository as views
from vivero_data.domain.views.repository import Placed
from vivero_data.domain.views.schemas import NamedView
from vivero_data.domain.views.service import ViewNotFoundError, named_among

MAX_FAVOURITES: Final = 20
"""More would push the rest of the sidebar out of sight."""


class FavouritesFullError(ConflictError):
    """A person has as many favourites as the sidebar shows."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_FAVOURITES} favourites, and there is no room for more. Remove one first.")


class FavouriteService:
    """Everybody's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor) -> list[CollectionSummary]:
        """Those whose collections are there, by name."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            found = await collections.select_favourites(connection, actor.user_id)
            return as_seen(found, await shown_to(connection, actor))

    async def views(self, actor: Actor) -> builtins.list[NamedView]:
        """The views among them that are there, by name."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return await named_among(connection, actor, await views.select_favourites(connection, actor.user_id))

    async def add_view(self, actor: Actor, name: str, view_id: int) -> None:
        """Raises FavouritesFullError; no error if it is one already."""
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            await _require_view(tx, actor, name, view_id)
            await _require_room(tx, actor)
            await views.add_favourite(tx, actor.user_id, view_id)

    async def remove_view(self, actor: Actor, name: str, view_id: int) -> None:
        """No error if it is none."""
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            await _require_view(tx, actor, name, view_id)
            await views.remove_favourite(tx, actor.user_id, view_id)

    async def add(self, actor: Actor, name: str) -> None:
        """Raises FavouritesFullError; no error if it is one already."""
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            access = await access_of(tx, actor, name)
            await _require_room(tx, actor)
            await tx.execute(
                "INSERT INTO favourites (user_id, collection_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE user_id = user_id",
                actor.user_id,
                access.whole.id,
            )

    async def remove(self, actor: Actor, name: str) -> None:
        """No error if it is none."""
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            access = await access_of(tx, actor, name)
            await tx.execute(
                "DELETE FROM favourites WHERE user_id = %s AND collection_id = %s", actor.user_id, access.whole.id
            )


async def _require_room(tx: Connection, actor: Actor) -> None:
    """Of two that are added at once, one more than the bound does no harm: the sidebar shows the first by name."""
    own = await collections.select_favourites(tx, actor.user_id)
    if len(own) + len(await views.select_favourites(tx, actor.user_id)) >= MAX_FAVOURITES:
        raise FavouritesFullError


async def _require_view(tx: Connection, actor: Actor, name: str, view_id: int) -> None:
    """Raises ViewNotFoundError: the actor sees no such view."""
    access = await access_of(tx, actor, name)
    found = await views.get(tx, access.whole.id, actor.user_id, view_id)
    if not found or not await named_among(tx, actor, [Placed(found, access.whole.id, access.whole.name)]):
        raise ViewNotFoundError
