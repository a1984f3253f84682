"""Quotes: made, sent and withdrawn by staff; opened, accepted or declined by who has the mailed link.

A quote's row is locked for each change of its state, and what a change brings with it (the contract, the entry of the
audit log, mails, the job that gives the workspace what was agreed on) is written in the same transaction.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.reading import Unreadable
from vivero_web.clock import Clock
from vivero_web.errors import FieldError, InvalidInputError, LinkSpentError
from vivero_web.text import PERSON_MAX, name_problem, tidy
from vivero_web.tokens import digest

from vivero_control.db.database import Database
from vivero_control.db.tables import Contract, Quote
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.contracts import jobs, policies, vat
from vivero_control.domain.contracts.errors import ContractsOffError, QuoteNotFoundError, TermsChangedError
from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.contracts.repository import ContractRepository, QuoteRepository
from vivero_control.domain.contracts.schemas import (
    ORDER_NUMBER_MAX,
    REASON_MAX,
    Acceptance,
    QuoteList,
    QuoteState,
    QuoteTerms,
    QuoteView,
    Withdraw,
)
from vivero_control.domain.notifications import mails
from vivero_control.domain.plans.service import PlanNotFoundError, PlanService, unknown_plan
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.idempotency import IdempotentOperation
from vivero_control.lib.printing import unprintable
from vivero_control.settings import CompanySettings, InvoicingSettings

CUSTOMER: Final = "customer"
"""The actor of what is done with the mailed link; who it was is in the entry's detail."""


class QuoteService:
    """Without a company that can write invoices there are no quotes: ContractsOffError."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        plans: PlanService,
        company: CompanySettings | None,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._plans = plans
        self._company = company
        self._wake_worker = wake_worker
        self._clock = clock

    @property
    def is_on(self) -> bool:
        """Whether there can be quotes here."""
        return self._company is not None and self._company.invoicing is not None

    def check_on(self) -> None:
        """Raises ContractsOffError."""
        invoicing(self._company)

    async def all(self) -> QuoteList:
        """The newest. Raises ContractsOffError."""
        self.check_on()
        async with self._database.transaction() as session:
            rows, total = await QuoteRepository(session).newest()
            contracts = await ContractRepository(session).of_quotes([row.id for row in rows])
        return QuoteList(items=tuple(self._view(row, contracts.get(row.id)) for row in rows), total=total)

    async def get(self, number: int) -> QuoteView:
        """Raises QuoteNotFoundError."""
        async with self._database.transaction() as session:
            row = await QuoteRepository(session).get_one_or_none(id=number)
            return await self._shown(session, _there(row))

    async def make(self, terms: QuoteTerms, actor: str, operation: IdempotentOperation | None = None) -> QuoteView:
        """A draft; `operation` keeps the answer.

        Raises:
            InvalidInputError: naming every field at fault.
            ClusterUnavailableError: whether there is such a Tenant is not known.
        """
        checked, uid = await self._checked(terms)
        row = Quote(
            state=QuoteState.DRAFT,
            terms=msgspec.to_builtins(checked),
            tenant_uid=uid,
            valid_until=checked.valid_until,
            made_by=actor,
            made_at=self._clock(),
        )
        async with self._database.transaction() as session:
            await QuoteRepository(session).add(row)
            await self._audit(session, "make-quote", row, actor)
            made = self._view(row, None)
            if operation:
                await operation.store(session, msgspec.to_builtins(made))
        return made

    async def change(self, number: int, terms: QuoteTerms, actor: str) -> QuoteView:
        """Other terms of a draft. Raises WrongQuoteStateError, and as `make`."""
        checked, uid = await self._checked(terms)
        async with self._database.transaction() as session:
            row = await self._locked(session, number)
            policies.check_draft(self._state(row))
            row.terms, row.tenant_uid, row.valid_until = msgspec.to_builtins(checked), uid, checked.valid_until
            await self._audit(session, "change-quote", row, actor)
        return self._view(row, None)

    async def send(self, number: int, actor: str) -> QuoteView:
        """Mail the link to the customer; of one that was sent already, another link in its place.

        Raises:
            InvalidInputError: naming `valid_until` when that day has passed.
            WrongQuoteStateError: it is decided.
        """
        now = self._clock()
        async with self._database.transaction() as session:
            row = await self._locked(session, number)
            policies.check_move(self._state(row), QuoteState.SENT)
            if row.valid_until < now.date():
                raise InvalidInputError.of(
                    "valid_until", "The quote is good until a day that has passed. Choose another."
                )
            row.state, row.sent_at = QuoteState.SENT, now
            await self._audit(session, "send-quote", row, actor)
            await OutboxRepository(session).enqueue(
                kind=jobs.SEND,
                key=f"{jobs.SEND}:{uuid4()}",
                payload={"quote": row.id, "company": row.terms["company"]},
                now=now,
                due_at=now,
                subject=quote_subject(row.id),
            )
            shown = await self._shown(session, row)
        self._wake_worker()
        return shown

    async def withdraw(self, number: int, why: Withdraw, actor: str) -> QuoteView:
        """Its link says so from now on. Raises WrongQuoteStateError when it is decided already."""
        async with self._database.transaction() as session:
            row = await self._locked(session, number)
            self._decide(row, QuoteState.WITHDRAWN, by=actor, reason=why.reason)
            await self._audit(session, "withdraw-quote", row, actor)
            return await self._shown(session, row)

    async def opened(self, code: str) -> QuoteView:
        """What the mailed link opens, whatever became of it. Raises LinkSpentError."""
        async with self._database.transaction() as session:
            return await self._shown(session, await self._by_link(session, code))

    async def accept(self, code: str, said: Acceptance) -> QuoteView:
        """Make the contract, once however often it is asked for.

        Raises:
            LinkSpentError: the link is none, or another one was mailed since.
            InvalidInputError: naming `name`, `order_number` or `agrees`.
            TermsChangedError: another version of the terms was shown.
            WrongQuoteStateError: it was declined or withdrawn, or has expired.
        """
        name, order = tidy(said.name), tidy(said.order_number)
        check_acceptance(name, order, agrees=said.agrees)
        async with self._database.transaction() as session:
            row = await self._by_link(session, code, locked=True)
            if self._state(row) is not QuoteState.ACCEPTED:
                if said.terms != TERMS_VERSION:
                    raise TermsChangedError
                self._decide(row, QuoteState.ACCEPTED, by=name)
                await self._conclude(session, row, order)
            shown = await self._shown(session, row)
        self._wake_worker()
        return shown

    async def decline(self, code: str, reason: str) -> QuoteView:
        """Raises LinkSpentError, InvalidInputError naming `reason`, WrongQuoteStateError."""
        why = reason.strip()
        if len(why) > REASON_MAX:
            raise InvalidInputError.of("reason", f"Use at most {REASON_MAX} characters.")
        async with self._database.transaction() as session:
            row = await self._by_link(session, code, locked=True)
            terms = terms_of(row)
            self._decide(row, QuoteState.DECLINED, by=terms.email, reason=why)
            await self._audit(session, "decline-quote", row, CUSTOMER)
            mail = mails.of_contract(
                "quote_declined", f"{row.id}", to=row.made_by, number=row.id, company=terms.company, reason=why
            )
            await mails.enqueue(session, mail, self._clock(), subject=quote_subject(row.id))
            shown = await self._shown(session, row)
        self._wake_worker()
        return shown

    async def _conclude(self, session: AsyncSession, row: Quote, order: str) -> None:
        """The contract, its entry in the audit log, the mails to both sides, and the job of its first day."""
        now, terms = self._clock(), terms_of(row)
        agreed = structs.replace(terms, order_number=order or terms.order_number)
        made = Contract(
            quote_id=row.id,
            tenant=terms.tenant,
            tenant_uid=row.tenant_uid,
            terms=msgspec.to_builtins(agreed),
            starts_on=terms.starts_on,
            ends_on=policies.ends_on(terms),
            seller=row.made_by,
            accepted_by=row.decided_by,
            accepted_at=now,
            terms_version=TERMS_VERSION,
        )
        await ContractRepository(session).add(made)
        detail = {"contract": made.id, "name": row.decided_by, "terms": TERMS_VERSION, "order_number": order}
        await self._audit(session, "accept-quote", row, CUSTOMER, detail)
        for to in dict.fromkeys((terms.email, row.made_by)):
            mail = mails.of_contract(
                "quote_accepted",
                f"{row.id}:{to}",
                to=to,
                number=row.id,
                company=terms.company,
                name=row.decided_by,
                starts=mails.day(terms.starts_on),
                ends=mails.day(made.ends_on),
            )
            await mails.enqueue(session, mail, now, subject=quote_subject(row.id))
        await jobs.enqueue_apply(session, made, now)

    async def _checked(self, terms: QuoteTerms) -> tuple[QuoteTerms, str | None]:
        """Tidied, and the uid of the Tenant that they name."""
        invoicing(self._company)
        found = policies.tidied(terms)
        wrong = policies.problems(found, self._clock().date())
        try:
            is_trial = self._plans.find(found.plan).trial_days is not None
        except PlanNotFoundError:
            wrong.extend(unknown_plan(found.plan).errors)
        else:
            wrong += [FieldError("plan", "A trial is not sold. Choose another plan.")] if is_trial else []
        uid = await self._uid(found.tenant) if found.tenant else None
        if found.tenant and uid is None:
            wrong.append(FieldError("tenant", "There is no tenant of this name that could be read."))
        if wrong:
            raise InvalidInputError.of_all(wrong)
        return found, uid

    async def _uid(self, tenant: str) -> str | None:
        found = await self._tenants.find(tenant)
        return None if found is None or isinstance(found, Unreadable) or found.is_spare else found.metadata.uid

    async def _locked(self, session: AsyncSession, number: int) -> Quote:
        return _there(await QuoteRepository(session).get_one_or_none(id=number, with_for_update=True))

    async def _by_link(self, session: AsyncSession, code: str, *, locked: bool = False) -> Quote:
        found = await QuoteRepository(session).get_one_or_none(link=digest(code).hex(), with_for_update=locked)
        if found is None:
            raise LinkSpentError
        return found

    def _state(self, row: Quote) -> QuoteState:
        return policies.state_on(QuoteState(row.state), row.valid_until, self._today())

    def _today(self) -> date:
        return self._clock().date()

    def _decide(self, row: Quote, to: QuoteState, *, by: str, reason: str = "") -> None:
        policies.check_move(self._state(row), to)
        row.state, row.decided_at, row.decided_by, row.reason = to, self._clock(), by, reason

    async def _audit(
        self, session: AsyncSession, action: str, row: Quote, actor: str, more: Mapping[str, object] | None = None
    ) -> None:
        detail = {"company": row.terms["company"], "tenant": row.terms["tenant"], **(more or {})}
        act = AuditAction(actor=actor, action=action, subject=quote_subject(row.id), reason=row.reason, detail=detail)
        await AuditRepository(session).add(record(act, self._clock(), DONE))

    async def _shown(self, session: AsyncSession, row: Quote) -> QuoteView:
        return self._view(row, (await ContractRepository(session).of_quotes([row.id])).get(row.id))

    def _view(self, row: Quote, contract: int | None) -> QuoteView:
        terms, seller = terms_of(row), invoicing(self._company)
        how = vat.treatment(seller.country, terms.country, terms.tax_id)
        return QuoteView(
            id=row.id,
            state=self._state(row),
            terms=terms,
            totals=vat.totals(terms.lines, how, seller.rate),
            periods=len(policies.periods(terms)),
            ends_on=policies.ends_on(terms),
            made_by=row.made_by,
            made_at=row.made_at,
            sent_at=row.sent_at,
            decided_at=row.decided_at,
            decided_by=row.decided_by,
            reason=row.reason,
            contract=contract,
        )


def check_acceptance(name: str, order: str, *, agrees: bool) -> None:
    """What who accepts has typed, tidied. Raises InvalidInputError naming every field at fault."""
    wrong = []
    if problem := name_problem(name, PERSON_MAX) if name else "Enter your name.":
        wrong.append(FieldError("name", problem))
    if problem := name_problem(order, ORDER_NUMBER_MAX):
        wrong.append(FieldError("order_number", problem))
    elif letters := unprintable(order):
        wrong.append(FieldError("order_number", f"The invoice cannot show these characters: {letters}"))
    if not agrees:
        wrong.append(FieldError("agrees", "Tick this to accept."))
    if wrong:
        raise InvalidInputError.of_all(wrong)


def _there(row: Quote | None) -> Quote:
    if row is None:
        raise QuoteNotFoundError
    return row


def invoicing(company: CompanySettings | None) -> InvoicingSettings:
    """Raises ContractsOffError."""
    if company is None or company.invoicing is None:
        raise ContractsOffError
    return company.invoicing


def terms_of(row: Quote | Contract) -> QuoteTerms:
    return msgspec.convert(row.terms, QuoteTerms)


def quote_subject(number: int) -> str:
    """The audit log's name for a quote."""
    return f"quote/{number}"
