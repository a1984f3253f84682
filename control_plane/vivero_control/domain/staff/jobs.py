"""Jobs that mail a one-time link. The worker creates the link when it sends it, so no secret is ever stored in a job."""

from abc import abstractmethod
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import links
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError
from vivero_web.mail import Mail
from vivero_web.tokens import digest, new_secret

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.staff.identity import can_log_in, has_password
from vivero_control.domain.staff.repository import StaffLinkRepository, StaffRepository
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload

RESET: Final = "staff.reset"
INVITATION: Final = "staff.invitation"


class ResetRequest(msgspec.Struct, frozen=True):
    """Payload of a reset: the address that was typed, and when."""

    email: str
    at: datetime


class InvitationRequest(msgspec.Struct, frozen=True):
    """Payload of an invitation: who is invited, and by whom."""

    staff_id: UUID
    email: str
    inviter: str


class TooOldError(ConflictError):
    """A reset that nobody remembers asking for alarms its recipient."""

    def __init__(self) -> None:
        super().__init__("It was asked for too long ago; whoever still needs it asks again.")


class LinkJob(JobKind):
    """Mails a link; `host` is where staff log in, below `origin`."""

    def __init__(self, database: Database, sender: MailSender, origin: str, host: str, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._origin = origin
        self._host = host
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Each attempt creates a new link, and only the newest is valid; without a recipient nothing is sent."""
        secret = new_secret()
        key = digest(secret).hex()
        async with self._database.transaction() as session:
            member = await self._recipient(session, payload)
            if member is None:
                return
            await StaffLinkRepository(session).put(member.id, key, self._expires_at())
        link = links.one_time_link(f"{self._origin}{links.PAGE}", secret)
        await self._sender.send(self._mail(payload, key, member.email, link))

    @abstractmethod
    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        """Whose link it is, locked; None when nobody gets one."""

    @abstractmethod
    def _expires_at(self) -> datetime:
        """Of a link that is made now."""

    @abstractmethod
    def _mail(self, payload: Payload, key: str, to: str, link: str) -> Mail:
        """What is sent."""


class ResetJob(LinkJob):
    """For a forgotten password. Without a password so far there is nothing to reset: an admin invites again."""

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Link to reset a password", str(payload.get("email", "")))

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:  # noqa: ARG002  as other kinds need it
        if self._is_old(msgspec.convert(payload, ResetRequest)):
            raise TooOldError

    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        """An unknown address is no failure, so it never becomes a dead letter."""
        asked = msgspec.convert(payload, ResetRequest)
        member = await StaffRepository(session).by_email(asked.email, locked=True)
        if member is None or not can_log_in(member):
            return None
        if self._is_old(asked):
            raise GiveUpError("it was asked for too long ago")
        return member

    def _expires_at(self) -> datetime:
        return self._clock() + links.RESET_VALID_FOR

    def _mail(self, payload: Payload, key: str, to: str, link: str) -> Mail:  # noqa: ARG002  as the other kind needs it
        return links.password_reset(key, to=to, place=self._host, link=link)

    def _is_old(self, asked: ResetRequest) -> bool:
        return self._clock() - asked.at > links.RESET_VALID_FOR


class InvitationJob(LinkJob):
    """For an invited member, unless withdrawn, deactivated or already with a password."""

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Invitation to the staff", str(payload.get("email", "")))

    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        staff_id = msgspec.convert(payload, InvitationRequest).staff_id
        member = (await StaffRepository(session).locked(staff_id)).get(staff_id)
        return member if member and member.active and not has_password(member) else None

    def _expires_at(self) -> datetime:
        return self._clock() + links.INVITATION_VALID_FOR

    def _mail(self, payload: Payload, key: str, to: str, link: str) -> Mail:
        inviter = msgspec.convert(payload, InvitationRequest).inviter
        return links.invitation(key, to=to, group="the staff of Vivero", place=self._host, inviter=inviter, link=link)
