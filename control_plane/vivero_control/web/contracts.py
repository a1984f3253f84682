"""The staff's pages about contracts: all quotes and contracts, and one contract."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError, WebError

from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.contracts.contracts import ContractService, contract_subject
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import Attach
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.domain.staff.guards import session_seller, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import contract_lines, invoice_lines, presentation
from vivero_control.web.billing_lines import money
from vivero_control.web.staff_shell import CONTRACTS, HOME, INVOICES, QUOTES, shell

DONE: Final = {"attached": "It is for this tenant now. In force, its plan and limits hold within seconds."}
_REFUSALS: Final = (InvalidInputError, ConflictError, UnavailableError)


class ContractsController(Controller):
    """Behind the staff login."""

    path = CONTRACTS
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="contracts")
    async def table(
        self,
        member: NamedDependency[StaffView],
        quotes: NamedDependency[QuoteService],
        contracts: NamedDependency[ContractService],
    ) -> Template:
        context = {
            "shell": shell(member, CONTRACTS),
            "quotes_href": QUOTES,
            "here": CONTRACTS,
            "tenants_href": HOME,
            "may_sell": member.role == "admin",
            "is_on": quotes.is_on,
            "quotes": await quotes.all() if quotes.is_on else None,
            "contracts": await contracts.all(),
            "quote_states": contract_lines.QUOTE_STATES,
            "contract_states": contract_lines.CONTRACT_STATES,
            "money": money,
            "every": contract_lines.every,
            "invoices_href": INVOICES,
        }
        return Template("pages/contracts.html.j2", context=context)

    @get("/{contract:int}", name="contract")
    async def one(  # noqa: PLR0913, PLR0917  the services of one page
        self,
        request: Request[Any, Any, Any],
        contract: FromPath[int],
        member: NamedDependency[StaffView],
        contracts: NamedDependency[ContractService],
        audit: NamedDependency[AuditService],
        invoices: NamedDependency[InvoiceService],
    ) -> Template:
        done = DONE.get(request.query_params.get("done", ""), "")
        return await _shown(contract, member, contracts, audit, invoices, done=done)

    @post("/{contract:int}/tenant", status_code=HTTP_303_SEE_OTHER, dependencies={"member": Provide(session_seller)})
    async def attach(  # noqa: PLR0913, PLR0917  the services of one page
        self,
        request: Request[Any, Any, Any],
        contract: FromPath[int],
        member: NamedDependency[StaffView],
        contracts: NamedDependency[ContractService],
        audit: NamedDependency[AuditService],
        invoices: NamedDependency[InvoiceService],
    ) -> Response[Any]:
        typed = (await read_form(request)).get("tenant", "").strip()
        try:
            await contracts.attach(contract, Attach(tenant=typed), member.email)
        except _REFUSALS as error:
            return await _shown(contract, member, contracts, audit, invoices, error, typed=typed)
        return Redirect(f"{CONTRACTS}/{contract}?done=attached", status_code=HTTP_303_SEE_OTHER)


async def _shown(  # noqa: PLR0913, PLR0917  what the page shows
    number: int,
    member: StaffView,
    contracts: ContractService,
    audit: AuditService,
    invoices: InvoiceService,
    error: WebError | None = None,
    *,
    typed: str = "",
    done: str = "",
) -> Template:
    found = await contracts.get(number)
    errors = error.by_field if error else {}
    context = {
        "shell": shell(member, CONTRACTS),
        "here": CONTRACTS,
        "quotes_href": QUOTES,
        "tenants_href": HOME,
        "may_sell": member.role == "admin",
        "contract": found,
        "state": contract_lines.CONTRACT_STATES[found.state],
        "limits": contract_lines.limits(found.terms.limits),
        "every": contract_lines.every(found.terms.period_months),
        "invoices": [invoice_lines.line(one) for one in await invoices.of_contract(number)],
        "invoices_href": INVOICES,
        "history": presentation.history(await audit.history(contract_subject(number))),
        "typed": typed,
        "errors": errors,
        "problem": error.detail if error and not errors else "",
        "done": done,
    }
    return Template("pages/contract.html.j2", context=context, status_code=error.status if error else HTTP_200_OK)
