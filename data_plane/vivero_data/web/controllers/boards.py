"""Boards: a page of one of its columns; the board itself is a way to show a table (`records.py`)."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Request, get
from litestar.di import NamedDependency
from vivero_web.errors import NotFoundError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.schemas import RecordCount
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.views.service import ViewService
from vivero_data.web.boards import field_of, filled, lane_named, lanes_of, query_of, shown_on
from vivero_data.web.page import Viewer, fragment
from vivero_data.web.render import Html
from vivero_data.web.toolbar import load


@get("/collections/{name:str}/cards")
async def cards(  # noqa: PLR0913, PLR0917  the services of one part of a page
    request: Request[Any, Any, Any],
    viewer: NamedDependency[Viewer],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
    references: NamedDependency[ReferenceService],
) -> Html:
    """The next cards of a column, alone for a script."""
    pairs = parse_qsl(request.url.query)
    asked = dict(pairs)
    state, _ = await load(viewer.actor, collection, views, pairs, request.cookies)
    field = field_of(collection, state)
    if field is None:
        raise NotFoundError("There is no board of this field.")
    lane = lane_named(await lanes_of(viewer.actor, references, field), asked.get("column", ""))
    page = await records.list(viewer.actor, collection.name, query_of(state, lane, asked.get("cursor")))
    column = filled(state, field, lane, page, RecordCount(None, exact=False))
    context = {
        "collection": collection,
        "columns": shown_on(state),
        "field": field,
        "column": column,
        "shown": state.base.query,
    }
    return fragment(viewer, "records/cards.html.j2", context)
