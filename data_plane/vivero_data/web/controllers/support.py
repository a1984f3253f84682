"""The way in of the platform's staff, by a ticket of the console, while an owner grants it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import NotSignedInError
from vivero_web.links import secret_in
from vivero_web.rate_limit import SECRETS, Counted

from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.support.service import SupportService
from vivero_data.lib.cookies import session_cookies
from vivero_data.web.render import Html, html

_NO_STORE = {"cache-control": "no-store"}


@get("/login/support")
async def support_page(identity: NamedDependency[IdentityService]) -> Html:
    """The ticket is in the fragment of the address, and the page posts it."""
    return await _page(identity)


@post("/login/support", guards=[Counted(SECRETS)])
async def enter_for_support(
    request: Request[Any, Any, Any],
    support: NamedDependency[SupportService],
    identity: NamedDependency[IdentityService],
) -> Response[Any]:
    form = await read_form(request)
    try:
        tokens = await support.enter(secret_in(form.get("ticket", "")))
    except NotSignedInError as error:
        return await _page(identity, error)
    return Redirect("/", status_code=HTTP_303_SEE_OTHER, cookies=session_cookies(tokens), headers=_NO_STORE)


async def _page(identity: IdentityService, problem: NotSignedInError | None = None) -> Html:
    context = {"workspace": (await identity.current()).name, "problem": problem}
    return html("support_ticket.html.j2", context, status=problem.status if problem else 200)
