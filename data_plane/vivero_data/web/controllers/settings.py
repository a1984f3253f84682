"""The workspace's settings: its time zone, and how it writes numbers and dates."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError

from vivero_data.domain.notation.service import NotationService, SettingsChanges, time_zones
from vivero_data.domain.users.schemas import Permission
from vivero_data.lib.notation import Dates, Numbers
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_ACTION: Final = "change the settings of this workspace"
_ANY: Final = ("", "As typed, where that has one meaning alone")


@get("/settings")
async def settings_page(visit: NamedDependency[Visit], notation: NamedDependency[NotationService]) -> Html:
    require(visit, Permission.MANAGE_WORKSPACE, _ACTION)
    now = await notation.get(visit.actor)
    typed = {
        "time_zone": now.time_zone,
        "number_notation": now.number_notation or "",
        "date_notation": now.date_notation or "",
    }
    return _form(visit, typed)


@post("/settings")
async def change_settings(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], notation: NamedDependency[NotationService]
) -> Response[Any]:
    require(visit, Permission.MANAGE_WORKSPACE, _ACTION)
    form = await read_form(request)
    try:
        await notation.change(visit.actor, _changes(form))
    except FORM_ERRORS as error:
        return _form(visit, form, error)
    return done("/settings", "settings-saved")


def _changes(form: dict[str, str]) -> SettingsChanges:
    numbers, dates = form.get("number_notation", ""), form.get("date_notation", "")
    if numbers not in {"", *Numbers}:
        raise InvalidInputError.of("number_notation", "must be one of those in the list")
    if dates not in {"", *Dates}:
        raise InvalidInputError.of("date_notation", "must be one of those in the list")
    return SettingsChanges(
        form.get("time_zone", "").strip(), Numbers(numbers) if numbers else None, Dates(dates) if dates else None
    )


def _form(visit: Visit, typed: dict[str, str], problem: WebError | None = None) -> Html:
    context = {
        "typed": typed,
        "zones": [(name, name.replace("_", " ")) for name in sorted(time_zones())],
        "numbers": [_ANY, *((one.value, one.value) for one in Numbers)],
        "dates": [_ANY, *((one.value, one.value) for one in Dates)],
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "settings/form.html.j2", context, status=problem.status if problem else 200)
