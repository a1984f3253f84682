"""The page of a workspace's plan and invoices, and the way to the payment provider's pages."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError, WebError
from vivero_web.security import page_policy

from vivero_control.domain.accounts.service import ManagedWorkspaces
from vivero_control.domain.billing.schemas import Interval
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.invoices.controllers import document
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.web import billing_lines, contract_lines, invoice_lines
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT, known

PLAN: Final = f"{ACCOUNT}/plan"
_DONE: Final = {
    "changed": "Your plan is changed",
    "planned": "The change is planned",
    "kept": "Your plan stays as it is",
    "canceled": "Your plan is canceled",
    "resumed": "Your plan goes on",
    "paused": "The pause is agreed on",
    "unpaused": "The pause is taken back, and your plan goes on",
    "restarted": "The pause is over, and the workspace opens now",
}
"""What was just done, by the word in the address."""


class OrderForm(Struct, kw_only=True):
    """The form's fields as chosen."""

    plan: str = ""
    interval: str = ""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Renders the page of the plan; Litestar makes it from what it names."""

    portal: NamedDependency[Portal]
    managed: NamedDependency[ManagedWorkspaces]
    contracts: NamedDependency[ContractService]
    invoices: NamedDependency[InvoiceService]

    async def render(
        self,
        *,
        paid: str = "",
        done: str = "",
        error: WebError | None = None,
        chosen: OrderForm | None = None,
    ) -> Template:
        portal = self.portal
        if paid == "true":
            portal = await self._refreshed()
        view = await portal.billing.of_tenant(portal.visit.tenant.metadata.uid)
        offers = known(portal.billing.offers)
        agreed = contract_lines.shown_to_customer(await self.contracts.of_tenant(portal.visit.tenant.metadata.uid))
        page = portal.page(
            "account_plan",
            "/plan",
            error,
            plan=billing_lines.plan(view, offers),
            contract=agreed,
            contract_invoices=[
                invoice_lines.line(one) for one in await self.invoices.of_tenant(portal.visit.tenant.metadata.uid)
            ],
            offers=[] if agreed and agreed.in_force else billing_lines.offers(view, offers),
            changes=billing_lines.changes(view, offers),
            invoices=[billing_lines.invoice(one) for one in view.invoices],
            knows_provider=view.customer is not None,
            paid=paid,
            done=_DONE.get(done, ""),
            refused=error.detail if error else "",
            chosen=chosen or OrderForm(interval=Interval.MONTH),
        )
        page.headers["content-security-policy"] = page_policy(forms_to=self._pages())
        return page

    async def _refreshed(self) -> Portal:
        """Before the provider's message comes; when that fails, the message brings it."""
        portal = self.portal
        with suppress(UnavailableError, ConflictError):
            await portal.billing.refresh(portal.visit.tenant.metadata.uid)
        visit = await self.managed.visit(portal.visit.holder)
        return Portal(portal.billing, portal.settings, portal.clock, visit)

    def _pages(self) -> str:
        billing = self.portal.settings.billing
        return billing.pages if billing else ""


SHOWN: Final = {**BEHIND_THE_LINK, "shown": Provide(PlanPage, sync_to_thread=False)}


class PlanPageController(Controller):
    """What is bought, what can be, and where it is paid."""

    path = ACCOUNT
    include_in_schema = False
    dependencies = SHOWN

    @get("/plan")
    async def page(self, request: Request[Any, Any, Any], shown: NamedDependency[PlanPage]) -> Template:
        asked = request.query_params
        return await shown.render(paid=asked.get("paid", ""), done=asked.get("done", ""))

    @get("/contract-invoices/{number:str}")
    async def contract_invoice(
        self, number: FromPath[str], portal: NamedDependency[Portal], invoices: NamedDependency[InvoiceService]
    ) -> Response[bytes]:
        """The document of an invoice of one of the workspace's own contracts."""
        return document(number, await invoices.document_of_tenant(portal.visit.tenant.metadata.uid, number))

    @post("/checkout", status_code=HTTP_303_SEE_OTHER)
    async def checkout(
        self, request: Request[Any, Any, Any], shown: NamedDependency[PlanPage], portal: NamedDependency[Portal]
    ) -> Redirect | Template:
        form = await read_form_as(request, OrderForm)
        try:
            interval = chosen_interval(form.interval)
            page = await portal.billing.checkout(portal.visit.tenant, form.plan, interval, portal.settings.plan_url)
        except REFUSALS as error:
            return await shown.render(error=error, chosen=form)
        return Redirect(page, status_code=HTTP_303_SEE_OTHER)

    @post("/portal", status_code=HTTP_303_SEE_OTHER)
    async def to_provider(
        self, shown: NamedDependency[PlanPage], portal: NamedDependency[Portal]
    ) -> Redirect | Template:
        try:
            page = await portal.billing.portal(portal.visit.tenant, portal.settings.plan_url)
        except REFUSALS as error:
            return await shown.render(error=error)
        return Redirect(page, status_code=HTTP_303_SEE_OTHER)


def chosen_interval(typed: str) -> Interval:
    """Raises InvalidInputError naming `interval`."""
    if typed not in set(Interval):
        raise InvalidInputError.of("interval", "Choose to pay every month or every year.")
    return Interval(typed)
