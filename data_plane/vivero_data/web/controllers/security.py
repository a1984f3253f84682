"""How the user's logins are proven, where they are logged in, and ending that."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.request_context import caller_of
from vivero_web.second_factors import Enrolment

from vivero_data.domain.auth.guards import SETS_UP
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.sessions.service import SessionService
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.forms import MAIL_FORM_ERRORS, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import SECURITY, Html

AnyRequest = Request[Any, Any, Any]


@get(SECURITY, opt=SETS_UP)
async def security_page(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    own_sessions: NamedDependency[SessionService],
    second_factors: NamedDependency[SecondFactorService],
) -> Html:
    return await _security(request, visit, own_sessions, second_factors)


@post("/account/second-factor", opt=SETS_UP)
async def begin_second_factor(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    own_sessions: NamedDependency[SessionService],
    second_factors: NamedDependency[SecondFactorService],
) -> Html:
    """Answers with the secret: no address leads to it."""
    try:
        return _enrolment(visit, await second_factors.begin(visit.actor, *await _proof(request)))
    except MAIL_FORM_ERRORS as error:
        return await _security(request, visit, own_sessions, second_factors, "begin", error)


@post("/account/second-factor/confirm", opt=SETS_UP)
async def confirm_second_factor(
    request: AnyRequest, visit: NamedDependency[Visit], second_factors: NamedDependency[SecondFactorService]
) -> Html:
    code = (await read_form(request)).get("code", "")
    try:
        return _codes(visit, await second_factors.confirm(visit.actor, code))
    except MAIL_FORM_ERRORS as error:
        return _enrolment(visit, await second_factors.pending(visit.actor), error)


@post("/account/second-factor/recovery-codes")
async def renew_recovery_codes(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    own_sessions: NamedDependency[SessionService],
    second_factors: NamedDependency[SecondFactorService],
) -> Html:
    try:
        return _codes(visit, await second_factors.renew_codes(visit.actor, *await _proof(request)))
    except MAIL_FORM_ERRORS as error:
        return await _security(request, visit, own_sessions, second_factors, "renew", error)


@post("/account/second-factor/off")
async def end_second_factor(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    own_sessions: NamedDependency[SessionService],
    second_factors: NamedDependency[SecondFactorService],
) -> Response[Any]:
    try:
        await second_factors.end(visit.actor, *await _proof(request))
    except MAIL_FORM_ERRORS as error:
        return await _security(request, visit, own_sessions, second_factors, "end", error)
    return done(SECURITY, "second-factor-ended")


@post("/users/{user_id:int}/second-factor")
async def reset_second_factor(
    visit: NamedDependency[Visit], second_factors: NamedDependency[SecondFactorService], user_id: FromPath[int]
) -> Response[Any]:
    """For who lost phone and recovery codes."""
    require(visit, Permission.MANAGE_USERS, "manage users")
    await second_factors.reset(visit.actor, user_id)
    return done(f"/users/{user_id}", "second-factor-ended")


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


async def _proof(request: AnyRequest) -> tuple[str, str]:
    """The password, and from where it came."""
    return (await read_form(request)).get("current_password", ""), caller_of(request.scope)


async def _security(  # noqa: PLR0913, PLR0917  one place composes the page in all its states
    request: AnyRequest,
    visit: Visit,
    own_sessions: SessionService,
    second_factors: SecondFactorService,
    form: str = "",
    problem: WebError | None = None,
) -> Html:
    """`form`: the one that `problem` belongs to."""
    here = address(SECURITY, request.query_params.multi_items(), "cursor", "back")
    page = await own_sessions.list(visit.actor, cursor=here.get("cursor") or None)
    context = {
        "sessions": page.items,
        "page_links": page_links(here, page.next_cursor),
        "factor": await second_factors.get(visit.actor),
        "required": (await second_factors.rules(visit.actor)).second_factor_required,
        "form": form,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "account/security.html.j2", context, status=problem.status if problem else 200)


def _enrolment(visit: Visit, enrolment: Enrolment, problem: WebError | None = None) -> Html:
    # Imported lazily: few people set it up, once.
    from vivero_web import qr  # noqa: PLC0415

    side, path = qr.svg_path(enrolment.uri)
    context = {
        "enrolment": enrolment,
        "side": side,
        "path": path,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "account/second_factor.html.j2", context, status=problem.status if problem else 200)


def _codes(visit: Visit, codes: list[str]) -> Html:
    return show(visit, "account/recovery_codes.html.j2", {"codes": codes})
