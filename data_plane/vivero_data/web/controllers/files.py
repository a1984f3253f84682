"""Files: the list with its upload form, one file's content, its end."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from vivero_ui.filters import bytes_
from vivero_web.errors import TooLargeError

from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.service import FileService
from vivero_data.domain.usage.service import UsageService
from vivero_data.domain.users.schemas import Actor
from vivero_data.settings import Settings
from vivero_data.web.forms import FORM_ERRORS
from vivero_data.web.listing import address, turns
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html
from vivero_data.web.rights import require_writer

_FORM_BYTES: Final = 64 * 1024  # what multipart adds around a file


@get("/files")
async def file_list(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    usage: NamedDependency[UsageService],
    settings: NamedDependency[Settings],
) -> Html:
    return await _list(request, visit, files, usage, settings)


@post("/files", request_max_body_size=None)  # bounded by _check_length instead, which knows the settings
async def upload_file(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    usage: NamedDependency[UsageService],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    require_writer(visit, "upload files")
    _check_length(request, settings.env.max_file_bytes)
    async with files.upload_slot():
        sent = (await request.form()).get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            return await _list(request, visit, files, usage, settings, problem="Choose a file first.", status=422)
        try:
            await files.upload(visit.actor, sent)
        except FORM_ERRORS as error:
            return await _list(request, visit, files, usage, settings, problem=error.detail, status=error.status)
    return done("/files", "file-uploaded")


@get("/files/{file_id:str}")
async def download_file(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    files: NamedDependency[FileService],
    file_id: FromPath[str],
) -> Stream:
    """The content, always as a download: an uploaded page must not run in the workspace's origin."""
    return await download(request, actor, files, file_id, "application/octet-stream")


@get("/files/{file_id:str}/delete")
async def confirm_delete_file(
    visit: NamedDependency[Visit], files: NamedDependency[FileService], file_id: FromPath[str]
) -> Html:
    require_writer(visit, "delete files")
    return show(visit, "files/delete.html.j2", {"file": await files.get(visit.actor, file_id)})


@post("/files/{file_id:str}/delete")
async def delete_file(
    visit: NamedDependency[Visit], files: NamedDependency[FileService], file_id: FromPath[str]
) -> Redirect:
    require_writer(visit, "delete files")
    await files.delete(visit.actor, file_id)
    return done("/files", "file-deleted")


def _check_length(request: Request[Any, Any, Any], max_bytes: int) -> None:
    """Refuse a body before it is read, by the length that the server holds its sender to.

    Raises:
        TooLargeError: it is larger than a file may be, or does not say how large it is.
    """
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > max_bytes + _FORM_BYTES:
        raise TooLargeError(f"A file can have at most {bytes_(max_bytes)}.")


async def _list(  # noqa: PLR0913  the services come by injection into two handlers
    request: Request[Any, Any, Any],
    visit: Visit,
    files: FileService,
    usage: UsageService,
    settings: Settings,
    *,
    problem: str = "",
    status: int = 200,
) -> Html:
    here = address("/files", request.query_params.multi_items(), "cursor", "back")
    page = await files.list(visit.actor, cursor=here.get("cursor") or None)
    context = {
        "page": page,
        "turns": turns(here, page.next_cursor),
        "usage": await usage.get(visit.actor),
        "max_bytes": settings.env.max_file_bytes,
        "problem": problem,
    }
    return show(visit, "files/list.html.j2", context, status=status)
