"""Exports of what a table shows, in the format that a person chooses."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Stream
from vivero_web.bodies import said
from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.exports.controllers import answered
from vivero_data.domain.exports.service import ExportFormat, ExportService
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views.service import ViewService
from vivero_data.web.toolbar import load


@get("/collections/{name:str}/export")
async def export_shown(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
    exports: NamedDependency[ExportService],
) -> Stream:
    """All records that the table's address lets through, with the columns that it shows."""
    kind = said("format", request.query_params.get("format", ""), ExportFormat, "csv, xlsx or json")
    if kind is None:
        raise InvalidInputError.of("format", "must be csv, xlsx or json")
    state, _ = await load(actor, collection, views, parse_qsl(request.url.query), request.cookies)
    query = msgspec.structs.replace(state.query, cursor=None)
    columns = tuple(field.name for field in state.columns)
    return await answered(request, actor, exports, collection.name, query, kind, columns)
