"""Password resets by a mailed link; invitations end here too, because the invited choose a password by the same link.

Whatever address was typed becomes a job, so neither the answer nor its time reveals who has an account. `jobs.py` looks
the address up and sends the link.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import links
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, LinkSpentError
from vivero_web.limiter import Limiter
from vivero_web.links import ChosenPassword
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.text import password_problem
from vivero_web.tokens import digest

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.service import DONE, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.staff.identity import has_password, of_staff
from vivero_control.domain.staff.jobs import RESET, ResetRequest
from vivero_control.domain.staff.repository import RefreshTokenRepository, StaffLinkRepository, StaffRepository
from vivero_control.jobs.repository import OutboxRepository


class StaffResets:
    """For staff who cannot log in; `host` is where they log in."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        passwords: Passwords,
        limiter: Limiter,
        logins: Logins,
        wake_worker: Callable[[], None],
        host: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._limiter = limiter
        self._logins = logins
        self._wake_worker = wake_worker
        self._host = host
        self._clock = clock

    async def ask(self, email: str, address: str) -> None:
        """Mail a link, if somebody has this e-mail; `address` is the client's.

        Raises:
            InvalidInputError: it is no e-mail address.
            TooManyRequestsError: too many were asked for, by this caller or to this address.
        """
        normal, now = (await links.admit(self._limiter, email, address)).lower(), self._clock()
        payload = msgspec.to_builtins(ResetRequest(normal, now))
        async with self._database.transaction() as session:
            await OutboxRepository(session).enqueue(
                kind=RESET, key=f"{RESET}:{uuid4()}", payload=payload, now=now, due_at=now
            )
        self._wake_worker()

    async def choose(self, chosen: ChosenPassword, address: str) -> None:
        """Set the password of the link's owner; all their sessions and tokens end. `address` is the client's.

        Raises:
            InvalidInputError: the link or the password is not valid.
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
        await self._logins.trust(member.email, address)

    async def _set(self, session: AsyncSession, secret: str, member: StaffMember, hashed: str) -> None:
        now = self._clock()
        # Locks in the order of a deactivation, which may have come while the password was hashed: member, then link.
        await StaffRepository(session).locked(member.id)
        if not await StaffLinkRepository(session).spend(secret, now):
            raise LinkSpentError
        await StaffRepository(session).set_password(member.id, hashed)
        # Access tokens end with the refresh tokens of their login, sessions of pages by the security stamp.
        await RefreshTokenRepository(session).end_all(member.id)
        action = "reset-password" if has_password(member) else "accept-invitation"
        await AuditRepository(session).add(record(of_staff(action, member), now, DONE))
        if has_password(member):
            await self._notify(session, member, now)

    async def _notify(self, session: AsyncSession, member: StaffMember, now: datetime) -> None:
        changed = links.password_changed(f"mail.password-changed:{uuid4()}", to=member.email, place=self._host)
        await mails.enqueue(session, changed, now)
