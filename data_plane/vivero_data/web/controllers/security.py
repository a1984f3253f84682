"""Where the user is logged in, and ending that."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from vivero_data.domain.sessions.service import SessionService
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html

SECURITY: Final = "/account/security"


@get(SECURITY)
async def security_page(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], own_sessions: NamedDependency[SessionService]
) -> Html:
    here = address(SECURITY, request.query_params.multi_items(), "cursor", "back")
    page = await own_sessions.list(visit.actor, cursor=here.get("cursor") or None)
    context = {"sessions": page.items, "page_links": page_links(here, page.next_cursor)}
    return show(visit, "account/security.html.j2", context)


@post("/account/sessions/{login_id:int}/end")
async def end_session(
    visit: NamedDependency[Visit], own_sessions: NamedDependency[SessionService], login_id: FromPath[int]
) -> Response[Any]:
    await own_sessions.end(visit.actor, login_id)
    return done(SECURITY, "session-ended")


@post("/account/sessions/end-others")
async def end_other_sessions(
    visit: NamedDependency[Visit], own_sessions: NamedDependency[SessionService]
) -> Response[Any]:
    await own_sessions.end_others(visit.actor)
    return done(SECURITY, "sessions-ended")
