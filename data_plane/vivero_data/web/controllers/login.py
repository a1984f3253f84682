"""Login and logout: the login form, and tickets from the control plane."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, NotSignedInError, TooManyRequestsError, WebError
from vivero_web.links import secret_in
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of
from vivero_web.second_factors import CodeNeededError, WrongCodeError

from vivero_data.domain.auth.guards import ENDS
from vivero_data.domain.auth.schemas import Credentials
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.tickets.service import TicketService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.cookies import ACCESS, expired_cookies, session_cookies
from vivero_data.lib.tokens import Tokens
from vivero_data.web.forms import local_path
from vivero_data.web.page import notice, shown
from vivero_data.web.pending_form import LOGIN_BYTES, PendingForm, pending_in_login
from vivero_data.web.render import Html, html

_NO_STORE: Final = {"cache-control": "no-store"}
_NEXT = Annotated[str, QueryParameter(name="next", max_length=2000)]


@get("/login")
async def login_page(
    request: Request[Any, Any, Any], identity: NamedDependency[IdentityService], target: _NEXT = "/"
) -> Html:
    return _login(request, await identity.current(), target=local_path(target))


@post("/login", request_max_body_size=LOGIN_BYTES)
async def login(
    request: Request[Any, Any, Any], auth: NamedDependency[AuthService], identity: NamedDependency[IdentityService]
) -> Response[Any]:
    form = await read_form(request)
    email, target = form.get("email", "").strip(), local_path(form.get("next", "/"))
    pending = pending_in_login(form, target)
    try:
        tokens = await auth.login(Credentials(email, form.get("password", "")), caller_of(request.scope))
    except CodeNeededError as error:
        return _code(request, await identity.current(), error.challenge, target, pending)
    except (NotSignedInError, InvalidInputError, TooManyRequestsError) as error:
        return _login(request, await identity.current(), email=email, target=target, problem=error, pending=pending)
    return _logged_in(await identity.current(), tokens, target, pending)


@post("/login/code", request_max_body_size=LOGIN_BYTES)
async def login_with_code(
    request: Request[Any, Any, Any], auth: NamedDependency[AuthService], identity: NamedDependency[IdentityService]
) -> Response[Any]:
    """The second step of a login, for who has two-step login."""
    form = await read_form(request)
    challenge, target = form.get("challenge", ""), local_path(form.get("next", "/"))
    pending = pending_in_login(form, target)
    try:
        tokens = await auth.finish(challenge, form.get("code", ""))
    except (WrongCodeError, TooManyRequestsError) as error:
        return _code(request, await identity.current(), challenge, target, pending, error)
    except NotSignedInError as error:
        return _login(request, await identity.current(), target=target, problem=error, pending=pending)
    return _logged_in(await identity.current(), tokens, target, pending)


def _logged_in(identity: Identity, tokens: Tokens, target: str, pending: PendingForm | None) -> Response[Any]:
    if pending:
        context = {"pending": pending, "workspace": identity.name}
        return html("resume.html.j2", context, cookies=session_cookies(tokens), headers=_NO_STORE)
    return Redirect(target, status_code=HTTP_303_SEE_OTHER, cookies=session_cookies(tokens), headers=_NO_STORE)


@get("/login/ticket")
async def ticket_page(identity: NamedDependency[IdentityService]) -> Html:
    """The target of the control plane's one-time link: the ticket is in the URL fragment, and the page posts it."""
    return html("ticket.html.j2", {"workspace": (await identity.current()).name})


async def _from_anywhere(_: Request[Any, Any, Any]) -> None:
    """Replaces the CSRF check: the control plane's page posts here, and the ticket authenticates the request."""


@post("/login/ticket", before_request=_from_anywhere, guards=[Counted(SECRETS)])
async def login_by_ticket(
    request: Request[Any, Any, Any],
    tickets: NamedDependency[TicketService],
    identity: NamedDependency[IdentityService],
) -> Response[Any]:
    """Redeems the ticket; a used one still redirects a browser whose session it started."""
    form = await read_form(request)
    try:
        tokens = await tickets.redeem(secret_in(form.get("ticket", "")), caller_of(request.scope))
    except NotSignedInError as error:
        if ACCESS in request.cookies:
            return Redirect("/", status_code=HTTP_303_SEE_OTHER, headers=_NO_STORE)
        return _login(request, await identity.current(), problem=error)
    return Redirect("/", status_code=HTTP_303_SEE_OTHER, cookies=session_cookies(tokens), headers=_NO_STORE)


@post("/logout", opt=ENDS)
async def logout(actor: NamedDependency[Actor], auth: NamedDependency[AuthService]) -> Redirect:
    await auth.end_session(actor)
    return Redirect("/login", status_code=HTTP_303_SEE_OTHER, cookies=expired_cookies(), headers=_NO_STORE)


def _code(  # noqa: PLR0913, PLR0917  as below
    request: Request[Any, Any, Any],
    identity: Identity,
    challenge: str,
    target: str,
    pending: PendingForm | None,
    problem: WebError | None = None,
) -> Html:
    context = {
        "workspace": identity.name,
        "host": identity.host(request.headers.get("host", "")),
        "challenge": challenge,
        "target": target,
        "pending": pending,
        "problem": problem,
    }
    status, headers = (problem.status, problem.headers) if problem else (200, {})
    return html("login_code.html.j2", context, status=status, headers=headers)


def _login(  # noqa: PLR0913  one place composes the page in all its states
    request: Request[Any, Any, Any],
    identity: Identity,
    *,
    email: str = "",
    target: str = "/",
    problem: WebError | None = None,
    pending: PendingForm | None = None,
) -> Html:
    said = notice(request)
    context = {
        "workspace": identity.name,
        "host": identity.host(request.headers.get("host", "")),
        "email": email,
        "target": target,
        "problem": problem,
        "pending": pending,
        "notice": "" if problem else said,
        "as_of": identity.as_of,
    }
    return html(
        "login.html.j2",
        context,
        status=problem.status if problem else 200,
        headers=problem.headers if problem else {},
        cookies=[shown()] if said else [],
    )
