"""/api/v1/quotes and /api/v1/contracts: read by all of the staff, decided by admins. Customers have pages."""

from functools import partial
from typing import Annotated

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST

from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.errors import AttachedAlreadyError, ContractsOffError, WrongQuoteStateError
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import (
    Attach,
    ContractList,
    ContractView,
    QuoteList,
    QuoteTerms,
    QuoteView,
    Withdraw,
)
from vivero_control.domain.staff.guards import StaffRequest, admins_sell, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.lib.idempotency import Idempotency, Key, KeyBusyError

QuoteNumber = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the quote.")]
ContractNumber = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the contract.")]


class QuoteController(Controller):
    """Quotes, for staff."""

    path = "/quotes"
    tags = ("Contracts",)
    opt = writes(Scope.SELL)

    @get(summary="The newest quotes")
    @raises(ContractsOffError)
    async def list_quotes(self, quotes: NamedDependency[QuoteService]) -> QuoteList:
        return await quotes.all()

    @post(summary="Make a quote", guards=[admins_sell])
    @raises(InvalidInputError, ContractsOffError, KeyBusyError)
    async def make_quote(
        self,
        request: StaffRequest,
        quotes: NamedDependency[QuoteService],
        idempotency: NamedDependency[Idempotency],
        data: JSONBody[QuoteTerms],
        idempotency_key: Key = None,
    ) -> QuoteView:
        """A draft: nobody outside the staff sees it before it is sent."""
        make = partial(quotes.make, data, request.user.email)
        return await idempotency.answered("make-quote", idempotency_key, data, QuoteView, make)

    @get("/{quote:int}", summary="One quote")
    @raises(ContractsOffError)
    async def get_quote(self, quotes: NamedDependency[QuoteService], quote: QuoteNumber) -> QuoteView:
        return await quotes.get(quote)

    @put("/{quote:int}", summary="Offer something else in a draft", guards=[admins_sell])
    @raises(InvalidInputError, WrongQuoteStateError, ContractsOffError)
    async def change_quote(
        self,
        request: StaffRequest,
        quotes: NamedDependency[QuoteService],
        quote: QuoteNumber,
        data: JSONBody[QuoteTerms],
    ) -> QuoteView:
        return await quotes.change(quote, data, request.user.email)

    @post("/{quote:int}/send", summary="Mail a quote to the customer", status_code=200, guards=[admins_sell])
    @raises(InvalidInputError, WrongQuoteStateError, ContractsOffError)
    async def send_quote(
        self, request: StaffRequest, quotes: NamedDependency[QuoteService], quote: QuoteNumber
    ) -> QuoteView:
        """Sent again, it has another link, and the one before opens nothing."""
        return await quotes.send(quote, request.user.email)

    @post("/{quote:int}/withdraw", summary="Take a quote back", status_code=200, guards=[admins_sell])
    @raises(WrongQuoteStateError, ContractsOffError)
    async def withdraw_quote(
        self, request: StaffRequest, quotes: NamedDependency[QuoteService], quote: QuoteNumber, data: JSONBody[Withdraw]
    ) -> QuoteView:
        return await quotes.withdraw(quote, data, request.user.email)


class ContractController(Controller):
    """Contracts, for staff."""

    path = "/contracts"
    tags = ("Contracts",)
    opt = writes(Scope.SELL)

    @get(summary="The newest contracts")
    async def list_contracts(self, contracts: NamedDependency[ContractService]) -> ContractList:
        return await contracts.all()

    @get("/{contract:int}", summary="One contract")
    async def get_contract(self, contracts: NamedDependency[ContractService], contract: ContractNumber) -> ContractView:
        return await contracts.get(contract)

    @post("/{contract:int}/tenant", summary="Say for which tenant it is", status_code=200, guards=[admins_sell])
    @raises(InvalidInputError, AttachedAlreadyError)
    async def attach_contract(
        self,
        request: StaffRequest,
        contracts: NamedDependency[ContractService],
        contract: ContractNumber,
        data: JSONBody[Attach],
    ) -> ContractView:
        """While it is in force, that tenant has its plan and limits within seconds."""
        return await contracts.attach(contract, data, request.user.email)
