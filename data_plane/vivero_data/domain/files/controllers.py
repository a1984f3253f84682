"""`/api/v1/files`."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream
from vivero_web.guards import MULTIPART

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import receive
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.pages import DEFAULT_LIMIT, MAX_LIMIT, Page


@dataclass
class UploadOperation(Operation):
    """The form in the OpenAPI document; the handler reads it itself, once it knows who sends it and has room."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        self.request_body = RequestBody(content={MULTIPART: OpenAPIMediaType(schema=form)}, required=True)


class FileController(Controller):
    """Content in, content out; always as a download."""

    path = "/files"
    tags = ("Files",)

    @get()
    async def list_files(
        self,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[StoredFile]:
        """A page of files, newest first."""
        return await files.list(actor, limit, cursor)

    @post(operation_class=UploadOperation, guards=[needs(Role.MEMBER)])
    async def upload_file(
        self, request: AnyRequest, actor: NamedDependency[Actor], files: NamedDependency[FileService]
    ) -> StoredFile:
        """Store a file; counts against the plan."""
        return await receive(request, actor, files)

    @get("/{file_id:str}")
    async def download_file(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        file_id: FromPath[str],
    ) -> Stream:
        """The content, or with a Range header a part of it."""
        answer = await download(request, actor, files, file_id)
        answer.headers["content-security-policy"] = "default-src 'none'; sandbox"
        return answer

    @delete("/{file_id:str}")
    async def delete_file(
        self, actor: NamedDependency[Actor], files: NamedDependency[FileService], file_id: FromPath[str]
    ) -> None:
        """Remove a file."""
        await files.delete(actor, file_id)
