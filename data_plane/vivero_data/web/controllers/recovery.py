"""Password reset: requesting a link by mail, and choosing a password with it."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, WebError
from vivero_web.links import PAGE, ChosenPassword
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.recovery.service import RecoveryService
from vivero_data.web.forms import MAIL_FORM_ERRORS, field_errors
from vivero_data.web.page import done
from vivero_data.web.render import Html, html

FORGOTTEN: Final = "/forgotten-password"


@get(FORGOTTEN)
async def forgotten_page(
    request: Request[Any, Any, Any],
    identity: NamedDependency[IdentityService],
    links: NamedDependency[LinkService],
) -> Html:
    return _page("forgotten.html.j2", request, await identity.current(), email="", offered=await links.available())


@post(FORGOTTEN)
async def forgotten(
    request: Request[Any, Any, Any],
    identity: NamedDependency[IdentityService],
    recovery: NamedDependency[RecoveryService],
) -> Html:
    email = (await read_form(request)).get("email", "").strip()
    problem: WebError | None = None
    try:
        await recovery.forgotten(email, caller_of(request.scope))
    except MAIL_FORM_ERRORS as error:
        problem = error
    return _page(
        "forgotten.html.j2",
        request,
        await identity.current(),
        problem,
        email=email,
        offered=not isinstance(problem, ConflictError),
        asked=problem is None,
    )


@get(PAGE)
async def choose_page(request: Request[Any, Any, Any], identity: NamedDependency[IdentityService]) -> Html:
    return _page("set_password.html.j2", request, await identity.current(), code="")


@post(PAGE, guards=[Counted(SECRETS)])
async def choose(
    request: Request[Any, Any, Any],
    identity: NamedDependency[IdentityService],
    recovery: NamedDependency[RecoveryService],
) -> Response[Any]:
    form = await read_form(request)
    code = form.get("code", "")
    try:
        await recovery.choose(ChosenPassword(code, form.get("password", "")), caller_of(request.scope))
    except MAIL_FORM_ERRORS as error:
        return _page("set_password.html.j2", request, await identity.current(), error, code=code)
    return done("/login", "password-set")


def _page(
    template: str,
    request: Request[Any, Any, Any],
    identity: Identity,
    problem: WebError | None = None,
    **context: object,
) -> Html:
    """A page without login, with its errors."""
    errors = field_errors(problem) if problem else {}
    common = {
        "workspace": identity.name,
        "host": identity.host(request.headers.get("host", "")),
        "problem": problem.detail if problem and not errors else "",
        "errors": errors,
        "asked": False,
    }
    return html(
        template,
        {**common, **context},
        status=problem.status if problem else 200,
        headers=problem.headers if problem else {},
    )
