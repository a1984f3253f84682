"""`/api/v1/collections/{name}/records`."""

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from vivero_web.bodies import FORM_BYTES
from vivero_web.conditions import ETAG, Conditions, provide_conditions, tag_of
from vivero_web.declared import raises
from vivero_web.fields import LARGEST
from vivero_web.request_context import QUERY_BYTES

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART, CONTENT_BYTES, CollectionName
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobService, JobsFullError
from vivero_data.domain.records.batches import BatchService
from vivero_data.domain.records.errors import (
    BatchConflictError,
    FieldConflictError,
    FieldPreconditionError,
    ValueTakenError,
    VersionConflictError,
)
from vivero_data.domain.records.export import Export
from vivero_data.domain.records.filters import MAX_CONDITIONS, MAX_DEPTH, MAX_FILTERS, WHERE_LENGTH
from vivero_data.domain.records.lists import SlowListError
from vivero_data.domain.records.query import MAX_SORTS
from vivero_data.domain.records.schemas import (
    ExportedRecords,
    NewRecord,
    Record,
    RecordBatch,
    RecordChange,
    RecordChanges,
    RecordCount,
    RecordQuery,
    WrittenBatch,
)
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.records.where import MAX_SEARCH, MAX_WORDS
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.views.service import BrokenViewError, ViewService, through
from vivero_data.errors import PlanLimitError
from vivero_data.lib.json import JsonResponse
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

RecordId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The record's number.")]
Sort = Annotated[
    str,
    QueryParameter(
        max_length=MAX_SORTS * (2 + 2 * MAX_NAME * APART),
        description=f"Up to {MAX_SORTS} fields with commas between them, each with `-` before it for descending; by id when "
        "it is not said. A backslash goes before a comma in a field's name.",
    ),
]
Filters = Annotated[
    list[str] | None,
    QueryParameter(
        name="filter",
        description="`field:operator:value`; every one must hold. Operators are eq, ne, lt, lte, gt, gte, in (values with "
        "commas between them), empty and filled, for texts contains and starts too. A backslash goes before a colon in a "
        "field's name, and before a comma in a value of in.",
        schema_extra={"max_items": MAX_FILTERS, "items": Schema(type=OpenAPIType.STRING, max_length=QUERY_BYTES)},
    ),
]

Where = Annotated[
    str,
    QueryParameter(
        max_length=WHERE_LENGTH,
        description="A tree of conditions as JSON, which must hold besides every filter: a condition is "
        '`{"field": "Age", "operator": "gte", "value": 18}`, for in with a list; groups are `{"all": […]}`, `{"any": […]}` and '
        f'`{{"not": …}}`. At most {MAX_CONDITIONS} conditions, {MAX_DEPTH} deep.',
    ),
]

Search = Annotated[
    str,
    QueryParameter(
        max_length=MAX_SEARCH,
        description=f"Up to {MAX_WORDS} words, each of which must be somewhere in the record's texts, in any case.",
    ),
]
AllowSlow = Annotated[
    bool,
    QueryParameter(description="Wait some seconds for a list that takes long, rather than being told what would help."),
]

ViewNamed = Annotated[
    str,
    QueryParameter(
        max_length=MAX_NAME * APART, description="A saved view, whose conditions must hold too and whose order it has."
    ),
]


async def seen_through(views: ViewService, actor: Actor, collection: str, view: str, query: RecordQuery) -> RecordQuery:
    """The list through the view of this name, if there is one."""
    return through(await views.named(actor, collection, view), query) if view else query


def tagged(record: Record, status_code: int = 200) -> Response[Record]:
    """The record with its version as ETag; no-transform, because proxies drop ETags when they compress."""
    headers = {"ETag": tag_of(record.version), "Cache-Control": "no-store, no-transform"}
    return JsonResponse(record, status_code=status_code, headers=headers)


class RecordController(Controller):
    """Records by id, and lists with keyset pagination."""

    path = "/collections/{name:str}/records"
    tags = ("Records",)
    dependencies = {"conditions": Provide(provide_conditions, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration
    request_max_body_size = CONTENT_BYTES

    @get()
    @raises(SlowListError, BrokenViewError)
    async def list_records(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        views: NamedDependency[ViewService],
        name: CollectionName,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
        sort: Sort = "",
        filters: Filters = None,
        where: Where = "",
        search: Search = "",
        *,
        allow_slow: AllowSlow = False,
        view: ViewNamed = "",
    ) -> Page[Record]:
        """A page of records that match every filter, `where` and the search."""
        query = RecordQuery(limit, cursor, sort, tuple(filters or ()), where, search, allow_slow)
        return await records.list(actor, name, await seen_through(views, actor, name, view, query))

    @get("/count")
    @raises(BrokenViewError)
    async def count_records(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        views: NamedDependency[ViewService],
        name: CollectionName,
        filters: Filters = None,
        where: Where = "",
        search: Search = "",
        *,
        exact: Annotated[bool, QueryParameter(description="Count all, however long it takes.")] = False,
        view: ViewNamed = "",
    ) -> RecordCount:
        """How many records match; without `exact` at most 1,000 are counted, for a moment at most."""
        query = RecordQuery(filters=tuple(filters or ()), where=where, search=search)
        return await records.count(actor, name, await seen_through(views, actor, name, view, query), exact=exact)

    @post(guards=[needs(Permission.WRITE_RECORDS)], response_headers=[ETAG])
    @raises(PlanLimitError, ValueTakenError)
    async def create_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: CollectionName,
        data: JSONBody[NewRecord],
    ) -> Response[Record]:
        """Add a record; counts against the plan."""
        return tagged(await records.create(actor, name, data.values), 201)

    @post("/batch", status_code=HTTP_200_OK, guards=[needs(Permission.WRITE_RECORDS)])
    @raises(PlanLimitError, BatchConflictError)
    async def write_batch(
        self,
        actor: NamedDependency[Actor],
        record_batches: NamedDependency[BatchService],
        name: CollectionName,
        data: JSONBody[RecordBatch],
    ) -> WrittenBatch:
        """Add, change and remove many records, all or none; errors name the row, `create[3].values.Name`."""
        return await record_batches.write(actor, name, data)

    @post(
        "/export",
        status_code=HTTP_202_ACCEPTED,
        guards=[needs(Permission.WRITE_FILES)],
        request_max_body_size=FORM_BYTES,
    )
    @raises(JobsFullError)
    async def export_records(
        self,
        actor: NamedDependency[Actor],
        jobs: NamedDependency[JobService],
        name: CollectionName,
        data: JSONBody[ExportedRecords],
    ) -> Job:
        """Export records as CSV into a new file; the job shows its progress, and then the file's id."""
        return await jobs.start(actor, Permission.WRITE_FILES, Export(name, tuple(data.filters), data.where))

    @get("/{record_id:int}", response_headers=[ETAG])
    async def get_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: CollectionName,
        record_id: RecordId,
        conditions: NamedDependency[Conditions],
    ) -> Response[Record]:
        """One record."""
        found = await records.get(actor, name, record_id)
        conditions.check(tag_of(found.version))
        return tagged(found)

    @get("/{record_id:int}/history")
    async def get_history(  # noqa: PLR0913, PLR0917  path and query
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: CollectionName,
        record_id: RecordId,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[RecordChange]:
        """A page of what was done to the record, newest first."""
        return await records.history(actor, name, record_id, limit, cursor)

    @patch("/{record_id:int}", guards=[needs(Permission.WRITE_RECORDS)], response_headers=[ETAG])
    @raises(VersionConflictError, FieldConflictError, FieldPreconditionError, ValueTakenError)
    async def update_record(  # noqa: PLR0913, PLR0917  path, body and headers
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: CollectionName,
        record_id: RecordId,
        data: JSONBody[RecordChanges],
        conditions: NamedDependency[Conditions],
    ) -> Response[Record]:
        """Set some values; what others changed in other fields since the version of If-Match or the body stays.

        The same field is answered with both values, 412 or 409.
        """
        return tagged(await records.update(actor, name, record_id, data, conditions))

    @delete("/{record_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def delete_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: CollectionName,
        record_id: RecordId,
        conditions: NamedDependency[Conditions],
    ) -> None:
        """Remove a record; with If-Match only if it still has that version."""
        await records.delete(actor, name, record_id, conditions)
