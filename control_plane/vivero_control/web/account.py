"""The way into the pages for who manages a workspace, and the first of them: how it is."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, LinkSpentError, TooManyRequestsError, UnavailableError, WebError
from vivero_web.links import secret_in
from vivero_web.rate_limit import LOGOUTS, SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_control.domain.accounts.links import AccountLinks
from vivero_control.domain.accounts.service import ManagedWorkspaces, NoAccountSessionError
from vivero_control.domain.accounts.sessions import COOKIE, AccountSessions
from vivero_control.domain.accounts.tickets import AccountTickets
from vivero_control.domain.accounts.usage import WorkspaceUsage
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.settings import Settings
from vivero_control.web import account_lines, billing_lines
from vivero_control.web.account_people import WORKSPACES
from vivero_control.web.account_shell import Portal, session_of
from vivero_control.web.site import ACCOUNT, form_page, known, workspace_domain
from vivero_control.web.workspace_login import typed_slug

_ASK_ERRORS: Final = (InvalidInputError, TooManyRequestsError, UnavailableError)


class AddressForm(Struct, kw_only=True):
    """The form's field as typed: an e-mail address, or that of a workspace."""

    address: str = ""


class LinkForm(Struct, kw_only=True):
    """The form's field as typed."""

    code: str = ""

    def __repr__(self) -> str:
        """Without it: a repr ends in logs."""
        return "LinkForm(…)"


def _ask_page(settings: Settings, error: WebError | None = None, *, address: str = "", asked: bool = False) -> Template:
    return form_page(
        "account_link",
        settings,
        error,
        domain=workspace_domain(settings),
        address=address,
        asked=asked,
    )


def _open_page(
    settings: Settings, error: WebError | None = None, code: str = "", *, from_workspace: bool = False
) -> Template:
    """Where a one-time link leads. One of the workspace itself goes on without a click; mail programs follow links."""
    return form_page(
        "account_open",
        settings,
        error,
        code=code,
        from_workspace=from_workspace,
    )


class AccountController(Controller):
    """In, out, and the overview of one workspace."""

    path = ACCOUNT
    include_in_schema = False

    @get("/")
    async def overview(  # noqa: PLR0917, PLR0913  the page without a session has none of what the others have
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        managed: NamedDependency[ManagedWorkspaces],
        billing: NamedDependency[BillingService],
        settings: NamedDependency[Settings],
        clock: NamedDependency[Clock],
        plans: NamedDependency[PlanService],
        workspace_usage: NamedDependency[WorkspaceUsage],
    ) -> Template | Redirect:
        """How the workspace is for who is let in, else the list to choose from, or the form that asks for a link."""
        managed.check_on()
        holder = await session_of(request, accounts)
        try:
            visit = await managed.visit(holder)
        except (NoAccountSessionError, TenantNotFoundError):
            if holder is not None and holder.email:
                return Redirect(WORKSPACES, status_code=HTTP_303_SEE_OTHER)
            return _ask_page(settings, address=request.query_params.get("workspace", "")[:63])
        view = await billing.of_tenant(visit.tenant.metadata.uid)
        offers = known(billing.offers)
        return Portal(billing, settings, clock, visit).page(
            "account",
            plan=billing_lines.plan(view, offers),
            days_left=account_lines.days_left(visit.tenant, clock()),
            meters=account_lines.meters(await workspace_usage.read(visit.tenant)),
            requests_per_minute=account_lines.requests_per_minute(visit.tenant, known(plans.all)),
        )

    @post("/link", status_code=HTTP_200_OK)
    async def ask(
        self,
        request: Request[Any, Any, Any],
        account_links: NamedDependency[AccountLinks],
        settings: NamedDependency[Settings],
    ) -> Template:
        typed = (await read_form_as(request, AddressForm)).address.strip()
        slug, caller = typed_slug(typed, workspace_domain(settings)), caller_of(request.scope)
        ask = account_links.ask_by_email(typed, caller) if "@" in typed else account_links.ask(slug, caller)
        try:
            await ask
        except _ASK_ERRORS as error:
            return _ask_page(settings, error, address=typed)
        return _ask_page(settings, address=typed if "@" in typed else slug, asked=True)

    @get("/open", sync_to_thread=False)
    def open_page(self, managed: NamedDependency[ManagedWorkspaces], settings: NamedDependency[Settings]) -> Template:
        managed.check_on()
        return _open_page(settings)

    @post("/open", status_code=HTTP_303_SEE_OTHER, guards=[Counted(SECRETS)])
    async def open(
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        settings: NamedDependency[Settings],
    ) -> Redirect | Template:
        code = (await read_form_as(request, LinkForm)).code
        try:
            cookie = await accounts.open(secret_in(code))
        except LinkSpentError as error:
            return _open_page(settings, error, code)
        return Redirect(ACCOUNT, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])

    @get("/enter", sync_to_thread=False)
    def enter_page(self, managed: NamedDependency[ManagedWorkspaces], settings: NamedDependency[Settings]) -> Template:
        managed.check_on()
        return _open_page(settings, from_workspace=True)

    @post("/enter", status_code=HTTP_303_SEE_OTHER, guards=[Counted(SECRETS)])
    async def enter(
        self,
        request: Request[Any, Any, Any],
        account_tickets: NamedDependency[AccountTickets],
        settings: NamedDependency[Settings],
    ) -> Redirect | Template:
        code = (await read_form_as(request, LinkForm)).code
        try:
            cookie = await account_tickets.open(secret_in(code))
        except (LinkSpentError, UnavailableError) as error:
            return _open_page(settings, error, code, from_workspace=True)
        return Redirect(ACCOUNT, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])

    @post("/leave", status_code=HTTP_303_SEE_OTHER, guards=[Counted(LOGOUTS)])
    async def leave(self, request: Request[Any, Any, Any], accounts: NamedDependency[AccountSessions]) -> Redirect:
        cookie = await accounts.close(request.cookies.get(COOKIE))
        return Redirect(ACCOUNT, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])
