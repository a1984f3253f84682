"""`/api/v1/collections/{name}/views`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED
from vivero_web.declared import raises
from vivero_web.errors import NotAllowedError

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobService, JobsFullError
from vivero_data.domain.records.controllers import AllowSlow
from vivero_data.domain.records.indexing import AddIndex, NewIndex
from vivero_data.domain.records.lists import SlowListError
from vivero_data.domain.records.schemas import Group, RecordQuery, RecordTotals
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.views.schemas import NewView, View, ViewChanges, ViewId
from vivero_data.domain.views.service import BrokenViewError, ViewNameTakenError, ViewService, ViewsFullError, through
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class ViewController(Controller):
    """Saved views; those of one's own are seen by nobody else."""

    path = "/collections/{name:str}/views"
    tags = ("Views",)

    @get()
    async def list_views(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[View]:
        """A page of the shared views and the caller's own, by position."""
        return await views.list(actor, name, limit, cursor)

    @post()
    @raises(NotAllowedError, ViewNameTakenError, ViewsFullError)
    async def create_view(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        data: JSONBody[NewView],
    ) -> View:
        """Save a view; a shared one needs the right to write records, the default one that to manage collections."""
        return await views.create(actor, name, data)

    @get("/{view_id:int}")
    async def get_view(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        view_id: ViewId,
    ) -> View:
        """One view."""
        return await views.get(actor, name, view_id)

    @get("/{view_id:int}/totals")
    @raises(BrokenViewError, SlowListError)
    async def get_totals(  # noqa: PLR0913  services and parameters
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        records: NamedDependency[RecordService],
        name: CollectionName,
        view_id: ViewId,
        *,
        allow_slow: AllowSlow = False,
    ) -> RecordTotals:
        """What stands below the view's columns, over all of its records."""
        view = await views.get(actor, name, view_id)
        query = through(view, RecordQuery(allow_slow=allow_slow))
        return RecordTotals(await records.totals(actor, name, query, view.sums))

    @get("/{view_id:int}/groups")
    @raises(BrokenViewError, SlowListError)
    async def list_groups(  # noqa: PLR0913, PLR0917  services and parameters
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        records: NamedDependency[RecordService],
        name: CollectionName,
        view_id: ViewId,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
        *,
        allow_slow: AllowSlow = False,
    ) -> Page[Group]:
        """A page of the view's groups in its order, each with how many records it has and their totals; none if it has no `group_by`."""
        view = await views.get(actor, name, view_id)
        query = through(view, RecordQuery(limit=limit, cursor=cursor, allow_slow=allow_slow))
        if view.group_by is None:
            return Page([])
        return await records.groups(actor, name, query, view.sums)

    @post("/{view_id:int}/copy")
    @raises(BrokenViewError, ViewsFullError)
    async def copy_view(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        view_id: ViewId,
    ) -> View:
        """Make a view of the caller's own that shows the same."""
        return await views.copy(actor, name, view_id)

    @patch("/{view_id:int}")
    @raises(NotAllowedError, ViewNameTakenError)
    async def change_view(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        view_id: ViewId,
        data: JSONBody[ViewChanges],
    ) -> View:
        """Set some parts of one's own view; of others' shared ones and of locked ones with the right to manage collections."""
        return await views.change(actor, name, view_id, data)

    @delete("/{view_id:int}")
    @raises(NotAllowedError)
    async def delete_view(
        self,
        actor: NamedDependency[Actor],
        views: NamedDependency[ViewService],
        name: CollectionName,
        view_id: ViewId,
    ) -> None:
        """Remove one's own view; others' shared ones and locked ones with the right to manage collections."""
        await views.delete(actor, name, view_id)


class IndexController(Controller):
    """Indexes for lists of large collections."""

    path = "/collections/{name:str}/indexes"
    tags = ("Views",)

    @post(status_code=HTTP_202_ACCEPTED, guards=[needs(Permission.MANAGE_COLLECTIONS)])
    @raises(JobsFullError)
    async def add_index(
        self,
        actor: NamedDependency[Actor],
        jobs: NamedDependency[JobService],
        name: CollectionName,
        data: JSONBody[NewIndex],
    ) -> Job:
        """Have an index added, the one that `slow-list` names; records are read and written meanwhile."""
        return await jobs.start(actor, Permission.MANAGE_COLLECTIONS, AddIndex(name, tuple(data.columns)))
