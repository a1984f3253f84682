"""`/api/v1/files`."""

from dataclasses import dataclass
from typing import Annotated, Final

from litestar import Controller, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import PathParameter
from litestar.response import Stream
from vivero_web.conditions import ETAG, Conditions, provide_conditions
from vivero_web.declared import raises
from vivero_web.security import MULTIPART

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.field_types.file import ID_PATTERN
from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.schemas import FileTooLargeError, StoredFile, UploadsBusyError
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import receive
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanLimitError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

FileId = Annotated[str, PathParameter(description="The file's id.", schema_extra={"pattern": f"^{ID_PATTERN}$"})]
DOWNLOAD_HEADERS: Final = [
    ETAG,
    ResponseHeader(name="Accept-Ranges", description="Byte ranges are supported.", documentation_only=True),
    ResponseHeader(name="Content-Disposition", description="The file's name.", documentation_only=True),
    ResponseHeader(name="Last-Modified", description="When the file was uploaded.", documentation_only=True),
]


@dataclass
class UploadOperation(Operation):
    """Documents the form in OpenAPI; the handler reads the body itself, after authentication and a free upload slot."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, description="The content, with its name and media type.")
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        self.request_body = RequestBody(content={MULTIPART: OpenAPIMediaType(schema=form)}, required=True)


class FileController(Controller):
    """Upload, download and deletion of files; always served as attachments."""

    path = "/files"
    tags = ("Files",)
    dependencies = {"conditions": Provide(provide_conditions, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration

    @get()
    async def list_files(
        self,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[StoredFile]:
        """A page of files, newest first."""
        return await files.list(actor, limit, cursor)

    @post(operation_class=UploadOperation, guards=[needs(Permission.WRITE_FILES)])
    @raises(PlanLimitError, FileTooLargeError, UploadsBusyError)
    async def upload_file(
        self, request: AnyRequest, actor: NamedDependency[Actor], files: NamedDependency[FileService]
    ) -> StoredFile:
        """Store a file; counts against the plan."""
        return await receive(request, files, lambda sent: files.upload(actor, sent))

    @get("/{file_id:str}", response_headers=DOWNLOAD_HEADERS)
    async def download_file(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        file_id: FileId,
        conditions: NamedDependency[Conditions],
    ) -> Stream:
        """The content, or a byte range of it."""
        return await download(request, files, await files.get(actor, file_id), conditions)

    @delete("/{file_id:str}", guards=[needs(Permission.WRITE_FILES)])
    async def delete_file(
        self, actor: NamedDependency[Actor], files: NamedDependency[FileService], file_id: FileId
    ) -> None:
        """Remove a file."""
        await files.delete(actor, file_id)
