"""SQL about invoices of contracts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, CursorResult, func, select, true
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import aliased

from vivero_control.db.database import Repository
from vivero_control.db.tables import Contract, ContractInvoice, InvoiceDocument, InvoiceNumber
from vivero_control.domain.invoices.content import Content, Kind
from vivero_control.domain.invoices.schemas import InvoiceState

SHOWN = 100
"""Rows of one list."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with what stands in other rows."""

    row: ContractInvoice
    credit_note: str | None
    sha256: str | None

    @property
    def content(self) -> Content:
        return msgspec.convert(self.row.content, Content)


class InvoiceRepository(Repository[ContractInvoice]):
    """Invoices and credit notes."""

    model_type = ContractInvoice

    async def next_position(self, year: int) -> int:
        """Take the next number of a year; others that want one wait until this transaction ends, so that none is left out."""
        # One statement, which locks the row for writing at once: a reader's lock first would be a deadlock of two.
        first = insert(InvoiceNumber).values(year=year, last=1)
        await self.session.execute(first.on_duplicate_key_update(last=InvoiceNumber.last + 1))
        return (await self.session.scalars(select(InvoiceNumber.last).where(InvoiceNumber.year == year))).one()

    async def found(self, *which: ColumnElement[bool], newest: int | None = None) -> list[Found]:
        """The newest first."""
        note = aliased(ContractInvoice)
        wanted = (
            select(ContractInvoice, note.number, InvoiceDocument.sha256)
            .outerjoin(note, note.corrects_id == ContractInvoice.id)
            .outerjoin(InvoiceDocument, InvoiceDocument.invoice_id == ContractInvoice.id)
            .where(*which)
            .order_by(ContractInvoice.id.desc())
            .limit(newest)
        )
        rows = (await self.session.execute(wanted)).all()
        return [Found(row=row, credit_note=number, sha256=sha256) for row, number, sha256 in rows]

    async def count(self, *which: ColumnElement[bool]) -> int:
        return await self.session.scalar(select(func.count()).select_from(ContractInvoice).where(*which)) or 0

    async def invoiced(self, contracts: Collection[int]) -> Mapping[int, set[date]]:
        """First days of the periods that have an invoice, by contract."""
        wanted = select(ContractInvoice.contract_id, ContractInvoice.period_from).where(
            ContractInvoice.contract_id.in_(contracts), ContractInvoice.kind == Kind.INVOICE
        )
        found: dict[int, set[date]] = {contract: set() for contract in contracts}
        for contract, first in await self.session.execute(wanted):
            found[contract].add(first)
        return found

    async def begun_contracts(self, today: date) -> Sequence[Contract]:
        """Contracts of which a period may have begun that has no invoice."""
        return (await self.session.scalars(select(Contract).where(Contract.starts_on <= today))).all()

    async def late(self, today: date) -> Sequence[int]:
        """Ids of the invoices that are not paid and were to be."""
        wanted = select(ContractInvoice.id).where(*in_state(InvoiceState.LATE, today))
        return (await self.session.scalars(wanted)).all()

    async def document(self, invoice_id: int) -> InvoiceDocument | None:
        return await self.session.get(InvoiceDocument, invoice_id)

    async def keep_document(self, invoice_id: int, pdf: bytes, sha256: str, made_at: datetime) -> bool:
        """Keep it unless there is one already, which stays as it is; returns whether it was kept."""
        new = insert(InvoiceDocument).values(invoice_id=invoice_id, pdf=pdf, sha256=sha256, made_at=made_at)
        return cast("CursorResult[Any]", await self.session.execute(new.prefix_with("IGNORE"))).rowcount > 0


def _taken_back() -> ColumnElement[bool]:
    note = aliased(ContractInvoice)
    return select(note.id).where(note.corrects_id == ContractInvoice.id).exists()


def of_tenant(tenant_uid: str) -> ColumnElement[bool]:
    """Those of all contracts of a Tenant."""
    return ContractInvoice.contract_id.in_(select(Contract.id).where(Contract.tenant_uid == tenant_uid))


def unpaid() -> tuple[ColumnElement[bool], ...]:
    return (ContractInvoice.kind == Kind.INVOICE, ContractInvoice.paid_on.is_(None), ~_taken_back())


def in_state(state: InvoiceState | None, today: date) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the rows that are in a state today, as policies.state_on has it; of all without one."""
    match state:
        case None:
            return (true(),)
        case InvoiceState.OPEN:
            return (*unpaid(), ContractInvoice.due_on >= today)
        case InvoiceState.LATE:
            return (*unpaid(), ContractInvoice.due_on < today)
        case InvoiceState.PAID:
            return (ContractInvoice.paid_on.is_not(None), ~_taken_back())
        case InvoiceState.TAKEN_BACK:
            return (_taken_back(),)
        case InvoiceState.CREDIT_NOTE:
            return (ContractInvoice.kind == Kind.CREDIT_NOTE,)
