"""Invoices of contracts on the real database: from the first day of a period to the document that is mailed."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from integration.control_plane.agreements import SELLER, YES, Mails, offer, sent
from integration.control_plane.support import TestClock
from support.invoice_rules import broken, data_in
from vivero_control import composition
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.invoices.errors import InvoiceNotFoundError, WrongInvoiceStateError
from vivero_control.domain.invoices.schemas import InvoiceState, InvoiceView, Payment, TakeBack
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.worker import Worker
from vivero_web.errors import InvalidInputError

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


@pytest.fixture
def invoices(contracting: composition.Infrastructure) -> InvoiceService:
    return composition.services(contracting).invoices


async def agreed(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, clock: TestClock, **changes: object
) -> tuple[int, str]:
    """Number of a contract that begins today, and whom its mails go to."""
    of = offer(clock, **changes)
    _, code = await sent(quotes, contracting, mails, of)
    number = (await quotes.accept(code, YES)).contract
    assert number
    return number, of.email


async def issued(worker: Worker, invoices: InvoiceService, contract: int) -> tuple[InvoiceView, ...]:
    await worker.invoices.issue_due()
    await worker.drain()
    return await invoices.of_contract(contract)


def without_gaps(sql: Ask) -> bool:
    numbers = [number for (number,) in sql("SELECT number FROM contract_invoices ORDER BY number")]
    years = {number[:4] for number in numbers}
    return all(
        [f"{year}-{position:04d}" for position in range(1, sum(one.startswith(year) for one in numbers) + 1)]
        == [one for one in numbers if one.startswith(year)]
        for year in years
    )


async def test_each_period_has_one_invoice_whose_document_is_mailed(
    quotes: QuoteService,
    invoices: InvoiceService,
    contracting: composition.Infrastructure,
    mails: Mails,
    sql: Ask,
    clock: TestClock,
    later: Later,
) -> None:
    contract, buyer = await agreed(quotes, contracting, mails, clock, term_months=2, period_months=1)
    worker = Worker(contracting)
    (first,) = await issued(worker, invoices, contract)
    assert (first.state, first.issued_on, first.period_from) == (InvoiceState.OPEN, clock().date(), clock().date())
    assert (first.totals.vat, first.totals.vat_cents, first.order_number) == ("AE", 0, "PO-4711")
    assert await issued(worker, invoices, contract) == (first,), "nothing is invoiced twice"

    pdf = await invoices.document(first.number)
    assert hashlib.sha256(pdf).hexdigest() == first.sha256
    data = data_in(pdf)
    assert broken(data) == []
    assert first.number.encode() in data
    (mail,) = [one for one in mails(buyer) if one["subject"] == f"Invoice {first.number}"]
    assert [one["name"] for one in mail["attachments"]] == [f"{first.number}.pdf"]
    assert mail["attachments"][0]["sha256"] == first.sha256

    later(timedelta(days=31))
    second, _ = await issued(worker, invoices, contract)
    assert second.period_from == first.period_to + timedelta(days=1)
    later(timedelta(days=100))
    assert len(await issued(worker, invoices, contract)) == 2, "a term ends"
    assert without_gaps(sql)
    acts = sql("SELECT action FROM audit WHERE subject = %s AND action = 'issue-invoice'", f"contract/{contract}")
    assert len(acts) == 2


async def test_numbers_have_no_gaps_when_workers_and_staff_want_them_at_once(
    quotes: QuoteService,
    invoices: InvoiceService,
    contracting: composition.Infrastructure,
    mails: Mails,
    sql: Ask,
    clock: TestClock,
) -> None:
    contracts = [(await agreed(quotes, contracting, mails, clock))[0] for _ in range(4)]
    workers = [composition.invoices(contracting) for _ in range(6)]
    await asyncio.gather(*(worker.issue_due() for worker in workers))
    made = [one for contract in contracts for one in await invoices.of_contract(contract)]
    assert [one.contract for one in made] == contracts
    why = TakeBack(reason="Concurrently.")
    notes = await asyncio.gather(
        *(invoices.take_back(one.number, why, SELLER) for one in made for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, InvoiceView) for one in notes) == len(made)
    assert {type(one) for one in notes if not isinstance(one, InvoiceView)} == {WrongInvoiceStateError}
    assert without_gaps(sql)


async def test_it_is_paid_and_that_can_be_taken_out(
    quotes: QuoteService,
    invoices: InvoiceService,
    contracting: composition.Infrastructure,
    mails: Mails,
    clock: TestClock,
    later: Later,
    sql: Ask,
) -> None:
    contract, buyer = await agreed(quotes, contracting, mails, clock)
    worker = Worker(contracting)
    (one,) = await issued(worker, invoices, contract)
    today = clock().date()
    for wrong in (today + timedelta(days=1), date(1999, 1, 1)):
        with pytest.raises(InvalidInputError) as refused:
            await invoices.pay(one.number, Payment(paid_on=wrong), SELLER)
        assert set(refused.value.by_field) == {"paid_on"}
    uid = str(uuid4())
    sql("UPDATE contracts SET tenant = 'acme', tenant_uid = %s WHERE id = %s", uid, contract)
    paid = await invoices.pay(one.number, Payment(paid_on=today, reference=" 4711 "), SELLER)
    ((said,),) = sql("SELECT body FROM tenant_events WHERE tenant_uid = %s", uid)
    message = json.loads(said)
    assert message["type"] == "tenant.paid"
    assert (message["data"]["invoice"], message["data"]["cents"]) == (one.number, one.totals.total_cents)
    assert (paid.state, paid.payment_reference) == (InvoiceState.PAID, "4711")
    with pytest.raises(WrongInvoiceStateError):
        await invoices.pay(one.number, Payment(paid_on=today), SELLER)
    assert one.number not in {found.number for found in (await invoices.all(InvoiceState.OPEN)).items}
    assert (await invoices.take_payment_out(one.number, SELLER)).state is InvoiceState.OPEN
    with pytest.raises(WrongInvoiceStateError):
        await invoices.take_payment_out(one.number, SELLER)
    for unknown in ("1999-0001", "no", ""):
        with pytest.raises(InvoiceNotFoundError):
            await invoices.get(unknown)

    async def told(days: int) -> tuple[int, int]:
        """Mails to staff and to the customer by then."""
        later(timedelta(days=30 + days))
        await worker.invoices.tell_of_late()
        await worker.invoices.tell_of_late()
        await worker.drain()
        late = f"Invoice {one.number} is not paid"
        reminder = f"Invoice {one.number} was to be paid by"
        return (
            sum(mail["subject"] == late for mail in mails(SELLER)),
            sum(mail["subject"].startswith(reminder) for mail in mails(buyer)),
        )

    assert [await told(days) for days in (0, 1, 6, 7, 13, 14, 90)] == [
        (0, 0),
        (1, 0),
        (1, 0),
        (2, 1),
        (2, 1),
        (3, 2),
        (3, 2),
    ]
    assert (await invoices.get(one.number)).state is InvoiceState.LATE


async def test_a_credit_note_takes_all_of_it_back(
    quotes: QuoteService,
    invoices: InvoiceService,
    contracting: composition.Infrastructure,
    mails: Mails,
    clock: TestClock,
) -> None:
    contract, buyer = await agreed(quotes, contracting, mails, clock, country="DE", tax_id="")
    worker = Worker(contracting)
    (one,) = await issued(worker, invoices, contract)
    before = await invoices.document(one.number)
    note = await invoices.take_back(one.number, TakeBack(reason="The wrong company."), SELLER)
    await worker.drain()
    assert (note.state, note.corrects, note.totals) == (InvoiceState.CREDIT_NOTE, one.number, one.totals)
    taken = await invoices.get(one.number)
    assert (taken.state, taken.credit_note) == (InvoiceState.TAKEN_BACK, note.number)
    assert await invoices.document(one.number) == before, "what was sent never changes"
    data = data_in(await invoices.document(note.number))
    assert broken(data) == []
    assert b">381<" in data
    assert any(mail["subject"] == f"Credit note {note.number} for invoice {one.number}" for mail in mails(buyer))
    assert len(await issued(worker, invoices, contract)) == 2, "the period is not invoiced again by itself"
    for again in (one.number, note.number):
        with pytest.raises(WrongInvoiceStateError):
            await invoices.take_back(again, TakeBack(reason="Once more."), SELLER)


async def test_another_workspace_has_no_such_invoice(
    quotes: QuoteService,
    invoices: InvoiceService,
    contracting: composition.Infrastructure,
    mails: Mails,
    clock: TestClock,
) -> None:
    contract, _ = await agreed(quotes, contracting, mails, clock)
    (one,) = await issued(Worker(contracting), invoices, contract)
    for uid in ("another-uid", ""):
        assert await invoices.of_tenant(uid) == ()
        with pytest.raises(InvoiceNotFoundError):
            await invoices.document_of_tenant(uid, one.number)


def test_the_api_says_what_there_is_not(staff: httpx.Client) -> None:
    path = "/api/v1/contract-invoices"
    assert staff.get(path).status_code == 200
    assert staff.get(path, params={"state": "nonsense"}).status_code == 422
    assert staff.get(f"{path}/2026-9999").status_code == 404
    assert staff.get(f"{path}/2026-9999/document").status_code == 404
    assert staff.put(f"{path}/2026-9999/payment", json={"paid_on": "2026-12-01"}).status_code == 404
    assert staff.post(f"{path}/2026-9999/credit-note", json={"reason": "None."}).status_code == 404
