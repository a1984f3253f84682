"""Members of the staff: admins list, invite and deactivate them, and change their roles.

An invited member is an active account whose hash no password matches, and a job that mails the link. A deactivation
deletes the password and so ends every login for good; a reactivated member gets a new invitation.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.limiter import Limiter
from vivero_web.links import of_invitations, second_factor_changed, to_recipient
from vivero_web.passwords import NO_PASSWORD
from vivero_web.second_factors import NotActiveError
from vivero_web.text import email_problem

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.api_keys.repository import StaffApiKeyRepository
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.staff import policies, views
from vivero_control.domain.staff.errors import EmailTakenError, MemberNotFoundError, NoSessionError
from vivero_control.domain.staff.factors import SecondFactorRepository
from vivero_control.domain.staff.identity import can_log_in, has_password, staff_subject, view
from vivero_control.domain.staff.jobs import INVITATION, InvitationRequest
from vivero_control.domain.staff.repository import RefreshTokenRepository, StaffLinkRepository, StaffRepository
from vivero_control.domain.staff.schemas import Member, MemberChanges, NewMember, StaffView
from vivero_control.jobs.repository import OutboxRepository


class StaffMembers:
    """For admins: routes refuse everybody else before they read anything.

    Every change raises NoSessionError or NotAllowedError when its actor was deactivated or is no admin any more, and
    TooManyRequestsError when it would mail too many links.
    """

    def __init__(
        self, *, database: Database, limiter: Limiter, wake_worker: Callable[[], None], host: str, clock: Clock
    ) -> None:
        """`host`: where staff log in."""
        self._database = database
        self._host = host
        self._limiter = limiter
        self._wake_worker = wake_worker
        self._clock = clock

    async def all(self) -> tuple[Member, ...]:
        """Everybody by address, deactivated members included. No pagination: a company has few operators."""
        async with self._database.transaction() as session:
            return await views.members(session, self._clock())

    async def get(self, staff_id: UUID) -> Member:
        """One of them.

        Raises:
            MemberNotFoundError: there is none of this id.
        """
        async with self._database.transaction() as session:
            return await views.member(session, staff_id, self._clock())

    async def invite(self, actor: StaffView, new: NewMember) -> Member:
        """Add a member without a password, and mail a link to choose one.

        Raises:
            InvalidInputError: it is no e-mail address.
            EmailTakenError: somebody has it.
        """
        email = new.email.strip().lower()
        if problem := email_problem(email):
            raise InvalidInputError.of("email", problem)
        at = self._clock().replace(microsecond=0)  # as the database keeps it
        made = StaffMember(email=email, password_hash=NO_PASSWORD, role=new.role, created_at=at)
        async with self._as_admin(actor) as (session, _):
            if not await StaffRepository(session).put(made):
                raise EmailTakenError
            await self._send_link(session, actor, made)
            await self._note(session, actor, "invite", made)
            return await views.member(session, made.id, self._clock())

    async def invite_again(self, actor: StaffView, staff_id: UUID) -> Member:
        """Mail a new link; the one before is invalid from now on.

        Raises:
            MemberNotFoundError: there is none of this id.
            ConflictError: they are not invited; the sentence says what they are.
        """
        async with self._about(actor, staff_id) as (session, member):
            policies.require_invited(active=member.active, has_password=has_password(member))
            await self._send_link(session, actor, member)
            await self._note(session, actor, "invite-again", member)
            return await views.member(session, staff_id, self._clock())

    async def withdraw(self, actor: StaffView, staff_id: UUID) -> None:
        """Delete a member who has not accepted, and the link. Raises as `invite_again`."""
        async with self._about(actor, staff_id) as (session, member):
            policies.require_invited(active=member.active, has_password=has_password(member))
            await self._end_everything(session, staff_id)
            await session.delete(member)
            await self._note(session, actor, "withdraw-invitation", member)

    async def change(self, actor: StaffView, staff_id: UUID, changes: MemberChanges) -> Member:
        """Change the role, deactivate, reactivate; idempotent.

        Raises:
            MemberNotFoundError: there is none of this id.
            OwnAccountError: it is the actor.
        """
        policies.forbid_own_account(actor, staff_id)
        async with self._about(actor, staff_id) as (session, member):
            if changes.role is not None and changes.role != member.role:
                member.role = changes.role
                await self._note(session, actor, "change-role", member)
            if changes.active is False and member.active:
                member.active, member.password_hash = False, NO_PASSWORD
                await self._end_everything(session, staff_id)
                await self._note(session, actor, "deactivate", member)
            if changes.active and not member.active:
                member.active, member.password_hash = True, NO_PASSWORD
                await self._send_link(session, actor, member)
                await self._note(session, actor, "reactivate", member)
            return await views.member(session, staff_id, self._clock())

    async def reset_second_factor(self, actor: StaffView, staff_id: UUID) -> Member:
        """End the two-step login of who has lost phone and recovery codes, and their logins; they are told by mail.

        Raises:
            MemberNotFoundError: there is none of this id.
            OwnAccountError: it is the actor, who ends it with the password.
            NotActiveError: they have none.
        """
        policies.forbid_own_account(actor, staff_id)
        async with self._about(actor, staff_id) as (session, member):
            if not await SecondFactorRepository(session).end(staff_id):
                raise NotActiveError
            await RefreshTokenRepository(session).end_all(staff_id)
            await self._note(session, actor, "reset-second-factor", member)
            mail = second_factor_changed(
                f"mail.second-factor:{uuid4()}", to=member.email, place=self._host, on=False, by=actor.email
            )
            await mails.enqueue(session, mail, self._clock())
            return await views.member(session, staff_id, self._clock())

    @asynccontextmanager
    async def _as_admin(
        self, actor: StaffView, *others: UUID
    ) -> AsyncIterator[tuple[AsyncSession, Mapping[UUID, StaffMember]]]:
        """A transaction that has verified that the actor is an admin, and locks them and the others."""
        own = UUID(actor.id)
        async with self._database.transaction() as session:
            held = await StaffRepository(session).locked(own, *others)
            if own not in held or not can_log_in(held[own]):
                raise NoSessionError
            policies.require_admin(view(held[own]))
            yield session, held
        self._wake_worker()

    @asynccontextmanager
    async def _about(self, actor: StaffView, staff_id: UUID) -> AsyncIterator[tuple[AsyncSession, StaffMember]]:
        async with self._as_admin(actor, staff_id) as (session, held):
            if staff_id not in held:
                raise MemberNotFoundError
            yield session, held[staff_id]

    async def _send_link(self, session: AsyncSession, actor: StaffView, member: StaffMember) -> None:
        """By a job that creates it; earlier links are invalid from now on."""
        await self._limiter.count_all(of_invitations(), to_recipient(member.email))
        await StaffLinkRepository(session).void(member.id)
        now, payload = self._clock(), msgspec.to_builtins(InvitationRequest(member.id, member.email, actor.email))
        await OutboxRepository(session).enqueue(
            kind=INVITATION,
            key=f"{INVITATION}:{uuid4()}",
            payload=payload,
            now=now,
            due_at=now,
            subject=staff_subject(member.id),
        )

    async def _end_everything(self, session: AsyncSession, staff_id: UUID) -> None:
        """Links, tokens and API keys; sessions of pages end by the security stamp."""
        await StaffLinkRepository(session).void(staff_id)
        await RefreshTokenRepository(session).end_all(staff_id)
        await StaffApiKeyRepository(session).end_all(staff_id)

    async def _note(self, session: AsyncSession, actor: StaffView, action: str, member: StaffMember) -> None:
        detail = {"email": member.email, "role": member.role}
        act = AuditAction(actor=actor.email, action=action, subject=staff_subject(member.id), reason="", detail=detail)
        await AuditRepository(session).add(record(act, self._clock(), DONE))
