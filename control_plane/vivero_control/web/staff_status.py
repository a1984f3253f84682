"""The staff's pages about the status page: what is on it, and what they announce."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import FieldError, InvalidInputError, WebError

from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.status.policies import INCIDENT, MAINTENANCE, states_of
from vivero_control.domain.status.schemas import Component, IncidentState, NewIncident, NewUpdate
from vivero_control.domain.status.service import StatusService
from vivero_control.web import tenant_forms
from vivero_control.web.staff_shell import STATUS, shell
from vivero_control.web.status import COMPONENTS, HEADLINES, INCIDENT_STATES, STATES, names_of

DONE: Final = {
    "announced": "It is on the status page, for everybody to read.",
    "said": "It is on the status page, and in the feed.",
}
MOMENTS: Final = ("begins_at", "ends_at")
NO_TEXTS: Final[Mapping[str, str]] = {}


def _box(component: Component) -> str:
    """The name of its checkbox."""
    return f"on_{component}"


def announcement(typed: Mapping[str, str]) -> NewIncident:
    """The form as an announcement.

    Raises:
        InvalidInputError: naming the fields that cannot be read; the rules of what is read come after.
    """
    errors = [
        FieldError(name, "Enter a day and a time, such as 2026-11-29 14:05.")
        for name in MOMENTS
        if typed.get(name, "").strip() and tenant_forms.moment(typed[name]) is None
    ]
    state = _state(typed)
    if state is None:
        errors.append(FieldError("state", "Choose one of the states."))
    if errors or state is None:
        raise InvalidInputError.of_all(errors)
    return NewIncident(
        title=typed.get("title", ""),
        text=_lines(typed),
        state=state,
        components=[one for one in Component if _box(one) in typed],
        begins_at=tenant_forms.moment(typed.get("begins_at", "")),
        ends_at=tenant_forms.moment(typed.get("ends_at", "")),
    )


def update(typed: Mapping[str, str]) -> NewUpdate:
    """The form as what is said. Raises InvalidInputError."""
    state = _state(typed)
    if state is None:
        raise InvalidInputError.of("state", "Choose one of the states.")
    return NewUpdate(state=state, text=_lines(typed))


def _state(typed: Mapping[str, str]) -> IncidentState | None:
    chosen = typed.get("state", "")
    return IncidentState(chosen) if chosen in set(IncidentState) else None


def _lines(typed: Mapping[str, str]) -> str:
    """As a browser sends it, with one sign for the end of a line."""
    return typed.get("text", "").replace("\r\n", "\n")


def _page(name: str, member: StaffView, error: WebError | None = None, **context: object) -> Template:
    errors = error.by_field if error else {}
    given: dict[str, Any] = {
        "shell": shell(member, STATUS),
        "here": STATUS,
        "incident_states": INCIDENT_STATES,
        "names_of": names_of,
        "errors": errors,
        "problem": error.detail if error and not errors else "",
        **context,
    }
    return Template(f"pages/{name}.html.j2", context=given, status_code=error.status if error else HTTP_200_OK)


def _announce_page(member: StaffView, typed: Mapping[str, str], error: WebError | None = None) -> Template:
    return _page(
        "incident_new",
        member,
        error,
        typed=typed,
        components=[(_box(one), *COMPONENTS[one]) for one in Component],
        states=[(str(one), INCIDENT_STATES[one].words) for one in INCIDENT + MAINTENANCE],
    )


async def _incident_page(
    status: StatusService, member: StaffView, number: int, typed: Mapping[str, str], error: WebError | None = None
) -> Template:
    incident = await status.incident(number)
    states = [(str(one), INCIDENT_STATES[one].words) for one in states_of(incident.state)]
    return _page("incident", member, error, incident=incident, typed=typed, states=states)


class StaffStatusController(Controller):
    """Behind the staff login."""

    path = STATUS
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="staff-status")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        status: NamedDependency[StatusService],
    ) -> Template:
        view = await status.view()
        measured = [(*COMPONENTS[one.component], STATES[one.state], one.measured_at) for one in view.components]
        return _page(
            "staff_status",
            member,
            view=view,
            headline=HEADLINES[view.state],
            measured=measured,
            done=DONE.get(request.query_params.get("done", ""), ""),
        )

    @get("/new", sync_to_thread=False)
    def announce_page(self, member: NamedDependency[StaffView]) -> Template:
        return _announce_page(member, {"state": IncidentState.INVESTIGATING})

    @post("/new", status_code=HTTP_303_SEE_OTHER)
    async def announce(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        status: NamedDependency[StatusService],
    ) -> Response[Any]:
        typed = await read_form(request)
        try:
            await status.announce(announcement(typed), member.email)
        except InvalidInputError as error:
            return _announce_page(member, typed, error)
        return Redirect(f"{STATUS}?done=announced", status_code=HTTP_303_SEE_OTHER)

    @get("/{number:int}", name="incident")
    async def incident(
        self, number: FromPath[int], member: NamedDependency[StaffView], status: NamedDependency[StatusService]
    ) -> Template:
        return await _incident_page(status, member, number, NO_TEXTS)

    @post("/{number:int}/updates", status_code=HTTP_303_SEE_OTHER)
    async def say(
        self,
        request: Request[Any, Any, Any],
        number: FromPath[int],
        member: NamedDependency[StaffView],
        status: NamedDependency[StatusService],
    ) -> Response[Any]:
        typed = await read_form(request)
        try:
            await status.say(number, update(typed), member.email)
        except InvalidInputError as error:
            return await _incident_page(status, member, number, typed, error)
        return Redirect(f"{STATUS}?done=said", status_code=HTTP_303_SEE_OTHER)
