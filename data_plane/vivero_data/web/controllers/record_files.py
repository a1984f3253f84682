"""Files on the page of a record: in its fields, and attached to it."""

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from vivero_web.bodies import read_form
from vivero_web.conditions import Conditions
from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import FIELD, receive
from vivero_data.domain.records.files import RecordFileService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web.list_state import back_to_record
from vivero_data.web.page import Visit, done, require

PATH = "/collections/{name:str}/records/{record_id:int}/files"


@post(PATH)
async def add_record_file(  # noqa: PLR0913, PLR0917  path and services
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    record_files: NamedDependency[RecordFileService],
    files: NamedDependency[FileService],
    record_id: FromPath[int],
) -> Redirect:
    require(visit, Permission.WRITE_RECORDS, "add files")
    field = request.query_params.get("field", "")
    await record_files.check(visit.actor, collection.name, record_id, field)
    try:
        await receive(
            request, files, lambda sent: record_files.add(visit.actor, collection.name, record_id, field, sent)
        )
    except InvalidInputError as error:
        if any(one.field == FIELD for one in error.errors):
            raise InvalidInputError.of(FIELD, "is missing. Go back and choose one first") from error
        raise
    back = back_to_record(collection, record_id, request.query_params.get("shown", ""), "files")
    return done(back, "file-added")


@get(f"{PATH}/{{file_id:str}}")
async def download_record_file(  # noqa: PLR0913, PLR0917  path and services
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    record_files: NamedDependency[RecordFileService],
    files: NamedDependency[FileService],
    name: FromPath[str],
    record_id: FromPath[int],
    file_id: FromPath[str],
) -> Stream:
    """The content as a download; with `show` a picture is shown in the browser, and anything else still is a download."""
    file = await record_files.get(actor, name, record_id, file_id)
    conditions = Conditions.of(request.method, request.headers)
    return await download(request, files, file, conditions, opaque=True, inline="show" in request.query_params)


@post(f"{PATH}/{{file_id:str}}/remove")
async def remove_record_file(  # noqa: PLR0913, PLR0917  path and services
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    record_files: NamedDependency[RecordFileService],
    record_id: FromPath[int],
    file_id: FromPath[str],
) -> Redirect:
    require(visit, Permission.WRITE_RECORDS, "remove files")
    form = await read_form(request)
    entry = await record_files.remove(visit.actor, collection.name, record_id, form.get("field", ""), file_id)
    back = back_to_record(collection, record_id, form.get("shown", ""), "files")
    return done(back, "file-removed", entry=entry)
