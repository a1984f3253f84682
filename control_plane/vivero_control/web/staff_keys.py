"""The staff's own API keys: the list, making one, and the page of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.api_keys import (
    DAYS_OFFERED,
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_HOURS,
    OVERLAPS_OFFERED,
    ApiKeyChanges,
    chosen_days,
    chosen_rotation,
    options,
)
from vivero_web.bodies import read_form
from vivero_web.clock import now
from vivero_web.errors import ConflictError, InvalidInputError, WebError

from vivero_control.domain.api_keys.schemas import NewStaffApiKey
from vivero_control.domain.api_keys.service import StaffApiKeys
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.policies import scopes_open_to
from vivero_control.domain.staff.schemas import Scope, StaffView
from vivero_control.web.staff_shell import KEYS, SECURITY, shell

LABELS: Final = {
    Scope.READ: ("Read", "Everything that you may read, but who is of the staff. Every key may."),
    Scope.MANAGE_TENANTS: (
        "Manage tenants",
        "Suspend, resume, extend trials, change plans, bring deleted ones back, save views.",
    ),
    Scope.MANAGE_LEADS: ("Manage leads", "Say who looks after a lead."),
    Scope.PUBLISH_STATUS: ("Publish status", "Announce incidents and maintenance on the status page."),
    Scope.BACK_UP: ("Back up", "Back workspaces and the platform up, and bring workspaces back."),
    Scope.SELL: ("Sell", "Quotes, contracts and their invoices."),
}
DONE: Final = {"saved": "The key is saved.", "revoked": "The key is revoked. Programs that use it are refused."}
_FORM_ERRORS: Final = (InvalidInputError, ConflictError)


@dataclass(frozen=True, slots=True)
class KeyPages:
    """What the pages need; Litestar makes it from the services it names."""

    api_keys: NamedDependency[StaffApiKeys]
    member: NamedDependency[StaffView]

    def show(self, page: str, error: WebError | None = None, **context: object) -> Template:
        errors = error.by_field if error else {}
        return Template(
            f"pages/{page}.html.j2",
            context={
                "shell": shell(self.member, SECURITY),
                "base": KEYS,
                "labels": LABELS,
                "now": now(),
                "errors": errors,
                "problem": error.detail if error else "",
                **context,
            },
            status_code=error.status if error else HTTP_200_OK,
        )

    def new(self, form: Mapping[str, str], error: WebError | None = None) -> Template:
        scopes = [(scope, *LABELS[scope]) for scope in scopes_open_to(self.member.role)]
        return self.show("staff_key_new", error, form=form, scopes=scopes, days=options(DAYS_OFFERED))

    async def one(self, number: int, name: str | None = None, error: WebError | None = None) -> Template:
        key = await self.api_keys.get(number, self.member)
        return self.show(
            "staff_key",
            error,
            key=key,
            name=key.name if name is None else name,
            overlaps=options(OVERLAPS_OFFERED),
            overlap=str(DEFAULT_OVERLAP_HOURS),
        )


class StaffKeysController(Controller):
    """Behind the staff login, of everybody for themselves."""

    path = KEYS
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(KeyPages, sync_to_thread=False),
    }

    @get("/")
    async def listed(self, request: Request[Any, Any, Any], shown: NamedDependency[KeyPages]) -> Template:
        keys = (await shown.api_keys.all(shown.member)).items
        return shown.show("staff_keys", keys=keys, done=DONE.get(request.query_params.get("done", ""), ""))

    @get("/new")
    async def new_page(self, shown: NamedDependency[KeyPages]) -> Template:
        return shown.new({"valid_days": str(DEFAULT_DAYS)})

    @post("/new", status_code=HTTP_200_OK)
    async def make(self, request: Request[Any, Any, Any], shown: NamedDependency[KeyPages]) -> Template:
        """Answers with the secret itself: no address leads to it again."""
        form = await read_form(request)
        scopes = [scope for scope in scopes_open_to(shown.member.role) if f"scope-{scope}" in form]
        try:
            made = await shown.api_keys.make(
                NewStaffApiKey(form.get("name", ""), scopes, chosen_days(form)), shown.member
            )
        except _FORM_ERRORS as error:
            return shown.new(form, error)
        return shown.show("staff_key_secret", key=made)

    @get("/{number:int}")
    async def page(self, number: FromPath[int], shown: NamedDependency[KeyPages]) -> Template:
        return await shown.one(number)

    @post("/{number:int}", status_code=HTTP_303_SEE_OTHER)
    async def rename(
        self, request: Request[Any, Any, Any], number: FromPath[int], shown: NamedDependency[KeyPages]
    ) -> Response[Any]:
        name = (await read_form(request)).get("name", "")
        try:
            await shown.api_keys.change(number, ApiKeyChanges(name), shown.member)
        except InvalidInputError as error:
            return await shown.one(number, name, error)
        return Redirect(f"{KEYS}?done=saved", status_code=HTTP_303_SEE_OTHER)

    @post("/{number:int}/rotate", status_code=HTTP_200_OK)
    async def rotate(
        self, request: Request[Any, Any, Any], number: FromPath[int], shown: NamedDependency[KeyPages]
    ) -> Template:
        """As `make`."""
        rotation = chosen_rotation(await read_form(request))
        return shown.show("staff_key_secret", key=await shown.api_keys.rotate(number, rotation, shown.member))

    @post("/{number:int}/revoke", status_code=HTTP_303_SEE_OTHER)
    async def revoke(self, number: FromPath[int], shown: NamedDependency[KeyPages]) -> Redirect:
        await shown.api_keys.revoke(number, shown.member)
        return Redirect(f"{KEYS}?done=revoked", status_code=HTTP_303_SEE_OTHER)
