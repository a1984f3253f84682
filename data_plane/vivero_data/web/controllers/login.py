"""In and out: the login page and its form, the ticket from the control plane, logging out."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.errors import InvalidInputError, NotSignedInError, TooManyRequestsError, WebError
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.schemas import Credentials
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.identity.schemas import Identity
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.tickets.service import TicketService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.cookies import ACCESS, expired_cookies, session_cookies
from vivero_data.web.forms import local_path, read_form
from vivero_data.web.page import notice, shown
from vivero_data.web.render import Html, html

_NO_STORE: Final = {"cache-control": "no-store"}
_NEXT = Annotated[str, QueryParameter(name="next", max_length=2000)]


@get("/login")
async def login_page(
    request: Request[Any, Any, Any], identity: NamedDependency[IdentityService], target: _NEXT = "/"
) -> Html:
    return _login(request, await identity.current(), target=local_path(target))


@post("/login")
async def login(
    request: Request[Any, Any, Any], auth: NamedDependency[AuthService], identity: NamedDependency[IdentityService]
) -> Response[Any]:
    form = await read_form(request)
    email, target = form.get("email", "").strip(), local_path(form.get("next", "/"))
    try:
        tokens = await auth.login(Credentials(email, form.get("password", "")), caller_of(request.scope))
    except (NotSignedInError, InvalidInputError, TooManyRequestsError) as error:
        return _login(request, await identity.current(), email=email, target=target, problem=error)
    return Redirect(target, status_code=HTTP_303_SEE_OTHER, cookies=session_cookies(tokens), headers=_NO_STORE)


@get("/login/ticket")
async def login_by_ticket(
    request: Request[Any, Any, Any],
    tickets: NamedDependency[TicketService],
    identity: NamedDependency[IdentityService],
    ticket: FromQuery[str] = "",
) -> Response[Any]:
    """Spends the control plane's one-time login; a spent one still leads in whoever it let in before."""
    headers = {**_NO_STORE, "referrer-policy": "no-referrer"}
    try:
        tokens = await tickets.redeem(ticket)
    except NotSignedInError as error:
        if ACCESS in request.cookies:
            return Redirect("/", status_code=HTTP_303_SEE_OTHER, headers=headers)
        return _login(request, await identity.current(), problem=error)
    return Redirect("/", status_code=HTTP_303_SEE_OTHER, cookies=session_cookies(tokens), headers=headers)


@post("/logout")
async def logout(actor: NamedDependency[Actor], auth: NamedDependency[AuthService]) -> Redirect:
    await auth.end_session(actor)
    return Redirect("/login", status_code=HTTP_303_SEE_OTHER, cookies=expired_cookies(), headers=_NO_STORE)


def _login(
    request: Request[Any, Any, Any],
    identity: Identity,
    *,
    email: str = "",
    target: str = "/",
    problem: WebError | None = None,
) -> Html:
    said = notice(request)
    context = {
        "workspace": identity.name,
        "host": identity.host(request.headers.get("host", "")),
        "email": email,
        "target": target,
        "problem": problem,
        "notice": "" if problem else said,
    }
    return html(
        "login.html.j2",
        context,
        status=problem.status if problem else 200,
        headers=problem.headers if problem else {},
        cookies=[shown()] if said else [],
    )
