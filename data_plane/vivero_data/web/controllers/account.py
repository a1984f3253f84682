"""The user's own account: profile, password, logging out."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.request_context import caller_of

from vivero_data.domain.users.schemas import PasswordChange
from vivero_data.domain.users.service import UserService
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html


@get("/account")
async def account(visit: NamedDependency[Visit]) -> Html:
    return account_page(visit)


@post("/account/password")
async def change_password(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], users: NamedDependency[UserService]
) -> Response[Any]:
    form = await read_form(request)
    change = PasswordChange(form.get("current_password", ""), form.get("new_password", ""))
    try:
        await users.change_password(visit.actor, change, caller_of(request.scope))
    except FORM_ERRORS as error:
        return account_page(visit, error, form="password")
    return done("/account", "password-changed")


def account_page(visit: Visit, problem: WebError | None = None, form: str = "", email: str = "") -> Html:
    """`form`: the one that `problem` belongs to; `email`: what was typed into that of the address."""
    context = {
        "form": form,
        "email": email,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "account/profile.html.j2", context, status=problem.status if problem else 200)
