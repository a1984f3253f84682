"""`/api/v1/collections/{name}/records/{record_id}/files`."""

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream
from vivero_web.conditions import Conditions, provide_conditions
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART, CollectionName
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.files.controllers import DOWNLOAD_HEADERS, FileId, UploadOperation
from vivero_data.domain.files.downloads import download
from vivero_data.domain.files.schemas import FileTooLargeError, UploadsBusyError
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import receive
from vivero_data.domain.records.controllers import RecordId
from vivero_data.domain.records.files import FilesFullError, RecordFileService
from vivero_data.domain.records.schemas import RecordFiles
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanLimitError

FieldName = Annotated[
    str,
    QueryParameter(
        max_length=MAX_NAME * APART, description="The field's name; of what is attached to the record: nothing."
    ),
]


class RecordFileController(Controller):
    """The files of a record."""

    path = "/collections/{name:str}/records/{record_id:int}/files"
    tags = ("Files of records",)
    dependencies = {"conditions": Provide(provide_conditions, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration

    @get()
    async def list_record_files(
        self,
        actor: NamedDependency[Actor],
        record_files: NamedDependency[RecordFileService],
        name: CollectionName,
        record_id: RecordId,
    ) -> RecordFiles:
        """All files of the record."""
        return await record_files.list(actor, name, record_id)

    @get("/{file_id:str}", response_headers=DOWNLOAD_HEADERS)
    async def download_record_file(  # noqa: PLR0913, PLR0917  path and services
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        record_files: NamedDependency[RecordFileService],
        files: NamedDependency[FileService],
        name: CollectionName,
        record_id: RecordId,
        file_id: FileId,
        conditions: NamedDependency[Conditions],
    ) -> Stream:
        """The content, or a byte range of it: for all who may read the record."""
        return await download(request, files, await record_files.get(actor, name, record_id, file_id), conditions)

    @delete("/{file_id:str}", guards=[needs(Permission.WRITE_RECORDS)])
    async def remove_record_file(  # noqa: PLR0913, PLR0917  path, query and services
        self,
        actor: NamedDependency[Actor],
        record_files: NamedDependency[RecordFileService],
        name: CollectionName,
        record_id: RecordId,
        file_id: FileId,
        field: FieldName = "",
    ) -> None:
        """Take a file out of a field, or from what is attached; the trash has it for 30 days."""
        await record_files.remove(actor, name, record_id, field, file_id)

    @post(operation_class=UploadOperation, guards=[needs(Permission.WRITE_RECORDS)])
    @raises(PlanLimitError, FileTooLargeError, UploadsBusyError, FilesFullError)
    async def add_record_file(  # noqa: PLR0913, PLR0917  path, query and services
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        record_files: NamedDependency[RecordFileService],
        files: NamedDependency[FileService],
        name: CollectionName,
        record_id: RecordId,
        field: FieldName = "",
    ) -> RecordFile:
        """Upload a file into a field of the record, or attach it to the record; counts against the plan."""
        await record_files.check(actor, name, record_id, field)
        return await receive(request, files, lambda sent: record_files.add(actor, name, record_id, field, sent))
