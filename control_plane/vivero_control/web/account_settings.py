"""The page on which a workspace is renamed."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH
from vivero_web.bodies import read_form_as
from vivero_web.errors import WebError

from vivero_control.domain.tenants.schemas import Rename
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT

SETTINGS: Final = f"{ACCOUNT}/settings"
_ASKED_FOR: Final = "Asked for on the account page."
"""The reason in the audit log, where staff give one of their own."""


class NameForm(Struct, kw_only=True):
    """The form's field as typed."""

    display_name: str = ""


def _page(portal: Portal, name: str, error: WebError | None = None, *, renamed: bool = False) -> Template:
    return portal.page(
        "account_settings",
        "/settings",
        error,
        typed=name,
        name_max=DISPLAY_NAME_MAX_LENGTH,
        renamed=renamed,
    )


class AccountSettingsController(Controller):
    """What can be set of a workspace from outside it."""

    path = SETTINGS
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/", sync_to_thread=False)
    def page(self, request: Request[Any, Any, Any], portal: NamedDependency[Portal]) -> Template:
        renamed = request.query_params.get("done", "") == "renamed"
        return _page(portal, portal.visit.tenant.spec.display_name, renamed=renamed)

    @post("/name", status_code=HTTP_303_SEE_OTHER)
    async def rename(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        tenants: NamedDependency[TenantService],
    ) -> Redirect | Template:
        typed = (await read_form_as(request, NameForm)).display_name
        visit = portal.visit
        try:
            await tenants.rename(visit.tenant.name, Rename(reason=_ASKED_FOR, display_name=typed), visit.actor)
        except REFUSALS as error:
            return _page(portal, typed, error)
        return Redirect(f"{SETTINGS}?done=renamed", status_code=HTTP_303_SEE_OTHER)
