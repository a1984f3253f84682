"""The staff's pages about invoices of contracts: the list, and one of them with what is done with it."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError, WebError

from vivero_control.domain.invoices import policies
from vivero_control.domain.invoices.controllers import document
from vivero_control.domain.invoices.schemas import InvoiceState, InvoiceView, Payment, TakeBack
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.domain.staff.guards import session_seller, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import contract_lines, invoice_lines, tenant_forms
from vivero_control.web.staff_shell import CONTRACTS, INVOICES, shell

DONE: Final = {
    "paid": "The payment is noted.",
    "unpaid": "The payment is taken out.",
    "taken-back": "This credit note takes the invoice back. It is mailed to the customer once its document is made.",
}
_REFUSALS: Final = (InvalidInputError, ConflictError, UnavailableError)
_SELLERS: Final = {"member": Provide(session_seller)}


@dataclass(frozen=True, slots=True)
class InvoicePages:
    """Renders the pages; Litestar makes it from what it names."""

    invoices: NamedDependency[InvoiceService]
    member: NamedDependency[StaffView]
    clock: NamedDependency[Clock]

    async def one(
        self, number: str, error: WebError | None = None, typed: Mapping[str, str] | None = None, done: str = ""
    ) -> Template:
        found = await self.invoices.get(number)
        errors = error.by_field if error else {}
        context = {
            "shell": shell(self.member, CONTRACTS),
            "here": INVOICES,
            "contracts_href": CONTRACTS,
            "may_sell": self.member.role == "admin",
            "invoice": found,
            "state": invoice_lines.STATES[found.state],
            "price": contract_lines.priced(found.lines, found.totals, found.currency),
            "is_unpaid": found.state in policies.UNPAID,
            "can_be_taken_back": found.state not in policies.FINAL,
            "typed": {"paid_on": f"{self.clock().date()}", "reference": "", "reason": "", **(typed or {})},
            "errors": errors,
            "problem": error.detail if error and not errors else "",
            "done": DONE.get(done, ""),
        }
        status = error.status if error else HTTP_200_OK
        return Template("pages/contract_invoice.html.j2", context=context, status_code=status)

    async def apply(
        self, number: str, change: Awaitable[InvoiceView], what: str, typed: Mapping[str, str] | None = None
    ) -> Response[Any]:
        """Do it and show the invoice that it gives, or the one it is about with the error and what was typed."""
        try:
            made = await change
        except _REFUSALS as error:
            return await self.one(number, error, typed)
        return Redirect(f"{INVOICES}/{made.number}?done={what}", status_code=HTTP_303_SEE_OTHER)


class InvoicesController(Controller):
    """Behind the staff login."""

    path = INVOICES
    include_in_schema = False
    dependencies = {"member": Provide(session_staff), "pages": Provide(InvoicePages, sync_to_thread=False)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="invoices")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        invoices: NamedDependency[InvoiceService],
    ) -> Template:
        asked = request.query_params.get("state", "")
        state = InvoiceState(asked) if asked in set(InvoiceState) else None
        found = await invoices.all(state)
        context = {
            "shell": shell(member, CONTRACTS),
            "here": INVOICES,
            "contracts_href": CONTRACTS,
            "invoices": [invoice_lines.line(one) for one in found.items],
            "total": found.total,
            "owed": invoice_lines.owed(found.unpaid),
            "state": state or "",
            "state_options": [(one.value, words.words) for one, words in invoice_lines.STATES.items()],
        }
        return Template("pages/contract_invoices.html.j2", context=context)

    @get("/{number:str}", name="invoice")
    async def page(
        self, request: Request[Any, Any, Any], number: FromPath[str], pages: NamedDependency[InvoicePages]
    ) -> Template:
        return await pages.one(number, done=request.query_params.get("done", ""))

    @get("/{number:str}/document")
    async def document(self, number: FromPath[str], pages: NamedDependency[InvoicePages]) -> Response[bytes]:
        found = await pages.invoices.get(number)
        return document(found.number, await pages.invoices.document(found.number))

    @post("/{number:str}/payment", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def pay(
        self, request: Request[Any, Any, Any], number: FromPath[str], pages: NamedDependency[InvoicePages]
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            paid_on = date.fromisoformat(form.get("paid_on", "").strip())
        except ValueError:
            return await pages.one(number, InvalidInputError.of("paid_on", "Choose a day."), form)
        payment = Payment(paid_on=paid_on, reference=form.get("reference", ""))
        return await pages.apply(number, pages.invoices.pay(number, payment, pages.member.email), "paid", form)

    @post("/{number:str}/no-payment", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def take_payment_out(self, number: FromPath[str], pages: NamedDependency[InvoicePages]) -> Response[Any]:
        return await pages.apply(number, pages.invoices.take_payment_out(number, pages.member.email), "unpaid")

    @post("/{number:str}/credit-note", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def take_back(
        self, request: Request[Any, Any, Any], number: FromPath[str], pages: NamedDependency[InvoicePages]
    ) -> Response[Any]:
        """To the credit note."""
        form = await read_form(request)
        reason = form.get("reason", "").strip()
        if errors := tenant_forms.reason_errors(reason):
            return await pages.one(number, InvalidInputError.of_all(errors), form)
        change = pages.invoices.take_back(number, TakeBack(reason=reason), pages.member.email)
        return await pages.apply(number, change, "taken-back", form)
