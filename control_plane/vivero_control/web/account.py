"""The pages for the owner of a workspace: its plan, its invoices, and the way to the payment provider's pages."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.tenant import Tenant
from vivero_web.bodies import read_form_as
from vivero_web.clock import Clock
from vivero_web.errors import (
    ConflictError,
    InvalidInputError,
    LinkSpentError,
    TooManyRequestsError,
    UnavailableError,
    WebError,
)
from vivero_web.links import secret_in
from vivero_web.rate_limit import LOGOUTS, SECRETS, Counted
from vivero_web.request_context import caller_of
from vivero_web.security import page_policy

from vivero_control.domain.billing.errors import BillingOffError, NoAccountSessionError
from vivero_control.domain.billing.links import AccountLinks
from vivero_control.domain.billing.schemas import Interval
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.billing.sessions import COOKIE, AccountSessions
from vivero_control.domain.billing.tickets import AccountTickets
from vivero_control.settings import Settings
from vivero_control.web import billing_lines
from vivero_control.web.site import ACCOUNT, form_page, known, site_page, workspace_domain
from vivero_control.web.workspace_login import typed_slug

_ASK_ERRORS: Final = (InvalidInputError, TooManyRequestsError, UnavailableError)
_ORDER_ERRORS: Final = (InvalidInputError, ConflictError, UnavailableError)

_DONE: Final = {
    "changed": "Your plan is changed",
    "planned": "The change is planned",
    "kept": "Your plan stays as it is",
    "canceled": "Your plan is canceled",
    "resumed": "Your plan goes on",
}
"""What was just done, by the word in the address."""


class AddressForm(Struct, kw_only=True):
    """The form's field as typed."""

    slug: str = ""


class LinkForm(Struct, kw_only=True):
    """The form's field as typed."""

    code: str = ""

    def __repr__(self) -> str:
        """Without it: a repr ends in logs."""
        return "LinkForm(…)"


class OrderForm(Struct, kw_only=True):
    """The form's fields as chosen."""

    plan: str = ""
    interval: str = ""


def _ask_page(settings: Settings, error: WebError | None = None, *, slug: str = "", asked: bool = False) -> Template:
    return form_page(
        "account_link",
        settings,
        error,
        domain=workspace_domain(settings),
        slug=slug,
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


async def session_owner(
    request: Request[Any, Any, Any],
    accounts: NamedDependency[AccountSessions],
    billing: NamedDependency[BillingService],
) -> Tenant:
    """Dependency `tenant` of pages behind the link.

    Raises:
        BillingOffError: nothing is sold here.
        NoAccountSessionError: the session has ended.
        TenantNotFoundError: the workspace is gone.
    """
    if not billing.is_on:
        raise BillingOffError
    holder = await accounts.read(request.cookies.get(COOKIE))
    if holder is None:
        raise NoAccountSessionError
    return await billing.holder(holder)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The page of one workspace's plan; Litestar makes it from what it names."""

    billing: NamedDependency[BillingService]
    settings: NamedDependency[Settings]
    clock: NamedDependency[Clock]

    async def render(
        self,
        tenant: Tenant,
        *,
        paid: str = "",
        done: str = "",
        error: WebError | None = None,
        chosen: OrderForm | None = None,
    ) -> Template:
        if paid == "true":
            # Before the provider's message comes; when that fails, the message brings it.
            with suppress(UnavailableError, ConflictError):
                await self.billing.refresh(tenant.metadata.uid)
            tenant = await self.billing.holder(billing_lines.holder_of(tenant))
        view = await self.billing.of_tenant(tenant.metadata.uid)
        offers = known(self.billing.offers)
        return site_page(
            "account",
            self.settings,
            status=error.status if error else HTTP_200_OK,
            headers={"content-security-policy": page_policy(forms_to=self._pages())},
            workspace=billing_lines.workspace(tenant, self.settings.tenant_url, offers, self.clock()),
            plan=billing_lines.plan(view, offers),
            offers=billing_lines.offers(view, offers),
            changes=billing_lines.changes(view, offers),
            invoices=[billing_lines.invoice(one) for one in view.invoices],
            knows_provider=view.customer is not None,
            paid=paid,
            done=_DONE.get(done, ""),
            problem=error.detail if error else "",
            chosen=chosen or OrderForm(interval=Interval.MONTH),
        )

    def _pages(self) -> str:
        return self.settings.billing.pages if self.settings.billing else ""


SHOWN: Final = {"shown": Provide(AccountPage, sync_to_thread=False), "tenant": Provide(session_owner)}


class AccountController(Controller):
    """The plan of one workspace."""

    path = ACCOUNT
    include_in_schema = False

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        accounts: NamedDependency[AccountSessions],
        billing: NamedDependency[BillingService],
        settings: NamedDependency[Settings],
        clock: NamedDependency[Clock],
    ) -> Template:
        """The plan for who is let in, else the form that asks for a link."""
        try:
            tenant = await session_owner(request, accounts, billing)
        except NoAccountSessionError:
            return _ask_page(settings, slug=request.query_params.get("workspace", "")[:63])
        asked = request.query_params
        return await AccountPage(billing, settings, clock).render(
            tenant, paid=asked.get("paid", ""), done=asked.get("done", "")
        )

    @post("/link", status_code=HTTP_200_OK)
    async def ask(
        self,
        request: Request[Any, Any, Any],
        account_links: NamedDependency[AccountLinks],
        settings: NamedDependency[Settings],
    ) -> Template:
        typed = (await read_form_as(request, AddressForm)).slug
        slug = typed_slug(typed, workspace_domain(settings))
        try:
            await account_links.ask(slug, caller_of(request.scope))
        except _ASK_ERRORS as error:
            return _ask_page(settings, error, slug=typed)
        return _ask_page(settings, slug=slug, asked=True)

    @get("/open", sync_to_thread=False)
    def open_page(self, billing: NamedDependency[BillingService], settings: NamedDependency[Settings]) -> Template:
        if not billing.is_on:
            raise BillingOffError
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
    def enter_page(self, billing: NamedDependency[BillingService], settings: NamedDependency[Settings]) -> Template:
        if not billing.is_on:
            raise BillingOffError
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

    @post("/checkout", status_code=HTTP_303_SEE_OTHER, dependencies=SHOWN)
    async def checkout(
        self, request: Request[Any, Any, Any], shown: NamedDependency[AccountPage], tenant: NamedDependency[Tenant]
    ) -> Redirect | Template:
        form = await read_form_as(request, OrderForm)
        try:
            interval = chosen_interval(form.interval)
            page = await shown.billing.checkout(tenant, form.plan, interval, shown.settings.account_url)
        except _ORDER_ERRORS as error:
            return await shown.render(tenant, error=error, chosen=form)
        return Redirect(page, status_code=HTTP_303_SEE_OTHER)

    @post("/portal", status_code=HTTP_303_SEE_OTHER, dependencies=SHOWN)
    async def portal(self, shown: NamedDependency[AccountPage], tenant: NamedDependency[Tenant]) -> Redirect | Template:
        try:
            page = await shown.billing.portal(tenant, shown.settings.account_url)
        except _ORDER_ERRORS as error:
            return await shown.render(tenant, error=error)
        return Redirect(page, status_code=HTTP_303_SEE_OTHER)

    @post("/leave", status_code=HTTP_303_SEE_OTHER, guards=[Counted(LOGOUTS)])
    async def leave(self, request: Request[Any, Any, Any], accounts: NamedDependency[AccountSessions]) -> Redirect:
        cookie = await accounts.close(request.cookies.get(COOKIE))
        return Redirect(ACCOUNT, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])


def chosen_interval(typed: str) -> Interval:
    """Raises InvalidInputError naming `interval`."""
    if typed not in set(Interval):
        raise InvalidInputError.of("interval", "Choose to pay every month or every year.")
    return Interval(typed)
