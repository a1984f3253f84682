"""SQL of a tenant's timeline: ranges of indexes, each at most a page long, however much there is of other tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from vivero_control.db.tables import AuditRecord, BillingCustomer, BillingInvoice, OutboxEntry, Signup, SignupJourney
from vivero_control.domain.timeline.policies import Place, Source


def acts(subject: str, place: Place | None, limit: int) -> Select[AuditRecord]:
    """Entries of the audit log about it."""
    where = behind(Source.AUDIT, AuditRecord.at, AuditRecord.id, place)
    newest = (AuditRecord.at.desc(), AuditRecord.id.desc())
    return select(AuditRecord).where(AuditRecord.subject == subject, *where).order_by(*newest).limit(limit)


def jobs(subject: str, kinds: Sequence[str], place: Place | None, limit: int) -> Select[OutboxEntry]:
    """Jobs of these kinds about it."""
    where = behind(Source.OUTBOX, OutboxEntry.created_at, OutboxEntry.id, place)
    newest = (OutboxEntry.created_at.desc(), OutboxEntry.id.desc())
    about = (OutboxEntry.subject == subject, OutboxEntry.kind.in_(kinds))
    return select(OutboxEntry).where(*about, *where).order_by(*newest).limit(limit)


def invoices(tenant_uid: str, place: Place | None, limit: int) -> Select[BillingInvoice]:
    where = behind(Source.INVOICES, BillingInvoice.created_at, BillingInvoice.id, place)
    newest = (BillingInvoice.created_at.desc(), BillingInvoice.id.desc())
    return (
        select(BillingInvoice)
        .join(BillingCustomer, BillingCustomer.id == BillingInvoice.customer_id)
        .where(BillingCustomer.tenant_uid == tenant_uid, *where)
        .order_by(*newest)
        .limit(limit)
    )


async def journey(session: AsyncSession, tenant_uid: str) -> tuple[Signup, SignupJourney] | None:
    """The signup that it came from, if its workspace was seen to work."""
    statement = (
        select(Signup, SignupJourney)
        .join(SignupJourney, SignupJourney.signup_id == Signup.id)
        .where(SignupJourney.tenant_uid == tenant_uid)
    )
    found = (await session.execute(statement)).first()
    return (found[0], found[1]) if found else None


def behind(
    source: Source, at: InstrumentedAttribute[datetime], ident: InstrumentedAttribute[Any], place: Place | None
) -> list[ColumnElement[bool]]:
    """What holds for the rows of a source that come after a place: a range of its index, and what is exact."""
    if place is None:
        return []
    if source < place.source:
        return [at < place.at]
    if source > place.source:
        return [at <= place.at]
    last = place.ident if source is Source.INVOICES else int(place.ident)
    return [at <= place.at, or_(at < place.at, and_(at == place.at, ident < last))]
