"""The jobs of quotes and contracts: the mail with the link, and what a workspace has from the first day on."""

from datetime import UTC, datetime, time
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.links import one_time_link
from vivero_web.tokens import digest, new_secret

from vivero_control.db.database import Database
from vivero_control.db.tables import Contract
from vivero_control.domain.contracts.entitlements import Entitlements
from vivero_control.domain.contracts.policies import state_on
from vivero_control.domain.contracts.repository import QuoteRepository
from vivero_control.domain.contracts.schemas import QuoteState, QuoteTerms
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload
from vivero_control.jobs.repository import OutboxRepository

SEND: Final = "quote.send"
APPLY: Final = "contract.apply"
PAGE: Final = "/quote"
"""Where the mailed link leads."""


class SendQuote(msgspec.Struct, frozen=True):
    """Payload: which quote, and whom it is for."""

    quote: int
    company: str


class SendJob(JobKind):
    """Mails the link of a quote; each attempt makes another one, so none is stored in a job."""

    def __init__(self, database: Database, sender: MailSender, origin: str, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._origin = origin
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """One that is withdrawn or has expired since is not mailed."""
        secret = new_secret()
        async with self._database.transaction() as session:
            number = msgspec.convert(payload, SendQuote).quote
            row = await QuoteRepository(session).get_one_or_none(id=number, with_for_update=True)
            if row is None:
                return
            if state_on(QuoteState(row.state), row.valid_until, self._clock().date()) is not QuoteState.SENT:
                return
            row.link = digest(secret).hex()
            terms = msgspec.convert(row.terms, QuoteTerms)
            mail = mails.of_contract(
                "quote_sent",
                row.link,
                to=terms.email,
                number=row.id,
                company=terms.company,
                until=mails.day(terms.valid_until),
                link=one_time_link(f"{self._origin}{PAGE}", secret),
            )
        await self._sender.send(mail)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Mail with quote {payload.get('quote', '')}", str(payload.get("company", "")))


class ApplyContract(msgspec.Struct, frozen=True):
    """Payload: which contract, and for which Tenant."""

    contract: int
    tenant: str


class ApplyJob(JobKind):
    """Gives a workspace what its contract says."""

    def __init__(self, entitlements: Entitlements) -> None:
        self._entitlements = entitlements

    async def perform(self, payload: Payload) -> None:
        await self._entitlements.apply(msgspec.convert(payload, ApplyContract).contract)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(
            f"Plan and limits of contract {payload.get('contract', '')}", str(payload.get("tenant", ""))
        )


async def enqueue_apply(session: AsyncSession, contract: Contract, now: datetime) -> None:
    """At the beginning of its first day, or at once; nothing while it is for no Tenant."""
    if contract.tenant is None or contract.tenant_uid is None:
        return
    first = datetime.combine(contract.starts_on, time(), UTC)
    await OutboxRepository(session).enqueue(
        kind=APPLY,
        key=f"{APPLY}:{contract.id}",
        payload={"contract": contract.id, "tenant": contract.tenant},
        now=now,
        due_at=max(now, first),
        subject=tenant_subject(contract.tenant),
    )
