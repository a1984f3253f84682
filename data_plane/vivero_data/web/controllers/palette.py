"""The command palette's part that is asked for as one types: collections, however many there are."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from vivero_web.text import tidy

from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web.render import Html, html

GO_TO: Final = "Go to"
NEW_RECORD: Final = "New record in"


@get("/palette")
async def palette(
    actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], q: FromQuery[str] = ""
) -> Html:
    """Options for what is typed, to be put into the page that shows the palette."""
    command, words = split_typed(q)
    context = {
        "collections": await collections.suggest(actor, words),
        "go_to": GO_TO if command != NEW_RECORD else "",
        "new_record": NEW_RECORD if command != GO_TO and actor.may(Permission.WRITE_RECORDS) else "",
    }
    return html("palette.html.j2", context)


def split_typed(typed: str) -> tuple[str, str]:
    """What the typed words begin with of an option's own, and the rest: a part of a collection's name."""
    words = tidy(typed)
    command = next((one for one in (GO_TO, NEW_RECORD) if words.casefold().startswith(f"{one.casefold()} ")), "")
    return command, words[len(command) :].strip()
