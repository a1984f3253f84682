"""The trash: what was deleted or changed, and the way back."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError

from vivero_data.domain.trash.kinds import KINDS
from vivero_data.domain.trash.service import TrashService
from vivero_data.domain.users.schemas import Permission
from vivero_data.errors import PlanLimitError
from vivero_data.web.forms import local_path
from vivero_data.web.listing import Address, address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_SEE = "see and restore what was deleted"


@get("/trash")
async def trash_page(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], trash: NamedDependency[TrashService]
) -> Html:
    require(visit, Permission.WRITE_RECORDS, _SEE)
    here = address("/trash", request.query_params.multi_items(), "q", "cursor", "back")
    return await _page(visit, trash, here)


@post("/trash/{entry_id:int}/restore")
async def restore(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    trash: NamedDependency[TrashService],
    entry_id: FromPath[int],
) -> Response[Any]:
    """From the trash; or from the notice of what was just done, whose `back` is the page that it stands on."""
    require(visit, Permission.WRITE_RECORDS, _SEE)
    try:
        made = await trash.restore(visit.actor, entry_id)
    except (ConflictError, PlanLimitError) as error:
        return await _page(visit, trash, address("/trash", []), error.detail, error.status)
    if made.job:
        return done(f"/jobs/{made.job}")
    back = (await read_form(request)).get("back", "")
    return done(local_path(back), "undone") if back else done("/trash", "restored")


async def _page(visit: Visit, trash: TrashService, here: Address, problem: str = "", status: int = 200) -> Html:
    search = here.get("q").strip()
    page = await trash.list(visit.actor, search, cursor=here.get("cursor") or None)
    context = {
        "page": page,
        "search": search,
        "page_links": page_links(here, page.next_cursor),
        "labels": {name: kind.label for name, kind in KINDS.items()},
        "problem": problem,
    }
    return show(visit, "trash.html.j2", context, status=status)
