"""Invoices of contracts: made when a period begins, paid, taken back; late ones are told of.

A number is taken in the transaction that writes the invoice, behind the lock of its contract or of the invoice that it
takes back; the lock of the year's numbers comes last everywhere, so that no two wait for each other.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.db.tables import ContractInvoice
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.contracts.contracts import contract_subject
from vivero_control.domain.contracts.quotes import terms_of
from vivero_control.domain.contracts.repository import ContractRepository
from vivero_control.domain.invoices import jobs, policies
from vivero_control.domain.invoices.content import Content, Kind
from vivero_control.domain.invoices.errors import DocumentNotMadeError, InvoiceNotFoundError, WrongInvoiceStateError
from vivero_control.domain.invoices.repository import SHOWN, Found, InvoiceRepository, in_state, of_tenant, unpaid
from vivero_control.domain.invoices.schemas import InvoiceList, InvoiceState, InvoiceView, Payment, TakeBack
from vivero_control.domain.notifications import mails
from vivero_control.domain.webhooks import events as webhook_events
from vivero_control.domain.webhooks.policies import Happening
from vivero_control.domain.webhooks.schemas import EventType
from vivero_control.lib.background import for_each
from vivero_control.settings import CompanySettings, InvoicingSettings

ACTOR: Final = "contracts"
"""Who makes invoices by itself, in the audit log."""


class InvoiceService:
    """Invoices."""

    def __init__(
        self, database: Database, company: CompanySettings | None, wake_worker: Callable[[], None], clock: Clock
    ) -> None:
        self._database = database
        self._company = company
        self._wake_worker = wake_worker
        self._clock = clock

    async def all(self, state: InvoiceState | None = None) -> InvoiceList:
        """The newest, of one state or of all."""
        today = self._today()
        async with self._database.transaction() as session:
            invoices = InvoiceRepository(session)
            which = in_state(state, today)
            found, total = await invoices.found(*which, newest=SHOWN), await invoices.count(*which)
            owed = await invoices.found(*unpaid())
        sums = policies.unpaid(((one.content, one.row.paid_on, one.credit_note is not None) for one in owed), today)
        return InvoiceList(items=self._views(found), total=total, unpaid=sums)

    async def get(self, number: str) -> InvoiceView:
        """Raises InvoiceNotFoundError."""
        async with self._database.transaction() as session:
            return self._view(await _one(session, number))

    async def of_contract(self, contract: int) -> tuple[InvoiceView, ...]:
        """The newest first."""
        async with self._database.transaction() as session:
            found = await InvoiceRepository(session).found(ContractInvoice.contract_id == contract)
        return self._views(found)

    async def of_tenant(self, tenant_uid: str) -> tuple[InvoiceView, ...]:
        """Those of all contracts of a Tenant, the newest first."""
        async with self._database.transaction() as session:
            found = await InvoiceRepository(session).found(of_tenant(tenant_uid))
        return self._views(found)

    async def document(self, number: str) -> bytes:
        """The document as it was made. Raises InvoiceNotFoundError, DocumentNotMadeError."""
        async with self._database.transaction() as session:
            kept = await InvoiceRepository(session).document((await _one(session, number)).row.id)
        if kept is None:
            raise DocumentNotMadeError
        if hashlib.sha256(kept.pdf).hexdigest() != kept.sha256:
            raise RuntimeError(f"the document of invoice {number} is not the one that was made")
        return kept.pdf

    async def document_of_tenant(self, tenant_uid: str, number: str) -> bytes:
        """The same, for who manages a workspace: of another one's there is none."""
        async with self._database.transaction() as session:
            await _one(session, number, of_tenant(tenant_uid))
        return await self.document(number)

    async def issue_due(self) -> None:
        """Invoice every period that has begun, once, contract by contract; nothing where the settings have no invoicing."""
        company, today = self._company, self._today()
        if company is None or company.invoicing is None:
            return
        async with self._database.transaction() as session:
            invoices = InvoiceRepository(session)
            contracts = await invoices.begun_contracts(today)
            invoiced = await invoices.invoiced([one.id for one in contracts])
        due = [one.id for one in contracts if policies.missing(terms_of(one), invoiced[one.id], today)]
        await for_each("contract-invoices", due, partial(self._issue, company, company.invoicing), str)

    async def _issue(self, company: CompanySettings, seller: InvoicingSettings, contract: int) -> None:
        today = self._today()
        async with self._database.transaction() as session:
            row = await ContractRepository(session).get_one_or_none(id=contract, with_for_update=True)
            if row is None:
                return
            terms = terms_of(row)
            invoiced = (await InvoiceRepository(session).invoiced([contract]))[contract]
            for period in policies.missing(terms, invoiced, today):
                number = await self._number(session)
                made = policies.content(number, contract, terms, period, company, seller, today)
                await self._write(session, contract, made, actor=ACTOR)
        self._wake_worker()

    async def pay(self, number: str, payment: Payment, actor: str) -> InvoiceView:
        """Note that it is paid.

        Raises:
            InvoiceNotFoundError: there is none of this number.
            WrongInvoiceStateError: it is paid, or taken back, or a credit note.
            InvalidInputError: naming `paid_on` or `reference`.
        """
        async with self._database.transaction() as session:
            found = await _locked(session, number)
            shown = self._view(found)
            checked = policies.check_payment(shown.state, payment, shown.issued_on, self._today())
            found.row.paid_on, found.row.payment_reference = checked.paid_on, checked.reference
            detail = {"paid_on": f"{checked.paid_on}", "reference": checked.reference}
            await self._audit(session, "pay-invoice", found.row, actor, detail)
            await self._tell_of_payment(session, found)
        self._wake_worker()
        return self._view(found)

    async def take_payment_out(self, number: str, actor: str) -> InvoiceView:
        """It was noted by mistake. Raises InvoiceNotFoundError, WrongInvoiceStateError."""
        async with self._database.transaction() as session:
            found = await _locked(session, number)
            state = self._view(found).state
            if state is not InvoiceState.PAID:
                raise WrongInvoiceStateError(state)
            found.row.paid_on, found.row.payment_reference = None, ""
            await self._audit(session, "take-payment-out", found.row, actor, {})
        return self._view(found)

    async def take_back(self, number: str, why: TakeBack, actor: str) -> InvoiceView:
        """Make the credit note that takes an invoice back, paid or not; returns that note.

        Raises:
            InvoiceNotFoundError: there is none of this number.
            WrongInvoiceStateError: it is taken back already, or a credit note.
        """
        async with self._database.transaction() as session:
            found = await _locked(session, number)
            state = self._view(found).state
            if state in policies.FINAL:
                raise WrongInvoiceStateError(state)
            note = policies.credit_note(await self._number(session), found.content, self._today())
            row = found.row
            await self._write(session, row.contract_id, note, actor=actor, corrects=row, reason=why.reason)
            made = await _one(session, note.number)
        self._wake_worker()
        return self._view(made)

    async def _tell_of_payment(self, session: AsyncSession, paid: Found) -> None:
        """Other programs, once the contract is for a workspace."""
        contract = await ContractRepository(session).get_one_or_none(id=paid.row.contract_id)
        if contract is None or contract.tenant is None or contract.tenant_uid is None:
            return
        content = paid.content
        said = {"invoice": content.number, "cents": content.totals.total_cents, "currency": content.currency}
        happened = Happening(EventType.PAID, said)
        await webhook_events.tell(session, contract.tenant_uid, contract.tenant, happened, self._clock())

    async def tell_of_late(self) -> None:
        """Mail staff of invoices that are late, and customers a week and two weeks behind the day; nothing is closed."""
        async with self._database.transaction() as session:
            late = await InvoiceRepository(session).late(self._today())
        await for_each("late-invoices", late, self._tell_of_late, str)

    async def _tell_of_late(self, invoice_id: int) -> None:
        async with self._database.transaction() as session:
            row = await InvoiceRepository(session).get_one_or_none(id=invoice_id, with_for_update=True)
            contract = await ContractRepository(session).get_one_or_none(id=row.contract_id) if row else None
            if row is None or contract is None or row.paid_on is not None:
                return
            days = policies.reminder(row.due_on, row.told_late, self._today())
            if days is None:
                return
            row.told_late = days
            mail = mails.of_contract(
                "invoice_late",
                f"{row.number}:{days}",
                to=contract.seller,
                number=row.number,
                company=contract.terms["company"],
                due=mails.day(row.due_on),
            )
            await mails.enqueue(session, mail, self._clock(), subject=jobs.invoice_subject(row.number))
            if days in policies.TO_CUSTOMER:
                await jobs.enqueue_mail(session, row, jobs.Words.REMINDER, self._clock(), key=f"{row.number}:{days}")
        self._wake_worker()

    async def _number(self, session: AsyncSession) -> str:
        year = self._today().year
        return policies.number_of(year, await InvoiceRepository(session).next_position(year))

    async def _write(  # noqa: PLR0913  a row, why it is there and by whom
        self,
        session: AsyncSession,
        contract: int,
        content: Content,
        *,
        actor: str,
        corrects: ContractInvoice | None = None,
        reason: str = "",
    ) -> None:
        row = ContractInvoice(
            number=content.number,
            contract_id=contract,
            kind=content.kind,
            period_from=content.period_from,
            due_on=content.due_on,
            content=msgspec.to_builtins(content),
            corrects_id=corrects.id if corrects else None,
        )
        await InvoiceRepository(session).add(row)
        action = "issue-invoice" if content.kind is Kind.INVOICE else "take-invoice-back"
        detail = {"contract": contract, "corrects": content.corrects, "cents": content.totals.total_cents}
        await self._audit(session, action, row, actor, detail, reason)
        await jobs.enqueue_document(session, row, self._clock())

    async def _audit(  # noqa: PLR0913, PLR0917  what an entry says
        self,
        session: AsyncSession,
        action: str,
        row: ContractInvoice,
        actor: str,
        detail: Mapping[str, object],
        reason: str = "",
    ) -> None:
        act = AuditAction(
            actor=actor,
            action=action,
            subject=contract_subject(row.contract_id),
            reason=reason,
            detail={"invoice": row.number, **detail},
        )
        await AuditRepository(session).add(record(act, self._clock(), DONE))

    def _view(self, found: Found) -> InvoiceView:
        return view(found, self._today())

    def _views(self, found: list[Found]) -> tuple[InvoiceView, ...]:
        return tuple(map(self._view, found))

    def _today(self) -> date:
        return self._clock().date()


def view(found: Found, today: date) -> InvoiceView:
    """As staff and customers see it today."""
    row, content = found.row, found.content
    return InvoiceView(
        number=content.number,
        state=policies.state_on(
            content.kind, content.due_on, row.paid_on, taken_back=found.credit_note is not None, today=today
        ),
        contract=content.contract,
        company=content.buyer.name,
        issued_on=content.issued_on,
        due_on=content.due_on,
        period_from=content.period_from,
        period_to=content.period_to,
        order_number=content.order_number,
        lines=content.lines,
        currency=content.currency,
        totals=content.totals,
        paid_on=row.paid_on,
        payment_reference=row.payment_reference,
        corrects=content.corrects or None,
        credit_note=found.credit_note,
        sha256=found.sha256,
    )


async def _one(session: AsyncSession, number: str, *which: ColumnElement[bool]) -> Found:
    """Raises InvoiceNotFoundError."""
    found = await InvoiceRepository(session).found(ContractInvoice.number == number, *which)
    if not found:
        raise InvoiceNotFoundError
    return found[0]


async def _locked(session: AsyncSession, number: str) -> Found:
    """Held until the transaction ends. Raises InvoiceNotFoundError."""
    await InvoiceRepository(session).get_one_or_none(number=number, with_for_update=True)
    return await _one(session, number)
