"""A reset as a job: the worker looks the address up, makes the link and sends it, so that no secret ever waits in a table."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import letters, links
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError
from vivero_web.tokens import digest, new_secret

from vivero_control.db.database import Database
from vivero_control.domain.notifications.sender import MailSender
from vivero_control.domain.staff.repository import StaffLinkRepository, StaffRepository
from vivero_control.jobs.kinds import GiveUpError, Kind, Payload, Words

KIND: Final = "staff.reset"


class Asked(msgspec.Struct, frozen=True):
    """What the outbox keeps: an address that was typed, and when."""

    email: str
    at: datetime


class TooOldError(ConflictError):
    """A link that comes out of the blue is a fright and no help."""

    def __init__(self) -> None:
        super().__init__("It was asked for too long ago; whoever still needs it asks again.")


class ResetJob(Kind):
    """Mails the link; `host` is where staff log in, below `origin`."""

    def __init__(self, database: Database, sender: MailSender, origin: str, host: str, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._origin = origin
        self._host = host
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Each attempt has a link of its own, and only the newest counts; nobody has the address: there is nothing to do."""
        asked, secret = _asked(payload), new_secret()
        if not await self._put(asked, digest(secret).hex()):
            return
        link = links.one_time_link(f"{self._origin}{links.PAGE}", secret)
        letter = letters.password_reset(digest(secret).hex(), to=asked.email, place=self._host, link=link)
        await self._sender.send(letter)

    def words(self, payload: Payload) -> Words:
        return Words("Link to reset a password", str(payload.get("email", "")))

    async def revived(self, session: AsyncSession, payload: Payload) -> None:  # noqa: ARG002  as other kinds need it
        if self._is_old(_asked(payload)):
            raise TooOldError

    async def _put(self, asked: Asked, secret: str) -> bool:
        """Whether there is somebody to send the link to; of strangers' addresses none becomes a dead letter."""
        async with self._database.transaction() as session:
            member = await StaffRepository(session).by_email(asked.email)
            if member is None or not member.active:
                return False
            if self._is_old(asked):
                raise GiveUpError("it was asked for too long ago")
            await StaffLinkRepository(session).put(member.id, secret, self._clock() + links.RESET_VALID_FOR)
            return True

    def _is_old(self, asked: Asked) -> bool:
        return self._clock() - asked.at > links.RESET_VALID_FOR


def _asked(payload: Payload) -> Asked:
    return msgspec.convert(payload, Asked)
