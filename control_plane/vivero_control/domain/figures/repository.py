"""SQL of the figures: the rows that they are calculated from, and what is only counted."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Select, delete, func, select, update
from sqlalchemy.dialects.mysql import insert

from vivero_control.db.database import Repository
from vivero_control.db.tables import (
    BillingCustomer,
    BillingInvoice,
    BillingSubscription,
    Signup,
    SignupJourney,
    SignupSign,
    SiteVisits,
)
from vivero_control.domain.billing.schemas import Interval, InvoiceStatus, SubscriptionStatus
from vivero_control.domain.figures.policies import Prospect, Subscribed, Visits, source_of
from vivero_control.domain.signups.repository import by_a_probe

OTHER: Final = "other"
SOURCES_OF_A_DAY: Final = 500
"""Anybody can make up where they come from: further ones are counted as OTHER."""


class VisitRepository(Repository[SiteVisits]):
    """Page loads by day."""

    model_type = SiteVisits

    async def count(self, day: date, found: Mapping[tuple[str, str], int]) -> None:
        """Add page loads by source and campaign."""
        columns = (SiteVisits.source, SiteVisits.campaign)
        rows = await self.session.execute(select(*columns).where(SiteVisits.day == day))
        known = {(source, campaign) for source, campaign in rows}
        added: dict[tuple[str, str], int] = {}
        for name, visits in sorted(found.items()):  # in one order, so that two processes wait instead of deadlocking
            counted = name if name in known or len(known) < SOURCES_OF_A_DAY else (OTHER, "")
            known.add(counted)
            added[counted] = added.get(counted, 0) + visits
        values = [
            {"day": day, "source": source, "campaign": campaign, "visits": visits}
            for (source, campaign), visits in added.items()
        ]
        fresh = insert(SiteVisits)
        await self.session.execute(
            fresh.on_duplicate_key_update(visits=SiteVisits.visits + fresh.inserted.visits), values
        )

    async def since(self, day: date) -> list[Visits]:
        rows = await self.session.scalars(select(SiteVisits).where(SiteVisits.day >= day))
        return [Visits(row.day, row.source, row.campaign, row.visits) for row in rows]

    async def forget(self, before: date) -> int:
        """Delete older days; returns how many rows."""
        statement = delete(SiteVisits).where(SiteVisits.day < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class JourneyRepository(Repository[SignupJourney]):
    """How far signups have come, as it was seen."""

    model_type = SignupJourney

    async def put(self, signup_id: str, tenant_uid: str, provisioned_at: datetime) -> None:
        """What was seen first stays."""
        values = {"signup_id": signup_id, "tenant_uid": tenant_uid, "provisioned_at": provisioned_at}
        await self.session.execute(insert(SignupJourney).values(values).on_duplicate_key_update(signup_id=signup_id))

    async def without(self, since: datetime) -> Sequence[str]:
        """Signups from then on whose workspace was not seen to work yet."""
        statement = (
            select(Signup.id)
            .outerjoin(SignupJourney, SignupJourney.signup_id == Signup.id)
            .where(
                SignupJourney.signup_id.is_(None), Signup.failure.is_(None), Signup.created_at >= since, ~by_a_probe()
            )
        )
        return (await self.session.scalars(statement)).all()

    async def followed(self, since: datetime, signs: int) -> Sequence[SignupJourney]:
        """Of signups from then on, those whose workspace is asked for its use.

        Until it was seen to be active and, of who has not paid, until so many signs were seen.
        """
        seen = select(func.count()).where(SignupSign.signup_id == SignupJourney.signup_id).scalar_subquery()
        paid = _paid().where(BillingCustomer.tenant_uid == SignupJourney.tenant_uid).exists()
        statement = (
            select(SignupJourney)
            .join(Signup, Signup.id == SignupJourney.signup_id)
            .where(Signup.created_at >= since, SignupJourney.active_at.is_(None) | ((seen < signs) & ~paid))
        )
        return (await self.session.scalars(statement)).all()

    async def note_use(self, signup_id: str, *, first_value_at: datetime, active_at: datetime | None) -> None:
        """What was seen first stays."""
        seen = {
            "first_value_at": func.coalesce(SignupJourney.first_value_at, first_value_at),
            "active_at": func.coalesce(SignupJourney.active_at, active_at),
        }
        await self.session.execute(update(SignupJourney).where(SignupJourney.signup_id == signup_id).values(seen))

    async def prospects(self, since: datetime) -> list[Prospect]:
        """Signups from then on, the newest first."""
        first_paid = _paid().group_by(BillingCustomer.tenant_uid).subquery()
        statement = (
            select(Signup, SignupJourney, first_paid.c.at)
            .outerjoin(SignupJourney, SignupJourney.signup_id == Signup.id)
            .outerjoin(first_paid, first_paid.c.tenant_uid == SignupJourney.tenant_uid)
            .where(Signup.created_at >= since, ~by_a_probe())
            .order_by(Signup.created_at.desc(), Signup.id)
        )
        return [
            _prospect(signup, journey, paid_at) for signup, journey, paid_at in await self.session.execute(statement)
        ]

    async def subscriptions(self) -> list[tuple[Subscribed, str]]:
        """Every subscription there ever was, each with the name of the Tenant that it pays for."""
        paid = (
            select(BillingInvoice.subscription, func.max(BillingInvoice.period_end).label("until"))
            .where(BillingInvoice.status == InvoiceStatus.PAID, BillingInvoice.paid_cents > 0)
            .group_by(BillingInvoice.subscription)
            .subquery()
        )
        statement = (
            select(BillingSubscription, paid.c.until, BillingCustomer.tenant)
            .join(BillingCustomer, BillingCustomer.id == BillingSubscription.customer_id)
            .outerjoin(paid, paid.c.subscription == BillingSubscription.id)
        )
        return [(_subscribed(row, until), tenant) for row, until, tenant in await self.session.execute(statement)]


def _paid() -> Select[str, datetime]:
    """By tenant's uid, when the first invoice with an amount was made that is paid."""
    return (
        select(BillingCustomer.tenant_uid, func.min(BillingInvoice.created_at).label("at"))
        .join(BillingInvoice, BillingInvoice.customer_id == BillingCustomer.id)
        .where(BillingInvoice.status == InvoiceStatus.PAID, BillingInvoice.paid_cents > 0)
    )


def _prospect(row: Signup, journey: SignupJourney | None, paid_at: datetime | None) -> Prospect:
    source, campaign = source_of(row.lead or {})
    return Prospect(
        id=row.id,
        company=row.company,
        email=row.email,
        slug=row.slug,
        created_at=row.created_at,
        trial_ends_at=row.trial_ends_at,
        confirmed_at=row.confirmed_at,
        provisioned_at=journey.provisioned_at if journey else None,
        first_value_at=journey.first_value_at if journey else None,
        active_at=journey.active_at if journey else None,
        paid_at=paid_at,
        source=source,
        campaign=campaign,
    )


def _subscribed(row: BillingSubscription, paid_until: datetime | None) -> Subscribed:
    return Subscribed(
        customer=str(row.customer_id),
        status=SubscriptionStatus(row.status),
        interval=Interval(row.interval),
        amount_cents=row.amount_cents,
        currency=row.currency.upper(),
        created_at=row.created_at,
        paid_until=paid_until,
    )
