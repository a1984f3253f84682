"""Tokens of staff for programs: a short access token, and a refresh token that works once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from litestar.security.jwt import Token
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.tokens import digest, new_secret

from vivero_control.db.database import Database
from vivero_control.db.tables import RefreshToken
from vivero_control.domain.audit.service import DONE, AuditRepository, record, refusal
from vivero_control.domain.staff.errors import InvalidTokenError
from vivero_control.domain.staff.identity import of_staff, present, staff_subject
from vivero_control.domain.staff.repository import RefreshTokenRepository, StaffRepository
from vivero_control.domain.staff.schemas import StaffView, Tokens

ISSUER: Final = "vivero-control-plane"
AUDIENCE: Final = "vivero-staff"
ALGORITHM: Final = "HS256"
SESSION: Final = "sid"
"""The further claim that names the login: the family of its refresh tokens."""
ACCESS_FOR: Final = timedelta(minutes=15)
LOGIN_FOR: Final = timedelta(days=14)
"""From the login on, however often its tokens are exchanged."""


class StaffTokens:
    """Issues, exchanges and ends them."""

    def __init__(self, database: Database, key: bytes, clock: Clock, *, second_factor_required: bool) -> None:
        self._database = database
        self._second_factor_required = second_factor_required
        self._clock = clock
        self.secret = key.hex()

    async def issue(self, staff: StaffView) -> Tokens:
        """After a login: a new family."""
        async with self._database.transaction() as session:
            return await self._pair(session, UUID(staff.id), uuid4(), self._clock() + LOGIN_FOR)

    async def exchange(self, refresh_token: str) -> Tokens:
        """A new pair for a refresh token.

        Raises:
            InvalidTokenError: not valid; when it was used before, the whole family ends,
                because then two parties have it and one of them is a thief.
        """
        async with self._database.transaction() as session:
            tokens = RefreshTokenRepository(session)
            found = await tokens.locked(digest(refresh_token).hex())
            if found is not None and found.used_at is not None:
                await tokens.end_family(found.family)
                await AuditRepository(session).add(
                    refusal("refresh-replayed", staff_subject(found.staff_id), self._clock())
                )
                found = None
            pair = await self._next(session, found) if found is not None else None
        if pair is None:
            raise InvalidTokenError
        return pair

    async def end(self, refresh_token: str) -> None:
        """Logout: the family ends; an unknown token is fine."""
        async with self._database.transaction() as session:
            tokens = RefreshTokenRepository(session)
            found = await tokens.locked(digest(refresh_token).hex())
            if found is not None:
                await tokens.end_family(found.family)
                await self._note_logout(session, found.staff_id)

    async def holder(self, staff_id: str, family: object) -> StaffView | None:
        """Whose access token it is; None when its login has ended, or its owner may no longer log in."""
        try:
            login = UUID(str(family))
        except ValueError:
            return None
        async with self._database.transaction() as session:
            if not await RefreshTokenRepository(session).lives(login):
                return None
            return await present(session, staff_id, required=self._second_factor_required)

    async def _note_logout(self, session: AsyncSession, staff_id: UUID) -> None:
        found = await StaffRepository(session).active(staff_id)
        if found is not None:
            await AuditRepository(session).add(record(of_staff("logout", found[0]), self._clock(), DONE))

    async def _next(self, session: AsyncSession, used: RefreshToken) -> Tokens | None:
        now = self._clock()
        if used.expires_at <= now or await StaffRepository(session).active(used.staff_id) is None:
            return None
        used.used_at = now
        return await self._pair(session, used.staff_id, used.family, used.expires_at)

    async def _pair(self, session: AsyncSession, staff_id: UUID, family: UUID, until: datetime) -> Tokens:
        refresh = new_secret()
        await RefreshTokenRepository(session).add(
            RefreshToken(digest=digest(refresh).hex(), family=family, staff_id=staff_id, expires_at=until)
        )
        return Tokens(access_token=self._access(str(staff_id), family, self._clock()), refresh_token=refresh)

    def _access(self, staff_id: str, family: UUID, now: datetime) -> str:
        extras = {SESSION: str(family)}
        token = Token(exp=now + ACCESS_FOR, iat=now, sub=staff_id, iss=ISSUER, aud=AUDIENCE, extras=extras)
        return token.encode(self.secret, ALGORITHM)
