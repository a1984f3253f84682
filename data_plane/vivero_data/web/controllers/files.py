"""Files: the list with its upload form, downloads, deletion."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from vivero_web.conditions import Conditions
from vivero_web.errors import InvalidInputError

from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import receive
from vivero_data.domain.usage.service import UsageService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web.forms import FORM_ERRORS
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html


@get("/files")
async def file_list(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    usage: NamedDependency[UsageService],
) -> Html:
    return await _list(request, visit, files, usage)


@post("/files")
async def upload_file(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    usage: NamedDependency[UsageService],
) -> Response[Any]:
    require(visit, Permission.WRITE_FILES, "upload files")
    try:
        await receive(request, files, lambda sent: files.upload(visit.actor, sent))
    except InvalidInputError as error:
        return await _list(request, visit, files, usage, problem="Choose a file first.", status=error.status)
    except FORM_ERRORS as error:
        return await _list(request, visit, files, usage, problem=error.detail, status=error.status)
    return done("/files", "file-uploaded")


@get("/files/{file_id:str}")
async def download_file(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    files: NamedDependency[FileService],
    file_id: FromPath[str],
) -> Stream:
    """The content, always as a download: an uploaded page must not run in the workspace's origin."""
    conditions = Conditions.of(request.method, request.headers)
    return await download(request, files, await files.get(actor, file_id), conditions, opaque=True)


@get("/files/{file_id:str}/delete")
async def confirm_delete_file(
    visit: NamedDependency[Visit], files: NamedDependency[FileService], file_id: FromPath[str]
) -> Html:
    require(visit, Permission.WRITE_FILES, "delete files")
    return show(visit, "files/delete.html.j2", {"file": await files.get(visit.actor, file_id)})


@post("/files/{file_id:str}/delete")
async def delete_file(
    visit: NamedDependency[Visit], files: NamedDependency[FileService], file_id: FromPath[str]
) -> Redirect:
    require(visit, Permission.WRITE_FILES, "delete files")
    await files.delete(visit.actor, file_id)
    return done("/files", "file-deleted")


async def _list(  # noqa: PLR0913  the services come by injection into two handlers
    request: Request[Any, Any, Any],
    visit: Visit,
    files: FileService,
    usage: UsageService,
    *,
    problem: str = "",
    status: int = 200,
) -> Html:
    here = address("/files", request.query_params.multi_items(), "cursor", "back")
    page = await files.list(visit.actor, cursor=here.get("cursor") or None)
    context = {
        "page": page,
        "page_links": page_links(here, page.next_cursor),
        "usage": await usage.get(visit.actor) if visit.can.read_usage else None,
        "max_bytes": files.max_bytes,
        "problem": problem,
    }
    return show(visit, "files/list.html.j2", context, status=status)
