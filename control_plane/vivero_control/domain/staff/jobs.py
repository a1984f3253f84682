"""Links by mail as jobs: the worker makes the link when it sends it, so that no secret ever waits in a table."""

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
from vivero_control.domain.staff.repository import StaffLinkRepository, StaffRepository
from vivero_control.domain.staff.service import can_log_in, has_password
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload

RESET: Final = "staff.reset"
INVITATION: Final = "staff.invitation"


class Asked(msgspec.Struct, frozen=True):
    """What the outbox keeps of a reset: an address that was typed, and when."""

    email: str
    at: datetime


class Invited(msgspec.Struct, frozen=True):
    """What the outbox keeps of an invitation: who is to have a password, and who says so."""

    staff_id: UUID
    email: str
    inviter: str


class TooOldError(ConflictError):
    """A link that comes out of the blue is a fright and no help."""

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
        """Each attempt has a link of its own, and only the newest counts; there may be nobody any more to send it to."""
        secret = new_secret()
        key = digest(secret).hex()
        async with self._database.transaction() as session:
            member = await self._recipient(session, payload)
            if member is None:
                return
            await StaffLinkRepository(session).put(member.id, key, self._expires_at())
        link = links.one_time_link(f"{self._origin}{links.PAGE}", secret)
        await self._sender.send(self._letter(payload, key, member.email, link))

    @abstractmethod
    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        """Whose link it is, locked; None when nobody is to have one."""

    @abstractmethod
    def _expires_at(self) -> datetime:
        """Of a link that is made now."""

    @abstractmethod
    def _letter(self, payload: Payload, key: str, to: str, link: str) -> Mail:
        """What is sent."""


class ResetJob(LinkJob):
    """For who has forgotten the password. Who never had one has forgotten none: only an admin invites again."""

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Link to reset a password", str(payload.get("email", "")))

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:  # noqa: ARG002  as other kinds need it
        if self._is_old(msgspec.convert(payload, Asked)):
            raise TooOldError

    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        """Of strangers' addresses none becomes a dead letter."""
        asked = msgspec.convert(payload, Asked)
        member = await StaffRepository(session).by_email(asked.email, locked=True)
        if member is None or not can_log_in(member):
            return None
        if self._is_old(asked):
            raise GiveUpError("it was asked for too long ago")
        return member

    def _expires_at(self) -> datetime:
        return self._clock() + links.RESET_VALID_FOR

    def _letter(self, payload: Payload, key: str, to: str, link: str) -> Mail:  # noqa: ARG002  as the other kind needs it
        return links.password_reset(key, to=to, place=self._host, link=link)

    def _is_old(self, asked: Asked) -> bool:
        return self._clock() - asked.at > links.RESET_VALID_FOR


class InvitationJob(LinkJob):
    """For who is to be of the staff, as long as they are: not withdrawn, not deactivated, and without a password."""

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Invitation to the staff", str(payload.get("email", "")))

    async def _recipient(self, session: AsyncSession, payload: Payload) -> StaffMember | None:
        staff_id = msgspec.convert(payload, Invited).staff_id
        member = (await StaffRepository(session).locked(staff_id)).get(staff_id)
        return member if member and member.active and not has_password(member) else None

    def _expires_at(self) -> datetime:
        return self._clock() + links.INVITATION_VALID_FOR

    def _letter(self, payload: Payload, key: str, to: str, link: str) -> Mail:
        inviter = msgspec.convert(payload, Invited).inviter
        return links.invitation(key, to=to, group="the staff of Vivero", place=self._host, inviter=inviter, link=link)
