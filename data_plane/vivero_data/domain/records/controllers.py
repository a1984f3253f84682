"""`/api/v1/collections/{name}/records`."""

import re
from typing import Annotated, Final

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from vivero_web.errors import InvalidInputError

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.schemas import CONTENT_BYTES
from vivero_data.domain.records.schemas import NewRecord, Record, RecordChanges, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.json import JsonResponse
from vivero_data.lib.pages import DEFAULT_LIMIT, MAX_LIMIT, Page

_ETAG: Final = re.compile(r'"(\d{1,9})"')

IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description="the version as an ETag")]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Filters = Annotated[
    list[str] | None, QueryParameter(name="filter", description="field:operator:value, may be repeated")
]


def version_of(if_match: str | None) -> int | None:
    """The version in an If-Match header.

    Raises:
        InvalidInputError: it is not one of our ETags.
    """
    if not if_match or if_match == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise InvalidInputError.of("If-Match", 'must be an ETag such as "3"')
    return int(match[1])


def tagged(record: Record, status_code: int = 200) -> Response[Record]:
    """The record with its version as ETag."""
    return JsonResponse(record, status_code=status_code, headers={"ETag": f'"{record.version}"'})


class RecordController(Controller):
    """Records by id, and lists of them by keyset."""

    path = "/collections/{name:str}/records"
    tags = ("Records",)
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
    ) -> Response[Record]:
        """One record."""
        return tagged(await records.get(actor, name, record_id))

    @patch("/{record_id:int}", guards=[needs(Role.MEMBER)])
    async def update_record(  # noqa: PLR0913, PLR0917  path, body and header
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        record_id: FromPath[int],
        data: JSONBody[RecordChanges],
        if_match: IfMatch = None,
    ) -> Response[Record]:
        """Set some values; with a version in the body or If-Match only if the record still has it."""
        wanted = data.version if data.version is not None else version_of(if_match)
        return tagged(await records.update(actor, name, record_id, RecordChanges(data.values, wanted)))

    @delete("/{record_id:int}")
    async def delete_record(
        self,
        actor: NamedDependency[Actor],
        records: NamedDependency[RecordService],
        name: FromPath[str],
        record_id: FromPath[int],
        if_match: IfMatch = None,
    ) -> None:
        """Remove a record."""
        await records.delete(actor, name, record_id, version_of(if_match))
