"""The workspace's settings: its time zone, how it writes numbers and dates, and how everybody logs in."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from vivero_web.bodies import read_form
from vivero_web.errors import WebError

from vivero_data.domain.notation.service import NotationService, SettingsChanges
from vivero_data.domain.second_factors.schemas import LoginRules
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.users.schemas import Permission
from vivero_data.web import notation_form
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, require, require_owner, show
from vivero_data.web.render import Html

_ACTION: Final = "change the settings of this workspace"
_ANY: Final = "As typed, where that has one meaning alone"


@get("/settings")
async def settings_page(
    visit: NamedDependency[Visit],
    notation: NamedDependency[NotationService],
    second_factors: NamedDependency[SecondFactorService],
) -> Html:
    require(visit, Permission.MANAGE_WORKSPACE, _ACTION)
    now = await notation.get(visit.actor)
    typed = {
        "time_zone": now.time_zone,
        "number_notation": now.number_notation or "",
        "date_notation": now.date_notation or "",
    }
    return _form(visit, typed, await second_factors.rules(visit.actor))


@post("/settings")
async def change_settings(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    notation: NamedDependency[NotationService],
    second_factors: NamedDependency[SecondFactorService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_WORKSPACE, _ACTION)
    form = await read_form(request)
    try:
        said = notation_form.chosen(form)
        await notation.change(visit.actor, SettingsChanges(said.zone, said.numbers, said.dates))
    except FORM_ERRORS as error:
        return _form(visit, form, await second_factors.rules(visit.actor), error)
    return done("/settings", "settings-saved")


@post("/settings/logins")
async def change_login_rules(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    second_factors: NamedDependency[SecondFactorService],
) -> Redirect:
    require_owner(visit, Permission.MANAGE_ADMINS, "change how everybody logs in")
    form = await read_form(request)
    await second_factors.change_rules(visit.actor, LoginRules("second_factor_required" in form))
    return done("/settings", "settings-saved")


def _form(visit: Visit, typed: dict[str, str], rules: LoginRules, problem: WebError | None = None) -> Html:
    context = {
        "typed": typed,
        "rules": rules,
        **notation_form.choices(_ANY),
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "settings/form.html.j2", context, status=problem.status if problem else 200)
