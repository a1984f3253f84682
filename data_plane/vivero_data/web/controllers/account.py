"""The user's own account: profile, password, notation, logging out."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import structs
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.request_context import caller_of

from vivero_data.domain.notation.person import PersonNotationChanges, PersonNotationService
from vivero_data.domain.users.schemas import PasswordChange
from vivero_data.domain.users.service import UserService
from vivero_data.web import notation_form
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html

_WORKSPACES: Final = "As the workspace"


@get("/account")
async def account(visit: NamedDependency[Visit]) -> Html:
    return account_page(visit)


@get("/account/notation")
async def notation_page(visit: NamedDependency[Visit], person_notation: NamedDependency[PersonNotationService]) -> Html:
    own = await person_notation.get(visit.actor)
    typed = {name: value or "" for name, value in structs.asdict(own).items()}
    return _notation(visit, typed)


@post("/account/notation")
async def change_notation(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    person_notation: NamedDependency[PersonNotationService],
) -> Response[Any]:
    form = await read_form(request)
    try:
        said = notation_form.chosen(form)
        changes = PersonNotationChanges(said.zone or None, said.numbers, said.dates)
        await person_notation.change(visit.actor, changes)
    except FORM_ERRORS as error:
        return _notation(visit, form, error)
    return done("/account/notation", "notation-saved")


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


def _notation(visit: Visit, typed: Mapping[str, str], problem: WebError | None = None) -> Html:
    context = {
        "typed": typed,
        **notation_form.choices(_WORKSPACES),
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "account/notation.html.j2", context, status=problem.status if problem else 200)
