"""Another e-mail address: asked for in the account, confirmed where its link leads."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_data.domain.email_changes.schemas import EmailChange
from vivero_data.domain.email_changes.service import EmailChangeService
from vivero_data.domain.identity.service import IdentityService
from vivero_data.web.controllers.account import account_page
from vivero_data.web.forms import MAIL_FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done
from vivero_data.web.render import Html, html

CONFIRM: Final = "/confirm-email"


@post("/account/email")
async def ask_for_email(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    email_changes: NamedDependency[EmailChangeService],
) -> Response[Any]:
    form = await read_form(request)
    change = EmailChange(form.get("email", ""), form.get("current_password", ""))
    try:
        await email_changes.ask(visit.actor, change, caller_of(request.scope))
    except MAIL_FORM_ERRORS as error:
        return account_page(visit, error, form="email", email=change.email)
    return done("/account", "email-asked")


@get(CONFIRM)
async def confirm_page(identity: NamedDependency[IdentityService]) -> Html:
    """Where the link leads: its secret is in the fragment, and the page posts it."""
    return html("confirm_email.html.j2", {"workspace": (await identity.current()).name, "errors": {}})


@post(CONFIRM, guards=[Counted(SECRETS)])
async def confirm_email(
    request: Request[Any, Any, Any],
    email_changes: NamedDependency[EmailChangeService],
    identity: NamedDependency[IdentityService],
) -> Response[Any]:
    try:
        await email_changes.confirm((await read_form(request)).get("code", ""))
    except MAIL_FORM_ERRORS as error:
        errors = field_errors(error) or {"code": error.detail}
        context = {"workspace": (await identity.current()).name, "errors": errors}
        return html("confirm_email.html.j2", context, status=error.status)
    return done("/login", "email-changed")
