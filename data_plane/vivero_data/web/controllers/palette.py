"""The command palette's autocomplete: searches collections, views and records while the user types."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from vivero_web.text import tidy

from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.records.finder import RecordFinder
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views.service import ViewService
from vivero_data.web.listing import VIEW_ICONS
from vivero_data.web.page import Can
from vivero_data.web.render import Html, html

GO_TO: Final = "Go to"
NEW_RECORD: Final = "New record in"


@get("/palette")
async def palette(
    actor: NamedDependency[Actor],
    collections: NamedDependency[CollectionService],
    record_finder: NamedDependency[RecordFinder],
    views: NamedDependency[ViewService],
    q: FromQuery[str] = "",
) -> Html:
    """The options for the typed text, as an HTML fragment."""
    command, words = split_typed(q)
    can, found = Can(actor.permissions, actor.own), await collections.suggest(actor, words)
    context = {
        "collections": found,
        "go_to": GO_TO if command != NEW_RECORD else "",
        "views": await views.find(actor, words) if command != NEW_RECORD else [],
        "icons": VIEW_ICONS,
        "records": await record_finder.find(actor, words) if command != NEW_RECORD else [],
        "new_record": NEW_RECORD if command != GO_TO else "",
        "open": {one.id for one in found if can.create(one)},
    }
    return html("palette.html.j2", context)


def split_typed(typed: str) -> tuple[str, str]:
    """Splits the typed text into the prefix of an option's label, if any, and the search text."""
    words = tidy(typed)
    command = next((one for one in (GO_TO, NEW_RECORD) if words.casefold().startswith(f"{one.casefold()} ")), "")
    return command, words[len(command) :].strip()
