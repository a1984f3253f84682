"""The staff's pages about views of the tenants' list: all that one sees, and the form of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.schemas import NAME_MAX, Column, NewView, TenantView, Wanted
from vivero_control.domain.tenant_views.service import TenantViews
from vivero_control.domain.tenants.schemas import Only, TenantState
from vivero_control.web import presentation
from vivero_control.web.site import known
from vivero_control.web.staff_shell import HOME, VIEWS, shell

HEADS: Final = {
    Column.STATUS: {"label": "Status", "sort": "state"},
    Column.PLAN: {"label": "Plan", "sort": "plan"},
    Column.OWNER: {"label": "Owner"},
    Column.TRIAL: {"label": "Trial ends", "sort": "trial_ends_at"},
    Column.VERSION: {"label": "Version"},
    Column.AGE: {"label": "Age", "sort": "created_at"},
}
STATES: Final = [("", "All customers"), *((one.value, presentation.STATES[one].words) for one in TenantState)]
ONLY: Final = [
    ("", "Any of them"),
    (Only.TRIAL_ENDING.value, "Trial ends soon"),
    (Only.UNCONFIRMED.value, "Owner not confirmed"),
]
SORTS: Final = [
    ("-created_at", "The newest first"),
    ("created_at", "The oldest first"),
    ("name", "By name"),
    ("-name", "By name, from the end"),
    ("plan", "By plan"),
    ("-plan", "By plan, from the end"),
    ("state", "By status"),
    ("-state", "By status, from the end"),
    ("trial_ends_at", "The trial that ends first"),
    ("-trial_ends_at", "The trial that ends last"),
]
DONE: Final = {
    "saved": "The view is saved.",
    "deleted": "The view is deleted.",
    "first": "This is what you see first from now on.",
}
COPY_OF: Final = "Copy of "


def address(view: TenantView) -> str:
    """The list as the view has it."""
    return f"{HOME}?{urlencode({'view': view.id, **policies.written(view.wanted)})}"


def form_address(which: str | int, wanted: Wanted) -> str:
    """The form with these filters in it."""
    return f"{VIEWS}/{which}?{urlencode(policies.written(wanted))}"


def change_address(opened: TenantView | None, wanted: Wanted) -> str:
    """Empty where there is nothing to change, or not by this member."""
    if opened is None or not opened.may_change or opened.wanted == wanted:
        return ""
    return form_address(opened.id, wanted)


def tabs(views: Sequence[TenantView], opened: TenantView | None) -> list[tuple[str, str, bool]]:
    """Words, address, and whether it is the one that is open."""
    everybody = ("All customers", f"{HOME}?sort={policies.sort_word(Wanted())}", opened is None)
    return [everybody, *((one.name, address(one), one == opened) for one in views)]


def words(wanted: Wanted) -> str:
    """What a view shows, in a line."""
    parts = [
        f"“{wanted.search}”" if wanted.search else "",
        dict(STATES)[wanted.state or ""],
        wanted.plan,
        dict(ONLY)[wanted.only] if wanted.only else "",
        dict(SORTS)[policies.sort_word(wanted)].lower(),
        f"{len(wanted.columns)} of {len(Column)} columns" if wanted.columns else "",
    ]
    return " · ".join(part for part in parts if part)


def typed_of(view: NewView | TenantView) -> dict[str, str]:
    """A view as its form has it."""
    columns = {_box(one): "true" for one in view.wanted.columns or Column}
    shared = {"shared": "true"} if view.shared else {}
    return {"name": view.name, **shared, **policies.written(view.wanted), **columns}


def new_view(typed: Mapping[str, str]) -> NewView:
    """The form as a view. All columns are the same as none chosen: one that comes later is among them, too."""
    chosen = [one for one in Column if _box(one) in typed]
    columns = "" if len(chosen) == len(Column) else ",".join(chosen)
    wanted = policies.read({**typed, "columns": columns})
    return NewView(name=typed.get("name", ""), shared="shared" in typed, wanted=wanted)


def _box(column: Column) -> str:
    return f"column_{column}"


@dataclass(frozen=True, slots=True)
class SavedViewPages:
    """What the pages need; Litestar makes it from the services it names."""

    tenant_views: NamedDependency[TenantViews]
    plans: NamedDependency[PlanService]
    member: NamedDependency[StaffView]

    async def listed(self, done: str) -> Template:
        views = (await self.tenant_views.all(self.member)).items
        context: dict[str, Any] = {
            "shell": shell(self.member),
            "here": VIEWS,
            "back": HOME,
            "lines": [(one, address(one), words(one.wanted)) for one in views],
            "has_first": any(one.is_default for one in views),
            "done": DONE.get(done, ""),
        }
        return Template("pages/saved_views.html.j2", context=context)

    def form(
        self, typed: Mapping[str, str], view: TenantView | None, error: InvalidInputError | None = None
    ) -> Template:
        context: dict[str, Any] = {
            "shell": shell(self.member),
            "here": f"{VIEWS}/{view.id if view else 'new'}",
            "back": VIEWS,
            "view": view,
            "typed": typed,
            "errors": error.by_field if error else {},
            "states": STATES,
            "only": ONLY,
            "sorts": SORTS,
            "plan_options": [("", "Any plan"), *((one.name, one.display_name) for one in known(self.plans.all))],
            "columns": [(_box(one), str(HEADS[one]["label"])) for one in Column],
            "name_max": NAME_MAX,
        }
        return Template("pages/saved_view.html.j2", context=context, status_code=error.status if error else 200)


class SavedViewsController(Controller):
    """Behind the staff login."""

    path = VIEWS
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(SavedViewPages, sync_to_thread=False),
    }

    @get("/", name="saved-views")
    async def listed(self, request: Request[Any, Any, Any], shown: NamedDependency[SavedViewPages]) -> Template:
        return await shown.listed(request.query_params.get("done", ""))

    @get("/new")
    async def new_page(self, request: Request[Any, Any, Any], shown: NamedDependency[SavedViewPages]) -> Template:
        """With the filters of the address, or as a copy of a view."""
        copied = whole_number(request.query_params.get("copy", ""))
        if not copied:
            return shown.form(typed_of(NewView(name="", wanted=policies.read(request.query_params))), None)
        view = await shown.tenant_views.get(copied, shown.member)
        return shown.form({**typed_of(view), "name": (COPY_OF + view.name)[:NAME_MAX]}, None)

    @post("/new", status_code=HTTP_303_SEE_OTHER)
    async def make(self, request: Request[Any, Any, Any], shown: NamedDependency[SavedViewPages]) -> Response[Any]:
        typed = await read_form(request)
        try:
            made = await shown.tenant_views.make(new_view(typed), shown.member)
        except InvalidInputError as error:
            return shown.form(typed, None, error)
        return Redirect(address(made), status_code=HTTP_303_SEE_OTHER)

    @post("/first", status_code=HTTP_303_SEE_OTHER)
    async def choose(self, request: Request[Any, Any, Any], shown: NamedDependency[SavedViewPages]) -> Redirect:
        """Without the number of a view: every customer."""
        typed = await read_form(request)
        await shown.tenant_views.choose(whole_number(typed.get("view", "")) or None, shown.member)
        return Redirect(f"{VIEWS}?done=first", status_code=HTTP_303_SEE_OTHER)

    @get("/{view:int}", name="saved-view")
    async def change_page(
        self, request: Request[Any, Any, Any], view: FromPath[int], shown: NamedDependency[SavedViewPages]
    ) -> Template:
        """With the filters of the address, if it has some, in place of those that are saved."""
        found, params = await shown.tenant_views.get(view, shown.member), request.query_params
        wanted = policies.read(params) if params else found.wanted
        return shown.form(typed_of(NewView(name=found.name, shared=found.shared, wanted=wanted)), found)

    @post("/{view:int}", status_code=HTTP_303_SEE_OTHER)
    async def change(
        self, request: Request[Any, Any, Any], view: FromPath[int], shown: NamedDependency[SavedViewPages]
    ) -> Response[Any]:
        typed = await read_form(request)
        try:
            await shown.tenant_views.change(view, new_view(typed), shown.member)
        except InvalidInputError as error:
            return shown.form(typed, await shown.tenant_views.get(view, shown.member), error)
        return Redirect(f"{VIEWS}?done=saved", status_code=HTTP_303_SEE_OTHER)

    @post("/{view:int}/delete", status_code=HTTP_303_SEE_OTHER)
    async def delete(self, view: FromPath[int], shown: NamedDependency[SavedViewPages]) -> Redirect:
        await shown.tenant_views.delete(view, shown.member)
        return Redirect(f"{VIEWS}?done=deleted", status_code=HTTP_303_SEE_OTHER)
