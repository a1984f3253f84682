"""`/api/v1/trash`."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.trash.kinds import CannotRestoreError
from vivero_data.domain.trash.schemas import EntryId, Restored, Search, TrashItem
from vivero_data.domain.trash.service import EntryNotFoundError, TrashService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanLimitError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class TrashController(Controller):
    """What was deleted or changed, and comes back within 30 days."""

    path = "/trash"
    tags = ("Trash",)

    @get(guards=[needs(Permission.WRITE_RECORDS)])
    async def list_trash(
        self,
        actor: NamedDependency[Actor],
        trash: NamedDependency[TrashService],
        q: Search = "",
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[TrashItem]:
        """A page of the trash, the newest first."""
        return await trash.list(actor, q, limit, cursor)

    @post("/{entry_id:int}/restore", status_code=HTTP_200_OK, guards=[needs(Permission.WRITE_RECORDS)])
    @raises(CannotRestoreError, EntryNotFoundError, PlanLimitError)
    async def restore(
        self, actor: NamedDependency[Actor], trash: NamedDependency[TrashService], entry_id: EntryId
    ) -> Restored:
        """Bring something back."""
        return await trash.restore(actor, entry_id)
