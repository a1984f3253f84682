"""Quotes and contracts for pages, without a database."""

from datetime import UTC, datetime

from msgspec import structs
from unit.control_plane.contract_builders import terms
from vivero_control.domain.contracts import policies, vat
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.errors import ContractNotFoundError, ContractsOffError, QuoteNotFoundError
from vivero_control.domain.contracts.quotes import QuoteService, check_acceptance
from vivero_control.domain.contracts.schemas import (
    Acceptance,
    Attach,
    ContractList,
    ContractState,
    ContractView,
    QuoteList,
    QuoteState,
    QuoteTerms,
    QuoteView,
    Withdraw,
)
from vivero_control.domain.invoices.errors import DocumentNotMadeError, InvoiceNotFoundError, WrongInvoiceStateError
from vivero_control.domain.invoices.policies import check_payment
from vivero_control.domain.invoices.schemas import (
    InvoiceList,
    InvoiceState,
    InvoiceView,
    OpenSum,
    Payment,
    TakeBack,
)
from vivero_control.domain.invoices.service import InvoiceService
from vivero_core.model.plan import Currency
from vivero_web.errors import InvalidInputError, LinkSpentError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CODE = "the-secret-of-a-link"
SELLER = "ada@vivero.example"
_DECIDED = {QuoteState.ACCEPTED, QuoteState.DECLINED, QuoteState.WITHDRAWN}


def quote(number: int = 1, state: QuoteState = QuoteState.SENT, **changes: object) -> QuoteView:
    offered = terms(**changes)
    return QuoteView(
        id=number,
        state=state,
        terms=offered,
        totals=vat.totals(offered.lines, vat.treatment("GB", offered.country, offered.tax_id), 2000),
        periods=len(policies.periods(offered)),
        ends_on=policies.ends_on(offered),
        made_by=SELLER,
        made_at=NOW,
        sent_at=None if state is QuoteState.DRAFT else NOW,
        decided_at=NOW if state in _DECIDED else None,
        decided_by="Grace Hopper" if state in _DECIDED else "",
        reason="Too much." if state is QuoteState.DECLINED else "",
        contract=1 if state is QuoteState.ACCEPTED else None,
    )


def contract(number: int = 1, tenant: str | None = "acme", **changes: object) -> ContractView:
    agreed = terms(**changes)
    return ContractView(
        id=number,
        quote=number,
        state=ContractState.IN_FORCE,
        tenant=tenant,
        terms=agreed,
        ends_on=policies.ends_on(agreed),
        accepted_by="Grace Hopper",
        accepted_at=NOW,
        terms_version=policies.TERMS_VERSION,
        applied_at=NOW if tenant else None,
    )


QUOTES = tuple(quote(number, state) for number, state in enumerate(QuoteState, 1))


class FakeQuotes(QuoteService):
    """What it is given; the link's secret is CODE, and opens the first that was sent."""

    def __init__(self, quotes: tuple[QuoteView, ...] = QUOTES, *, on: bool = True) -> None:
        self.quotes = {one.id: one for one in quotes}
        self.on = on
        self.made: list[QuoteTerms] = []

    @property
    def is_on(self) -> bool:
        return self.on

    def check_on(self) -> None:
        if not self.on:
            raise ContractsOffError

    async def all(self) -> QuoteList:
        items = tuple(self.quotes.values())
        return QuoteList(items=items, total=len(items))

    async def get(self, number: int) -> QuoteView:
        if number not in self.quotes:
            raise QuoteNotFoundError
        return self.quotes[number]

    async def make(self, terms: QuoteTerms, actor: str, operation: object = None) -> QuoteView:  # noqa: ARG002  as the real one
        if found := policies.problems(policies.tidied(terms), NOW.date()):
            raise InvalidInputError.of_all(found)
        self.made.append(terms)
        return quote(9, QuoteState.DRAFT)

    async def change(self, number: int, terms: QuoteTerms, actor: str) -> QuoteView:
        policies.check_draft((await self.get(number)).state)
        return await self.make(terms, actor)

    async def send(self, number: int, actor: str) -> QuoteView:  # noqa: ARG002  as the real one
        return await self._move(number, QuoteState.SENT)

    async def withdraw(self, number: int, why: Withdraw, actor: str) -> QuoteView:  # noqa: ARG002  as the real one
        return await self._move(number, QuoteState.WITHDRAWN)

    async def opened(self, code: str) -> QuoteView:
        found = next((one for one in self.quotes.values() if one.sent_at), None)
        if code != CODE or found is None:
            raise LinkSpentError
        return found

    async def accept(self, code: str, said: Acceptance) -> QuoteView:
        check_acceptance(said.name, said.order_number, agrees=said.agrees)
        return await self._move((await self.opened(code)).id, QuoteState.ACCEPTED)

    async def decline(self, code: str, reason: str) -> QuoteView:  # noqa: ARG002  as the real one
        return await self._move((await self.opened(code)).id, QuoteState.DECLINED)

    async def _move(self, number: int, to: QuoteState) -> QuoteView:
        found = await self.get(number)
        policies.check_move(found.state, to)
        self.quotes[number] = structs.replace(found, state=to)
        return self.quotes[number]


class FakeContracts(ContractService):
    """What it is given; it attaches to any Tenant but `no-such-tenant`."""

    def __init__(self, *contracts: ContractView) -> None:
        self.contracts = {one.id: one for one in contracts or (contract(1, "northwind"), contract(2, tenant=None))}

    async def all(self) -> ContractList:
        items = tuple(self.contracts.values())
        return ContractList(items=items, total=len(items))

    async def get(self, number: int) -> ContractView:
        if number not in self.contracts:
            raise ContractNotFoundError
        return self.contracts[number]

    async def of_tenant(self, tenant_uid: str) -> tuple[ContractView, ...]:
        return tuple(one for one in self.contracts.values() if tenant_uid == f"uid-{one.tenant}")

    async def attach(self, number: int, to: Attach, actor: str) -> ContractView:  # noqa: ARG002  as the real one
        if to.tenant in {"", "no-such-tenant"}:
            raise InvalidInputError.of("tenant", "There is no tenant of this name that could be read.")
        self.contracts[number] = structs.replace(await self.get(number), tenant=to.tenant)
        return self.contracts[number]


def invoice(number: str = "2026-0001", state: InvoiceState = InvoiceState.OPEN, **changes: object) -> InvoiceView:
    agreed = terms(**changes)
    credited = state is InvoiceState.CREDIT_NOTE
    return InvoiceView(
        number=number,
        state=state,
        contract=1,
        company=agreed.company,
        issued_on=NOW.date(),
        due_on=NOW.date(),
        period_from=agreed.starts_on,
        period_to=policies.ends_on(agreed),
        order_number=agreed.order_number,
        lines=agreed.lines,
        currency=agreed.currency,
        totals=vat.totals(agreed.lines, vat.treatment("GB", agreed.country, agreed.tax_id), 2000),
        paid_on=NOW.date() if state is InvoiceState.PAID else None,
        payment_reference="4711" if state is InvoiceState.PAID else "",
        corrects="2026-0004" if credited else None,
        credit_note="2026-0005" if state is InvoiceState.TAKEN_BACK else None,
        sha256=None if state is InvoiceState.LATE else "ab" * 32,
    )


INVOICES = tuple(invoice(f"2026-{position:04d}", state) for position, state in enumerate(InvoiceState, 1))


class FakeInvoices(InvoiceService):
    """One in each state; the document of each is its number."""

    def __init__(self, invoices: tuple[InvoiceView, ...] = INVOICES) -> None:
        self.invoices = {one.number: one for one in invoices}

    async def all(self, state: InvoiceState | None = None) -> InvoiceList:
        items = tuple(one for one in self.invoices.values() if state in {None, one.state})
        owed = OpenSum(currency=Currency.EUR, open_cents=4_800_000, late_cents=2_400_000)
        return InvoiceList(items=items, total=len(items), unpaid=(owed,) if items else ())

    async def get(self, number: str) -> InvoiceView:
        if number not in self.invoices:
            raise InvoiceNotFoundError
        return self.invoices[number]

    async def of_contract(self, contract: int) -> tuple[InvoiceView, ...]:
        return tuple(one for one in self.invoices.values() if one.contract == contract)

    async def of_tenant(self, tenant_uid: str) -> tuple[InvoiceView, ...]:
        return tuple(self.invoices.values()) if tenant_uid else ()

    async def document(self, number: str) -> bytes:
        if (await self.get(number)).sha256 is None:
            raise DocumentNotMadeError
        return number.encode()

    async def pay(self, number: str, payment: Payment, actor: str) -> InvoiceView:  # noqa: ARG002  as the real one
        found = await self.get(number)
        checked = check_payment(found.state, payment, found.issued_on, NOW.date())
        return self._now(number, InvoiceState.PAID, paid_on=checked.paid_on)

    async def take_payment_out(self, number: str, actor: str) -> InvoiceView:  # noqa: ARG002  as the real one
        found = await self.get(number)
        if found.state is not InvoiceState.PAID:
            raise WrongInvoiceStateError(found.state)
        return self._now(number, InvoiceState.OPEN, paid_on=None)

    async def take_back(self, number: str, why: TakeBack, actor: str) -> InvoiceView:  # noqa: ARG002  as the real one
        found = await self.get(number)
        if found.state in {InvoiceState.TAKEN_BACK, InvoiceState.CREDIT_NOTE}:
            raise WrongInvoiceStateError(found.state)
        self._now(number, InvoiceState.TAKEN_BACK)
        return await self.get("2026-0005")

    def _now(self, number: str, state: InvoiceState, **changes: object) -> InvoiceView:
        self.invoices[number] = structs.replace(self.invoices[number], state=state, **changes)
        return self.invoices[number]
