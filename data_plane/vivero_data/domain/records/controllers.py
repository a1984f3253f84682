"""`/api/v1/collections/{name}/records`."""

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from vivero_web.conditions import Conditions, tag_of

from vivero_data.domain.auth.guards import AnyRequest, needs
from vivero_data.domain.collections.schemas import CONTENT_BYTES
from vivero_data.domain.records.schemas import NewRecord, Record, RecordChanges, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.json import JsonResponse
from vivero_data.lib.pages import DEFAULT_LIMIT, MAX_LIMIT, Page

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Filters = Annotated[
    list[str] | None, QueryParameter(name="filter", description="field:operator:value, may be repeated")
]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description="ETags of versions, or *")]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", description="ETags of versions, or *")]


def provide_conditions(request: AnyRequest, if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Conditions:
    """The dependency `conditions`.

    The parameters are for the API's document: each header may come in several lines, which the request has.

    Raises:
        InvalidInputError: If-Match is no list of ETags.
    """
    del if_match, if_none_match
    return Conditions.of(request.method, request.headers)


def tagged(record: Record, status_code: int = 200) -> Response[Record]:
    """The record with its version as ETag, which no proxy may drop by compressing."""
    headers = {"ETag": tag_of(record.version), "Cache-Control": "no-store, no-transform"}
    return JsonResponse(record, status_code=status_code, headers=headers)


class RecordController(Controller):
    """Records by id, and lists of them by keyset."""

    path = "/collections/{name:str}/records"
    tags = ("Records",)
    dependencies = {"conditions": Provide(provide_conditions, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration
    request_max_body_size = CONTENT_BYTES

    @get()
    async def list_records(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        limit: Limit = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
        sort: FromQuery[str] = "",
        filters: Filters = None,
    ) -> Page[Record]:
        """A page of records that match every filter."""
        return await records.list(actor, name, RecordQuery(limit, cursor, sort, tuple(filters or ())))

    @post(guards=[needs(Role.MEMBER)])
    async def create_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        data: JSONBody[NewRecord],
    ) -> Response[Record]:
        """Add a record; counts against the plan."""
        return tagged(await records.create(actor, name, data.values), 201)

    @get("/{record_id:int}")
    async def get_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        record_id: FromPath[int],
        conditions: NamedDependency[Conditions],
    ) -> Response[Record]:
        """One record."""
        found = await records.get(actor, name, record_id)
        conditions.demand(tag_of(found.version))
        return tagged(found)

    @patch("/{record_id:int}", guards=[needs(Role.MEMBER)])
    async def update_record(  # noqa: PLR0913, PLR0917  path, body and headers
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        record_id: FromPath[int],
        data: JSONBody[RecordChanges],
        conditions: NamedDependency[Conditions],
    ) -> Response[Record]:
        """Set some values; with If-Match (else 412) or a version in the body (else 409) only if it still has it."""
        return tagged(await records.update(actor, name, record_id, data, conditions))

    @delete("/{record_id:int}")
    async def delete_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        record_id: FromPath[int],
        conditions: NamedDependency[Conditions],
    ) -> None:
        """Remove a record; with If-Match only if it still has that version."""
        await records.delete(actor, name, record_id, conditions)
