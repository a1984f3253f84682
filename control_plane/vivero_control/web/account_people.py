"""The pages on who manages a workspace, and which workspaces somebody manages."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import WebError

from vivero_control.domain.accounts.deletion import WorkspaceDeletion
from vivero_control.domain.accounts.people import MANAGERS_MAX, WorkspacePeople
from vivero_control.domain.accounts.service import ManagedWorkspaces, NoAccountSessionError
from vivero_control.domain.accounts.sessions import COOKIE, AccountSessions, Holder
from vivero_control.settings import Settings
from vivero_control.web import account_lines
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal, session_of
from vivero_control.web.site import ACCOUNT, form_page

PEOPLE: Final = f"{ACCOUNT}/people"
WORKSPACES: Final = f"{ACCOUNT}/workspaces"
_DONE: Final = {
    "named": "They can manage the workspace now, and were told by mail",
    "removed": "They cannot manage the workspace any more, and were told by mail",
}


class PersonForm(Struct, kw_only=True):
    """The form's field as typed."""

    email: str = ""


_LISTED: Final = {
    "deleted": "The workspace is deleted. A mail says until when it can be brought back",
    "back": "The workspace is brought back. It opens within two minutes",
}


class DeletedForm(Struct, kw_only=True):
    """The deleted workspace of the button."""

    id: str = ""


class ChoiceForm(Struct, kw_only=True):
    """The workspace of the button."""

    tenant: str = ""


async def _page(
    portal: Portal, people: WorkspacePeople, error: WebError | None = None, *, email: str = "", done: str = ""
) -> Template:
    owner = portal.visit.tenant.spec.owner
    return portal.page(
        "account_people",
        "/people",
        error,
        owner=owner.email if owner else "",
        managers=await people.all(portal.visit),
        managers_max=MANAGERS_MAX,
        email=email,
        done=_DONE.get(done, ""),
    )


class AccountPeopleController(Controller):
    """Who manages the workspace."""

    path = PEOPLE
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_people: NamedDependency[WorkspacePeople],
    ) -> Template:
        return await _page(portal, workspace_people, done=request.query_params.get("done", ""))

    @post("/name", status_code=HTTP_303_SEE_OTHER)
    async def name(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_people: NamedDependency[WorkspacePeople],
    ) -> Redirect | Template:
        typed = (await read_form_as(request, PersonForm)).email
        try:
            await workspace_people.name(portal.visit, typed)
        except REFUSALS as error:
            return await _page(portal, workspace_people, error, email=typed)
        return Redirect(f"{PEOPLE}?done=named", status_code=HTTP_303_SEE_OTHER)

    @post("/remove", status_code=HTTP_303_SEE_OTHER)
    async def remove(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_people: NamedDependency[WorkspacePeople],
    ) -> Redirect:
        email = (await read_form_as(request, PersonForm)).email
        await workspace_people.remove(portal.visit, email)
        return Redirect(f"{PEOPLE}?done=removed", status_code=HTTP_303_SEE_OTHER)


async def session_holder(
    request: Request[Any, Any, Any], accounts: AccountSessions, managed: ManagedWorkspaces
) -> Holder:
    """Whose session it is, whatever workspace is chosen. Raises BillingOffError, NoAccountSessionError."""
    managed.check_on()
    holder = await session_of(request, accounts)
    if holder is None:
        raise NoAccountSessionError
    return holder


class AccountWorkspacesController(Controller):
    """Which of several workspaces the pages are about."""

    path = WORKSPACES
    include_in_schema = False

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        managed: NamedDependency[ManagedWorkspaces],
        settings: NamedDependency[Settings],
        workspace_deletion: NamedDependency[WorkspaceDeletion],
    ) -> Template:
        holder = await session_holder(request, accounts, managed)
        done = request.query_params.get("done", "")
        return await _list(holder, managed, workspace_deletion, settings, done=_LISTED.get(done, ""))

    @post("/choose", status_code=HTTP_303_SEE_OTHER)
    async def choose(
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        managed: NamedDependency[ManagedWorkspaces],
    ) -> Redirect:
        """To one that the person manages: which these are is asked here, not by the page that was sent."""
        holder = await session_holder(request, accounts, managed)
        name = (await read_form_as(request, ChoiceForm)).tenant
        wanted = await managed.choice(holder, name)
        await accounts.choose(request.cookies[COOKIE], wanted)
        return Redirect(ACCOUNT, status_code=HTTP_303_SEE_OTHER)

    @post("/bring-back", status_code=HTTP_303_SEE_OTHER)
    async def bring_back(
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        managed: NamedDependency[ManagedWorkspaces],
        settings: NamedDependency[Settings],
        workspace_deletion: NamedDependency[WorkspaceDeletion],
    ) -> Redirect | Template:
        """One that its owner has deleted."""
        holder = await session_holder(request, accounts, managed)
        ident = (await read_form_as(request, DeletedForm)).id
        try:
            await workspace_deletion.bring_back(holder.email, ident)
        except REFUSALS as error:
            return await _list(holder, managed, workspace_deletion, settings, error)
        return Redirect(f"{WORKSPACES}?done=back", status_code=HTTP_303_SEE_OTHER)


async def _list(  # noqa: PLR0913  what the page is made of
    holder: Holder,
    managed: ManagedWorkspaces,
    deletion: WorkspaceDeletion,
    settings: Settings,
    error: WebError | None = None,
    *,
    done: str = "",
) -> Template:
    found = await managed.of(holder.email)
    return form_page(
        "account_workspaces",
        settings,
        error,
        email=holder.email,
        workspaces=[account_lines.choice(one, holder, settings.tenant_url) for one in found],
        deleted=await deletion.deleted(holder.email),
        done=done,
    )
