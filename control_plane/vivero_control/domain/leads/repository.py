"""SQL of leads: the signs that were seen, and who looks after which."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.passwords import NO_PASSWORD

from vivero_control.db.database import Repository
from vivero_control.db.tables import (
    BillingCheckout,
    BillingCustomer,
    LeadRoute,
    Signup,
    SignupJourney,
    SignupSign,
    StaffMember,
)
from vivero_control.domain.figures.repository import JourneyRepository
from vivero_control.domain.leads import policies
from vivero_control.domain.leads.policies import Candidate
from vivero_control.domain.leads.schemas import Owner, Sign

ROLE = "support"
"""Of those who leads are given to in turn; admins where there is none of them."""


class SignRepository(Repository[SignupSign]):
    """What was seen of workspaces."""

    model_type = SignupSign

    async def note(self, signup_id: str, signs: Iterable[Sign], now: datetime) -> None:
        """What was seen first stays."""
        values = [{"signup_id": signup_id, "sign": str(sign), "seen_at": now} for sign in sorted(signs)]
        if values:
            await self.session.execute(insert(SignupSign).on_duplicate_key_update(sign=SignupSign.sign), values)

    async def since(self, moment: datetime) -> dict[str, dict[Sign, datetime]]:
        """By signup, of those from then on."""
        statement = (
            select(SignupSign.signup_id, SignupSign.sign, SignupSign.seen_at)
            .join(Signup, Signup.id == SignupSign.signup_id)
            .where(Signup.created_at >= moment, _known())
        )
        found: dict[str, dict[Sign, datetime]] = {}
        for signup_id, sign, seen_at in await self.session.execute(statement):
            found.setdefault(signup_id, {})[Sign(sign)] = seen_at
        return found

    async def of(self, signup_id: str) -> dict[Sign, datetime]:
        statement = select(SignupSign).where(SignupSign.signup_id == signup_id, _known())
        return {Sign(row.sign): row.seen_at for row in await self.session.scalars(statement)}

    async def checkouts(self, since: datetime) -> dict[str, datetime]:
        """By signup, of those from then on: when its owner first opened the page to pay."""
        statement = (
            select(SignupJourney.signup_id, func.min(BillingCheckout.created_at))
            .join(Signup, Signup.id == SignupJourney.signup_id)
            .join(BillingCustomer, BillingCustomer.tenant_uid == SignupJourney.tenant_uid)
            .join(BillingCheckout, BillingCheckout.customer_id == BillingCustomer.id)
            .where(Signup.created_at >= since)
            .group_by(SignupJourney.signup_id)
        )
        return {signup_id: at for signup_id, at in await self.session.execute(statement)}  # noqa: C416  Rows are no tuples for the type checker

    async def failed(self, since: datetime) -> set[str]:
        """Signups from then on that never became a workspace."""
        statement = select(Signup.id).where(Signup.created_at >= since, Signup.failure.is_not(None))
        return set(await self.session.scalars(statement))


class LeadRepository(Repository[LeadRoute]):
    """Who looks after which lead."""

    model_type = LeadRoute

    async def locked(self, signup_id: str) -> LeadRoute:
        """Its row, made if there was none, held until the transaction ends. Raises IntegrityError without such a signup."""
        fresh = insert(LeadRoute).values(signup_id=signup_id, told=0)
        await self.session.execute(fresh.on_duplicate_key_update(signup_id=signup_id))
        statement = select(LeadRoute).where(LeadRoute.signup_id == signup_id).with_for_update()
        return (await self.session.scalars(statement)).one()

    async def all(self, since: datetime) -> dict[str, tuple[LeadRoute, Owner | None]]:
        """By signup, of those from then on."""
        statement = (
            select(LeadRoute, StaffMember.email)
            .join(Signup, Signup.id == LeadRoute.signup_id)
            .outerjoin(StaffMember, StaffMember.id == LeadRoute.staff_id)
            .where(Signup.created_at >= since)
        )
        return {
            route.signup_id: (route, Owner(id=route.staff_id, email=email) if route.staff_id else None)
            for route, email in await self.session.execute(statement)
        }

    async def members(self) -> list[Owner]:
        """Everybody of the staff who can log in, by address."""
        statement = select(StaffMember.id, StaffMember.email).where(*_can_log_in()).order_by(StaffMember.email)
        return [Owner(id=staff_id, email=email) for staff_id, email in await self.session.execute(statement)]

    async def in_turn(self) -> Owner | None:
        """Who gets the next lead; their rows are held, so that of two workers one chooses after the other."""
        statement = select(StaffMember).where(*_can_log_in()).order_by(StaffMember.id).with_for_update()
        everybody = (await self.session.scalars(statement)).all()
        staff = [one for one in everybody if one.role == ROLE] or everybody
        chosen = policies.next_in_turn([one.id for one in staff], await self._last())
        return next((Owner(id=one.id, email=one.email) for one in staff if one.id == chosen), None)

    async def _last(self) -> Mapping[UUID, datetime]:
        """When each was given a lead last."""
        statement = (
            select(LeadRoute.staff_id, func.max(LeadRoute.assigned_at))
            .where(LeadRoute.staff_id.is_not(None))
            .group_by(LeadRoute.staff_id)
        )
        return {staff_id: at for staff_id, at in await self.session.execute(statement) if staff_id and at}


def _known() -> ColumnElement[bool]:
    """A newer program may have noted others."""
    return SignupSign.sign.in_(list(map(str, Sign)))


def _can_log_in() -> tuple[ColumnElement[bool], ...]:
    return StaffMember.active.is_(True), StaffMember.password_hash != NO_PASSWORD


async def candidates(session: AsyncSession, since: datetime) -> list[Candidate]:
    """Every trial from then on, without those that never became a workspace; the newest first."""
    prospects = await JourneyRepository(session).prospects(since)
    noted, checkouts = await SignRepository(session).since(since), await SignRepository(session).checkouts(since)
    failed, routes = await SignRepository(session).failed(since), await LeadRepository(session).all(since)
    together = policies.colleagues([one for one in prospects if one.id not in failed])
    found = []
    for one in prospects:
        if one.id in failed:
            continue
        route, owner = routes.get(one.id, (None, None))
        signs = policies.signs_of(
            one, noted.get(one.id, {}), checkout_at=checkouts.get(one.id), colleague_at=together.get(one.id)
        )
        found.append(
            Candidate(
                prospect=one,
                signs=signs,
                owner=owner,
                assigned_at=route.assigned_at if route else None,
                told=route.told if route else 0,
            )
        )
    return found
