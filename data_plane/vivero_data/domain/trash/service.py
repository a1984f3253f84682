"""What was deleted or changed within the last 30 days, and how it comes back."""

from datetime import timedelta
from typing import Final

from vivero_web import clock
from vivero_web.errors import NotFoundError

from vivero_data.db.database import Database
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.fields import FieldService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.records.access import access_to
from vivero_data.domain.trash import repository
from vivero_data.domain.trash.kinds import KINDS, CannotRestoreError, Scene, Tools
from vivero_data.domain.trash.repository import Entry
from vivero_data.domain.trash.schemas import Restored, TrashItem
from vivero_data.domain.users.schemas import Actor, Permission, require_permission, roles_needed
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

KEPT: Final = timedelta(days=30)
_SORT: Final = "-id"


class EntryNotFoundError(NotFoundError):
    """The trash has no such entry."""

    def __init__(self) -> None:
        super().__init__("The trash has nothing of this number; it was restored, or its 30 days are over.")


class TrashService:
    """Members see the trash, and bring back what they may change."""

    def __init__(self, database: Database, limits: LimitService, fields: FieldService) -> None:
        self._database = database
        self._tools = Tools(database, limits, fields)

    async def list(
        self, actor: Actor, search: str = "", limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[TrashItem]:
        """A page of what there is, the newest first."""
        require_permission(actor, Permission.WRITE_RECORDS)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            by = actor.email if actor.own else None
            found = await repository.select_page(connection, search.strip(), clock.now() - KEPT, limit, below, by)
            scene = Scene({one.id: one for one in await collections.select_all(connection)} if found else {})
        page = page_of(found, limit, lambda entry: cursors.by_id(_SORT, entry.id))
        items = [_item(actor, scene, one) for one in page.items if is_there(actor, scene, one)]
        if actor.own:  # nor is it found by a name that is not shown
            items = [one for one in items if search.strip().casefold() in one.name.casefold()]
        return Page(items, page.next_cursor)

    async def restore(self, actor: Actor, entry_id: int) -> Restored:
        """Bring something back.

        Raises:
            CannotRestoreError: as things are, it cannot come back.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.read() as connection:
            entry = await repository.get(connection, entry_id)
            if entry is None or entry.deleted_at <= clock.now() - KEPT:
                raise EntryNotFoundError
            scene = Scene({one.id: one for one in await collections.select_all(connection)})
        if not is_there(actor, scene, entry):
            raise EntryNotFoundError
        kind = KINDS[entry.kind]
        require_permission(actor, kind.permission)
        problem = kind.obstacle(scene, entry)
        if problem:
            raise CannotRestoreError(problem)
        return Restored(entry.kind, _name(actor, scene, entry), await kind.restore(self._tools, actor, entry))

    async def destroy_expired(self, batch: int) -> int:
        """Remove for good what was kept for 30 days; returns how much."""
        async with self._database.read() as connection:
            expired = await repository.select_expired(connection, clock.now() - KEPT, batch)
            for entry in expired:
                await KINDS[entry.kind].destroy(connection, entry)
                await repository.remove(connection, entry.id)
        return len(expired)


def is_there(actor: Actor, scene: Scene, entry: Entry) -> bool:
    """Whether there is such an entry for the actor.

    With a role of the workspace's own: what they put there themselves, of a collection where they may still do that.
    """
    if actor.own is None:
        return True
    collection, right = scene.of(entry), KINDS[entry.kind].right
    access = access_to(actor, collection) if collection else None
    return bool(access and entry.deleted_by == actor.email and (right is None or access.has(right)))


def _name(actor: Actor, scene: Scene, entry: Entry) -> str:
    """What the entry is called; not by a field that a role of the workspace's own does not see any more."""
    collection, kind = scene.of(entry), KINDS[entry.kind]
    number = kind.named_by(entry)
    access = access_to(actor, collection) if actor.own and collection else None
    if access is None or number is None or any(field.id == number for field in access.collection.fields):
        return entry.name
    return f"{kind.label} of {access.collection.name}"


def _item(actor: Actor, scene: Scene, entry: Entry) -> TrashItem:
    kind = KINDS[entry.kind]
    reason = kind.obstacle(scene, entry)
    if not actor.may(kind.permission):
        reason = f"This needs {roles_needed(kind.permission)}."
    until = entry.deleted_at + KEPT
    return TrashItem(
        entry.id,
        entry.kind,
        _name(actor, scene, entry),
        entry.items,
        entry.deleted_at,
        entry.deleted_by,
        until,
        reason is None,
        reason,
    )
