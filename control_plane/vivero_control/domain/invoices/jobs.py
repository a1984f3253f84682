"""The jobs of invoices: the document, once; and the mail that carries it."""

import asyncio
import hashlib
import os
import sys
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.errors import ViveroError
from vivero_web.clock import Clock
from vivero_web.mail import Attachment

from vivero_control.db.database import Database
from vivero_control.db.tables import ContractInvoice
from vivero_control.domain.invoices.content import REFUSED, Content, Kind
from vivero_control.domain.invoices.repository import InvoiceRepository
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload
from vivero_control.jobs.repository import OutboxRepository

DOCUMENT: Final = "invoice.document"
MAIL: Final = "invoice.mail"
PROGRAM: Final = "vivero_control.domain.invoices.documents"
"""In a process of its own: the libraries take some 50 MiB, which the worker needs a few times a month."""
_SECONDS: Final = 60.0


class Words(StrEnum):
    """What the mail says."""

    ISSUED = "invoice_issued"
    REMINDER = "invoice_reminder"
    TAKEN_BACK = "invoice_taken_back"


class DocumentFailedError(ViveroError):
    """The process that makes documents failed; try again later."""


class MakeDocument(msgspec.Struct, frozen=True):
    """Payload: which invoice."""

    invoice: int
    number: str
    company: str


class DocumentJob(JobKind):
    """Makes the document of an invoice and keeps it; the mail with it follows in the same transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Raises GiveUpError, DocumentFailedError."""
        invoice = msgspec.convert(payload, MakeDocument).invoice
        async with self._database.transaction() as session:
            row = await InvoiceRepository(session).get_one_or_none(id=invoice)
            kept = await InvoiceRepository(session).document(invoice)
        if row is None or kept is not None:
            return
        pdf = await made(msgspec.convert(row.content, Content))
        now = self._clock()
        async with self._database.transaction() as session:
            if await InvoiceRepository(session).keep_document(invoice, pdf, hashlib.sha256(pdf).hexdigest(), now):
                words = Words.ISSUED if row.kind == Kind.INVOICE else Words.TAKEN_BACK
                await enqueue_mail(session, row, words, now, key=row.number)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Document of invoice {payload.get('number', '')}", str(payload.get("company", "")))


class MailInvoice(msgspec.Struct, frozen=True):
    """Payload: which invoice, and what the mail with it says."""

    invoice: int
    number: str
    to: str
    words: Words
    key: str


class MailJob(JobKind):
    """Mails the document of an invoice; a job holds no document."""

    def __init__(self, database: Database, sender: MailSender) -> None:
        self._database = database
        self._sender = sender

    async def perform(self, payload: Payload) -> None:
        """A reminder of what was paid or taken back since is not sent.

        Raises:
            GiveUpError: the server refuses this mail for good.
            MailServerUnavailableError: try again later.
        """
        order = msgspec.convert(payload, MailInvoice)
        async with self._database.transaction() as session:
            invoices = InvoiceRepository(session)
            (found,) = await invoices.found(ContractInvoice.id == order.invoice)
            document = await invoices.document(order.invoice)
        settled = found.row.paid_on is not None or found.credit_note is not None
        if document is None or (order.words is Words.REMINDER and settled):
            return
        content = found.content
        mail = mails.of_contract(
            order.words,
            order.key,
            to=order.to,
            number=content.number,
            corrects=content.corrects,
            company=content.buyer.name,
            due=mails.day(content.due_on),
        )
        await self._sender.send(mail, [Attachment(f"{content.number}.pdf", "application/pdf", document.pdf)])

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Mail with invoice {payload.get('number', '')}", str(payload.get("to", "")))


async def enqueue_document(session: AsyncSession, row: ContractInvoice, now: datetime) -> None:
    payload = MakeDocument(row.id, row.number, row.content["buyer"]["name"])
    await _enqueue(session, DOCUMENT, row, payload, now, key=row.number)


async def enqueue_mail(session: AsyncSession, row: ContractInvoice, words: Words, now: datetime, *, key: str) -> None:
    payload = MailInvoice(row.id, row.number, row.content["buyer"]["email"], words, key)
    await _enqueue(session, MAIL, row, payload, now, key=f"{words}:{key}")


async def _enqueue(  # noqa: PLR0913  a job's columns
    session: AsyncSession,
    kind: str,
    row: ContractInvoice,
    payload: MakeDocument | MailInvoice,
    now: datetime,
    *,
    key: str,
) -> None:
    await OutboxRepository(session).enqueue(
        kind=kind,
        key=f"{kind}:{key}",
        payload=msgspec.to_builtins(payload),
        now=now,
        due_at=now,
        subject=invoice_subject(row.number),
    )


def invoice_subject(number: str) -> str:
    """What jobs about an invoice are about."""
    return f"invoice/{number}"


async def made(content: Content) -> bytes:
    """The document of an invoice, from a process that knows nothing but what it says.

    Raises:
        GiveUpError: it says what a document cannot, such as letters that its font lacks.
        DocumentFailedError: the process failed, or took longer than a minute.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            pdf, errors = await process.communicate(msgspec.json.encode(content))
    except TimeoutError as error:
        raise DocumentFailedError(f"The document took longer than {_SECONDS:.0f} seconds.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    last = errors.decode(errors="replace").strip().rpartition("\n")[2]
    if process.returncode == REFUSED:
        raise GiveUpError(last)
    if process.returncode != 0:
        raise DocumentFailedError(f"The process that makes documents failed: {last}")
    return pdf
