"""/api/v1/contract-invoices: read by all of the staff, decided by admins. Customers have pages."""

from typing import Annotated, Final

from litestar import Controller, Response, delete, get, post, put
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.invoices.errors import DocumentNotMadeError, WrongInvoiceStateError
from vivero_control.domain.invoices.schemas import NUMBER, InvoiceList, InvoiceState, InvoiceView, Payment, TakeBack
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.domain.staff.guards import StaffRequest, admins_sell, writes
from vivero_control.domain.staff.schemas import Scope

PDF: Final = "application/pdf"
InvoiceNumber = Annotated[str, PathParameter(pattern=NUMBER, description="Number of the invoice, such as 2026-0001.")]
Wanted = Annotated[
    str,
    QueryParameter(
        name="state",
        description="Those in this state alone; empty: all.",
        schema_extra={"enum": ["", *InvoiceState]},
    ),
]
"""Litestar keeps the name `state` for itself."""


class ContractInvoiceController(Controller):
    """Invoices of contracts, for staff."""

    path = "/contract-invoices"
    tags = ("Contracts",)
    opt = writes(Scope.SELL)

    @get(summary="The newest invoices of contracts")
    @raises(InvalidInputError)
    async def list_contract_invoices(
        self, invoices: NamedDependency[InvoiceService], wanted: Wanted = ""
    ) -> InvoiceList:
        return await invoices.all(said("state", wanted, InvoiceState, f"one of {', '.join(InvoiceState)}"))

    @get("/{number:str}", summary="One invoice of a contract")
    async def get_contract_invoice(
        self, invoices: NamedDependency[InvoiceService], number: InvoiceNumber
    ) -> InvoiceView:
        return await invoices.get(number)

    @get(
        "/{number:str}/document",
        summary="The document of an invoice",
        media_type=PDF,
        response_headers=[
            ResponseHeader(name="Content-Disposition", description="The file's name.", documentation_only=True)
        ],
    )
    @raises(DocumentNotMadeError)
    async def get_contract_invoice_document(
        self, invoices: NamedDependency[InvoiceService], number: InvoiceNumber
    ) -> Response[bytes]:
        """A PDF/A-3 with the data of EN 16931 in it (Factur-X, ZUGFeRD), as it was made once."""
        return document(number, await invoices.document(number))

    @put("/{number:str}/payment", summary="Note that an invoice is paid", guards=[admins_sell])
    @raises(InvalidInputError, WrongInvoiceStateError)
    async def pay_contract_invoice(
        self,
        request: StaffRequest,
        invoices: NamedDependency[InvoiceService],
        number: InvoiceNumber,
        data: JSONBody[Payment],
    ) -> InvoiceView:
        return await invoices.pay(number, data, request.user.email)

    @delete("/{number:str}/payment", summary="Take a payment out", status_code=200, guards=[admins_sell])
    @raises(WrongInvoiceStateError)
    async def take_payment_out(
        self, request: StaffRequest, invoices: NamedDependency[InvoiceService], number: InvoiceNumber
    ) -> InvoiceView:
        """It was noted by mistake."""
        return await invoices.take_payment_out(number, request.user.email)

    @post("/{number:str}/credit-note", summary="Take an invoice back", guards=[admins_sell])
    @raises(InvalidInputError, WrongInvoiceStateError)
    async def take_back_contract_invoice(
        self,
        request: StaffRequest,
        invoices: NamedDependency[InvoiceService],
        number: InvoiceNumber,
        data: JSONBody[TakeBack],
    ) -> InvoiceView:
        """Answers with the credit note, which is mailed to the customer."""
        return await invoices.take_back(number, data, request.user.email)


def document(number: str, pdf: bytes) -> Response[bytes]:
    """The answer that a browser saves, and no cache on the way."""
    headers = {"content-disposition": f'attachment; filename="{number}.pdf"', "cache-control": "private, no-store"}
    return Response(pdf, media_type=PDF, headers=headers)
