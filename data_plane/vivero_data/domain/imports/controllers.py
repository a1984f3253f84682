"""`/api/v1/imports`, and imports into a collection."""

from dataclasses import dataclass
from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import JSONBody, PathParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_202_ACCEPTED
from vivero_web.bodies import FORM_BYTES
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST
from vivero_web.security import MULTIPART

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.collections.service import CollectionNameTakenError
from vivero_data.domain.files.names import content_disposition
from vivero_data.domain.files.schemas import FileTooLargeError, UploadsBusyError
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import FIELD, sent_form
from vivero_data.domain.imports.forms import new_name, parse_order, wants_preview
from vivero_data.domain.imports.schemas import MAPPING_BYTES, Import, ImportOrder, Mode, Plan
from vivero_data.domain.imports.service import ImportService, NothingToUndoError
from vivero_data.domain.jobs.service import JobsFullError
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanLimitError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

ImportId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The import's number.")]
_TEXT: Final = OpenAPIType.STRING
_PARTS: Final = {
    FIELD: Schema(type=_TEXT, description="A CSV, XLSX or JSON file; what it holds is decided by all of it."),
    "mode": Schema(type=_TEXT, enum=[str(mode) for mode in Mode], description="`insert` unless it is said."),
    "key": Schema(type=_TEXT, description="For upsert: the field that tells which record a row is, or `id`."),
    "dry_run": Schema(type=_TEXT, enum=["true", "false"], description="Everything but the writing."),
    "preview": Schema(type=_TEXT, enum=["true", "false"], description="Stop before the first row, as `ready`."),
    "mapping": Schema(type=_TEXT, max_length=MAPPING_BYTES, description="JSON, as `mapping` of an order."),
}


@dataclass
class ImportOperation(Operation):
    """Documents the form in OpenAPI; the handler reads the body itself, after authentication and a free upload slot."""

    def __post_init__(self) -> None:
        form = Schema(type=OpenAPIType.OBJECT, properties=dict(_PARTS), required=[FIELD])
        self.request_body = RequestBody(content={MULTIPART: OpenAPIMediaType(schema=form)}, required=True)


@dataclass
class NewCollectionImportOperation(Operation):
    """As above, with the new collection's name."""

    def __post_init__(self) -> None:
        name = Schema(type=_TEXT, description="The new collection's; the file's when it is not said.")
        form = Schema(type=OpenAPIType.OBJECT, properties={**_PARTS, "name": name}, required=[FIELD])
        self.request_body = RequestBody(content={MULTIPART: OpenAPIMediaType(schema=form)}, required=True)


async def receive(  # noqa: PLR0913  the services come by injection
    request: AnyRequest,
    actor: Actor,
    files: FileService,
    imports: ImportService,
    collection: str | None,
    *,
    asks: bool = False,
) -> Import:
    """Read the form and start the import; `asks`: whatever it says, only the plan for now, under any name that is free.

    Raises:
        InvalidInputError: naming the part at fault.
        WebError: as `uploads.sent_form`, `FileService.upload_slot` and `ImportService.start`.
    """
    await imports.prepare(actor, collection)
    async with files.upload_slot(), sent_form(request, files.max_bytes) as form:
        if form.file is None:
            raise InvalidInputError.of(FIELD, "is missing")
        texts = form.texts
        order = parse_order(texts)
        if collection is not None and "name" in texts:
            raise InvalidInputError.of("name", "is not part of this form: the address names the collection")
        name = new_name(texts, form.file.filename) if collection is None else ""
        if asks and collection is None:
            name = await imports.free_name(name)
        return await imports.start(actor, form.file, collection, name, order, asks=asks or wants_preview(texts))


class ImportUploadController(Controller):
    """Starting imports."""

    path = "/"
    tags = ("Imports",)

    @post(
        "/imports",
        status_code=HTTP_202_ACCEPTED,
        operation_class=NewCollectionImportOperation,
        guards=[needs(Permission.MANAGE_COLLECTIONS)],
    )
    @raises(PlanLimitError, FileTooLargeError, UploadsBusyError, JobsFullError, CollectionNameTakenError)
    async def import_collection(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        imports: NamedDependency[ImportService],
    ) -> Import:
        """Make a collection of a file: its fields are what its columns hold."""
        return await receive(request, actor, files, imports, None)

    @post(
        "/collections/{name:str}/imports",
        status_code=HTTP_202_ACCEPTED,
        operation_class=ImportOperation,
        guards=[needs(Permission.WRITE_RECORDS)],
    )
    @raises(PlanLimitError, FileTooLargeError, UploadsBusyError, JobsFullError)
    async def import_records(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        files: NamedDependency[FileService],
        imports: NamedDependency[ImportService],
        name: CollectionName,
    ) -> Import:
        """Import a file's rows into a collection; they count against the plan."""
        return await receive(request, actor, files, imports, name)


class ImportController(Controller):
    """Imports: the caller's own, for admins those of all."""

    path = "/imports"
    tags = ("Imports",)

    @get(guards=[needs(Permission.WRITE_RECORDS)])
    async def list_imports(
        self,
        actor: NamedDependency[Actor],
        imports: NamedDependency[ImportService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Import]:
        """A page of imports, newest first; they are kept for 30 days."""
        return await imports.list(actor, limit, cursor)

    @get("/{import_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def get_import(
        self, actor: NamedDependency[Actor], imports: NamedDependency[ImportService], import_id: ImportId
    ) -> Import:
        """One import and how far it is."""
        return await imports.get(actor, import_id)

    @get("/{import_id:int}/plan", guards=[needs(Permission.WRITE_RECORDS)])
    async def get_plan(
        self, actor: NamedDependency[Actor], imports: NamedDependency[ImportService], import_id: ImportId
    ) -> Plan | None:
        """How the file is read and where its columns go; null until all of it was read."""
        return await imports.plan(actor, import_id)

    @post(
        "/{import_id:int}/start",
        status_code=HTTP_202_ACCEPTED,
        guards=[needs(Permission.WRITE_RECORDS)],
        request_max_body_size=FORM_BYTES,
    )
    @raises(JobsFullError)
    async def start_import(
        self,
        actor: NamedDependency[Actor],
        imports: NamedDependency[ImportService],
        import_id: ImportId,
        data: JSONBody[ImportOrder],
    ) -> Import:
        """Write the rows of an import that is `ready`."""
        return await imports.go_on(actor, import_id, data)

    @get("/{import_id:int}/errors", guards=[needs(Permission.WRITE_RECORDS)], media_type="text/csv")
    async def get_errors(
        self, actor: NamedDependency[Actor], imports: NamedDependency[ImportService], import_id: ImportId
    ) -> Stream:
        """The refused rows as CSV: the number of each, the field, the reason and the original cells."""
        return await failures_file(actor, imports, import_id)

    @post("/{import_id:int}/undo", status_code=HTTP_202_ACCEPTED, guards=[needs(Permission.WRITE_RECORDS)])
    @raises(NothingToUndoError, JobsFullError)
    async def undo_import(
        self, actor: NamedDependency[Actor], imports: NamedDependency[ImportService], import_id: ImportId
    ) -> Import:
        """Take the import back; records that somebody changed since stay as they are, and are counted in `kept`."""
        return await imports.undo(actor, import_id)


async def failures_file(actor: Actor, imports: ImportService, import_id: int) -> Stream:
    """The refused rows as an attachment."""
    name = content_disposition(f"Refused rows of import {import_id}.csv")
    headers = {"content-disposition": name, "cache-control": "private, no-store"}
    return Stream(await imports.failures(actor, import_id), media_type="text/csv; charset=utf-8", headers=headers)
