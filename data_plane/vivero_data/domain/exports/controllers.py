"""`/api/v1/collections/{name}/export`."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream
from vivero_web.exchange import wants_head
from vivero_web.security import FILE_POLICY

from vivero_data.domain.auth.guards import AnyRequest
from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.exports.service import ExportFormat, ExportService
from vivero_data.domain.files.names import content_disposition
from vivero_data.domain.records.controllers import Filters, ViewNamed, Where
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views.service import ViewService, through

Format = Annotated[
    ExportFormat,
    QueryParameter(name="format", description="`csv` in UTF-8, `xlsx`, or `json`: an array of objects."),
]


class ExportController(Controller):
    """Exports that stream."""

    path = "/collections/{name:str}/export"
    tags = ("Records",)

    @get(media_type="text/csv")
    async def export_stream(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        exports: NamedDependency[ExportService],
        views: NamedDependency[ViewService],
        name: CollectionName,
        kind: Format = ExportFormat.CSV,
        view: ViewNamed = "",
        filters: Filters = None,
        where: Where = "",
    ) -> Stream:
        """All records that match, in one file of any size; an import takes it back.

        Texts that a spreadsheet would take for a formula have an apostrophe in front.
        """
        query = RecordQuery(filters=tuple(filters or ()), where=where)
        if not view:
            return await answered(request, actor, exports, name, query, kind)
        named = await views.named(actor, name, view)
        columns = tuple(column.field for column in named.columns)
        return await answered(request, actor, exports, name, through(named, query), kind, columns)


async def answered(  # noqa: PLR0913, PLR0917  what is asked for, by whom
    request: AnyRequest,
    actor: Actor,
    exports: ExportService,
    name: str,
    query: RecordQuery,
    kind: ExportFormat,
    columns: tuple[str, ...] = (),
) -> Stream:
    """The export as an attachment."""
    made = await exports.stream(actor, name, query, kind, columns)
    headers = {
        "content-disposition": content_disposition(made.name),
        "cache-control": "private, no-store, no-transform",
        "content-security-policy": FILE_POLICY,
    }
    return Stream(_nothing() if wants_head(request.scope) else made.pieces, media_type=made.media_type, headers=headers)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
