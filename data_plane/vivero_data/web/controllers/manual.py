"""The manual as pages. What reads and words it is loaded by the first page that needs it: few people open it."""

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.errors import NotFoundError

from vivero_data.web.page import Visit, show
from vivero_data.web.render import Html


@get("/help")
async def manual_contents(request: Request[Any, Any, Any], visit: NamedDependency[Visit]) -> Html:
    """The chapters; with `q` those that have all of its words."""
    from vivero_data.web import manual  # noqa: PLC0415  see the module's docstring

    search = request.query_params.get("q", "").strip()
    return show(visit, "help/contents.html.j2", {"chapters": manual.matching(search), "search": search})


@get("/help/{chapter:str}")
async def manual_chapter(visit: NamedDependency[Visit], chapter: FromPath[str]) -> Html:
    from vivero_data.web import manual  # noqa: PLC0415  see the module's docstring

    every = manual.chapters()
    place = next((place for place, one in enumerate(every) if one.name == chapter), None)
    if place is None:
        raise NotFoundError("The manual has no such chapter.")
    context = {
        "chapter": every[place],
        "chapters": every,
        "text": manual.shown(every[place]),
        "next": every[place + 1] if place + 1 < len(every) else None,
    }
    return show(visit, "help/chapter.html.j2", context)
