"""The page on which a workspace is renamed, and deleted."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH
from vivero_web.bodies import read_form_as
from vivero_web.errors import WebError

from vivero_control.domain.accounts.backups import ASKED_FOR
from vivero_control.domain.accounts.deletion import WorkspaceDeletion
from vivero_control.domain.tenants.schemas import Rename
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web.account_people import WORKSPACES
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT

SETTINGS: Final = f"{ACCOUNT}/settings"


class NameForm(Struct, kw_only=True):
    """The form's field as typed."""

    display_name: str = ""


class DeleteForm(Struct, kw_only=True):
    """The form's field as typed."""

    confirm: str = ""


async def _page(  # noqa: PLR0913  what the page shows
    portal: Portal,
    deletion: WorkspaceDeletion,
    error: WebError | None = None,
    *,
    name: str | None = None,
    confirm: str = "",
    renamed: bool = False,
) -> Template:
    tenant = portal.visit.tenant
    return portal.page(
        "account_settings",
        "/settings",
        error,
        typed=tenant.spec.display_name if name is None else name,
        name_max=DISPLAY_NAME_MAX_LENGTH,
        renamed=renamed,
        slug=tenant.spec.slug or "",
        confirm=confirm,
        hindrance=await deletion.hindrance(tenant),
        undo_days=deletion.undo_days(tenant),
    )


class AccountSettingsController(Controller):
    """What can be set of a workspace from outside it."""

    path = SETTINGS
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_deletion: NamedDependency[WorkspaceDeletion],
    ) -> Template:
        return await _page(portal, workspace_deletion, renamed=request.query_params.get("done", "") == "renamed")

    @post("/name", status_code=HTTP_303_SEE_OTHER)
    async def rename(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        tenants: NamedDependency[TenantService],
        workspace_deletion: NamedDependency[WorkspaceDeletion],
    ) -> Redirect | Template:
        typed = (await read_form_as(request, NameForm)).display_name
        visit = portal.visit
        try:
            await tenants.rename(visit.tenant.name, Rename(reason=ASKED_FOR, display_name=typed), visit.actor)
        except REFUSALS as error:
            return await _page(portal, workspace_deletion, error, name=typed)
        return Redirect(f"{SETTINGS}?done=renamed", status_code=HTTP_303_SEE_OTHER)

    @post("/delete", status_code=HTTP_303_SEE_OTHER)
    async def delete(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_deletion: NamedDependency[WorkspaceDeletion],
    ) -> Redirect | Template:
        """To the list of workspaces, where it can be brought back."""
        typed = (await read_form_as(request, DeleteForm)).confirm
        try:
            await workspace_deletion.delete(portal.visit, typed)
        except REFUSALS as error:
            return await _page(portal, workspace_deletion, error, confirm=typed)
        return Redirect(f"{WORKSPACES}?done=deleted", status_code=HTTP_303_SEE_OTHER)
