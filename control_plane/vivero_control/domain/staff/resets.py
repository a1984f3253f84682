"""A forgotten password of staff.

What was typed becomes an entry of the outbox, whoever has that address: so
neither the answer nor its time tells. The worker looks the address up and makes
the link at the moment it sends it, so that no secret ever waits in a table.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import msgspec
from limits import RateLimitItemPerHour
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import letters, links
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, LinkSpentError, TooManyRequestsError
from vivero_web.links import ChosenPassword
from vivero_web.passwords import Passwords
from vivero_web.text import email_problem, password_problem
from vivero_web.tokens import digest, new_secret

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.repository import AuditRepository
from vivero_control.domain.audit.service import Act, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.outbox import GiveUpError
from vivero_control.domain.notifications.repository import OutboxRepository
from vivero_control.domain.notifications.sender import MailSender
from vivero_control.domain.staff.repository import RefreshTokenRepository, StaffLinkRepository, StaffRepository
from vivero_control.lib.counters import Counters

KIND: Final = "staff.reset"
TO_RECIPIENT: Final = RateLimitItemPerHour(3, namespace="reset-recipient")
BY_CALLER: Final = RateLimitItemPerHour(20, namespace="reset-caller")
"""An office shares one address."""


class Asked(msgspec.Struct, frozen=True):
    """What the outbox keeps: an address that was typed, and when."""

    email: str
    at: datetime


class StaffResets:
    """For staff who cannot log in; `host` is where they log in."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        passwords: Passwords,
        counters: Counters,
        wake_worker: Callable[[], None],
        host: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._counters = counters
        self._wake_worker = wake_worker
        self._host = host
        self._clock = clock

    async def ask(self, email: str, caller: str) -> None:
        """Have a link mailed, if somebody has this address; `caller` is the client's, for counting.

        Raises:
            InvalidInputError: it is no address.
            TooManyRequestsError: too many were asked for, by this caller or to this address.
        """
        normal, now = email.strip().lower(), self._clock()
        if problem := email_problem(normal):
            raise InvalidInputError.of("email", problem)
        for limit, who in ((BY_CALLER, caller), (TO_RECIPIENT, normal)):
            verdict = await self._counters.hit(limit, who)
            if not verdict.allowed:
                raise TooManyRequestsError("Too many mails were asked for.", verdict.reset_after)
        payload = msgspec.to_builtins(Asked(normal, now))
        async with self._database.transaction() as session:
            await OutboxRepository(session).put(
                kind=KIND, key=f"{KIND}:{uuid4()}", payload=payload, now=now, due_at=now
            )
        self._wake_worker()

    async def choose(self, chosen: ChosenPassword) -> None:
        """Set the password of the link's owner; every session and token of theirs ends.

        Raises:
            InvalidInputError: the link is good for nothing, or the password for no login.
        """
        secret = digest(links.secret_in(chosen.code)).hex()
        async with self._database.transaction() as session:
            member = await StaffLinkRepository(session).owner(secret, self._clock())
        if member is None:
            raise LinkSpentError
        if problem := password_problem(chosen.password, email=member.email):
            raise InvalidInputError.of("password", problem)
        hashed = await self._passwords.hash(chosen.password)
        async with self._database.transaction() as session:
            await self._set(session, secret, member, hashed)
        self._wake_worker()

    async def _set(self, session: AsyncSession, secret: str, member: StaffMember, hashed: str) -> None:
        now = self._clock()
        if not await StaffLinkRepository(session).spend(secret, now):
            raise LinkSpentError
        await StaffRepository(session).set_password(member.id, hashed)
        # Sessions and access tokens end by the password's stamp.
        await RefreshTokenRepository(session).end_all(member.id)
        act = Act(actor=member.email, action="reset-password", subject=f"staff/{member.id}", reason="", detail={})
        await AuditRepository(session).add(record(act, now, "done"))
        told = letters.password_changed(f"mail.password-changed:{uuid4()}", to=member.email, place=self._host)
        await OutboxRepository(session).put(kind=mails.KIND, key=told.key, payload=told.payload(), now=now, due_at=now)


class ResetMails:
    """The worker's part: looks the address up, makes the link and sends it."""

    def __init__(self, database: Database, sender: MailSender, origin: str, host: str, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._origin = origin
        self._host = host
        self._clock = clock

    async def perform(self, payload: dict[str, Any]) -> None:
        """For the outbox; each attempt has a link of its own, and only the newest counts.

        Raises:
            GiveUpError: nobody waits for it any more, or the mail server refuses it for good.
            MailServerUnavailableError: try again later.
        """
        asked, now = msgspec.convert(payload, Asked), self._clock()
        if now - asked.at > links.RESET_VALID_FOR:
            raise GiveUpError("it was asked for too long ago")
        secret = new_secret()
        async with self._database.transaction() as session:
            member = await StaffRepository(session).by_email(asked.email)
            if member is None or not member.active:
                return
            expires_at = now + links.RESET_VALID_FOR
            await StaffLinkRepository(session).put(member.id, digest(secret).hex(), expires_at)
        link = links.address(self._origin, secret)
        await self._sender.send(
            letters.password_reset(digest(secret).hex(), to=member.email, place=self._host, link=link)
        )
