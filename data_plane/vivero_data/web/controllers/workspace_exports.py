"""The export of the whole workspace: how far it is, its download, its end."""

from functools import partial
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from vivero_web.conditions import Conditions

from vivero_data.domain.files.downloads import sent
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.workspace_exports.job import KIND
from vivero_data.domain.workspace_exports.schemas import KEPT_FOR
from vivero_data.domain.workspace_exports.service import MEDIA_TYPE, WorkspaceExportService, as_file
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.page import Visit, done, require_owner, show
from vivero_data.web.render import Html

PAGE: Final = "/workspace-export"
_ACTION: Final = "export the whole workspace"


@get(PAGE)
async def workspace_export_page(
    visit: NamedDependency[Visit],
    workspace_exports: NamedDependency[WorkspaceExportService],
    jobs: NamedDependency[JobService],
) -> Html:
    require_owner(visit, Permission.EXPORT_WORKSPACE, _ACTION)
    found = (await workspace_exports.list(visit.actor)).items
    asked = [job for job in (await jobs.list(visit.actor, MAX_LIMIT)).items if job.kind == KIND]
    context = {"export": found[0] if found else None, "job": asked[0] if asked else None, "kept": KEPT_FOR.days}
    return show(visit, "workspace_export.html.j2", context)


@post(PAGE)
async def export_workspace(
    visit: NamedDependency[Visit], workspace_exports: NamedDependency[WorkspaceExportService]
) -> Response[Any]:
    require_owner(visit, Permission.EXPORT_WORKSPACE, _ACTION)
    await workspace_exports.start(visit.actor)
    return done(PAGE)


@get(f"{PAGE}/{{export_id:int}}/content")
async def download_workspace_export(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    workspace_exports: NamedDependency[WorkspaceExportService],
    export_id: FromPath[int],
) -> Stream:
    export = await workspace_exports.get(actor, export_id)
    conditions = Conditions.of(request.method, request.headers)
    content = partial(workspace_exports.content, actor, export)
    return await sent(request, as_file(export), content, conditions, MEDIA_TYPE)


@post(f"{PAGE}/{{export_id:int}}/delete")
async def delete_workspace_export(
    visit: NamedDependency[Visit],
    workspace_exports: NamedDependency[WorkspaceExportService],
    export_id: FromPath[int],
) -> Response[Any]:
    require_owner(visit, Permission.EXPORT_WORKSPACE, _ACTION)
    await workspace_exports.delete(visit.actor, export_id)
    return done(PAGE, "workspace-export-deleted")
