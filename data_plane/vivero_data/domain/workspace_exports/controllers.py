"""`/api/v1/workspace-exports`."""

from functools import partial

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.response import Stream
from litestar.status_codes import HTTP_202_ACCEPTED
from vivero_web.conditions import Conditions, provide_conditions
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.files.controllers import DOWNLOAD_HEADERS
from vivero_data.domain.files.downloads import sent
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobsFullError
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport, WorkspaceExportId, WorkspaceExportRunningError
from vivero_data.domain.workspace_exports.service import MEDIA_TYPE, WorkspaceExportService, as_file
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class WorkspaceExportController(Controller):
    """Everything that is in the workspace, as one ZIP; for owners."""

    path = "/workspace-exports"
    tags = ("Workspace",)
    guards = (needs(Permission.EXPORT_WORKSPACE),)
    dependencies = {"conditions": Provide(provide_conditions, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration

    @get()
    async def list_workspace_exports(
        self,
        actor: NamedDependency[Actor],
        workspace_exports: NamedDependency[WorkspaceExportService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[WorkspaceExport]:
        """What can be downloaded: the newest export, for seven days."""
        return await workspace_exports.list(actor, limit, cursor)

    @post(status_code=HTTP_202_ACCEPTED)
    @raises(WorkspaceExportRunningError, JobsFullError)
    async def export_workspace(
        self, actor: NamedDependency[Actor], workspace_exports: NamedDependency[WorkspaceExportService]
    ) -> Job:
        """Have a new one made, which takes the place of the one before; the job's result has its number."""
        return await workspace_exports.start(actor)

    @get("/{export_id:int}")
    async def get_workspace_export(
        self,
        actor: NamedDependency[Actor],
        workspace_exports: NamedDependency[WorkspaceExportService],
        export_id: WorkspaceExportId,
    ) -> WorkspaceExport:
        """How large it is, and until when it is kept."""
        return await workspace_exports.get(actor, export_id)

    @get("/{export_id:int}/content", response_headers=DOWNLOAD_HEADERS)
    async def download_workspace_export(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        workspace_exports: NamedDependency[WorkspaceExportService],
        export_id: WorkspaceExportId,
        conditions: NamedDependency[Conditions],
    ) -> Stream:
        """The ZIP, or a byte range of it."""
        export = await workspace_exports.get(actor, export_id)
        content = partial(workspace_exports.content, actor, export)
        return await sent(request, as_file(export), content, conditions, MEDIA_TYPE)

    @delete("/{export_id:int}")
    async def delete_workspace_export(
        self,
        actor: NamedDependency[Actor],
        workspace_exports: NamedDependency[WorkspaceExportService],
        export_id: WorkspaceExportId,
    ) -> None:
        """Remove it before its time."""
        await workspace_exports.delete(actor, export_id)
