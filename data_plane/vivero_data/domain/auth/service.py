"""Logins and sessions: short-lived access tokens, refresh tokens with rotation.

A session is a family of refresh tokens. One that is presented twice was stolen
or replayed, so the whole family is revoked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from vivero_web import clock
from vivero_web.errors import NotSignedInError, TooManyRequestsError
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.tokens import digest, new_secret

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record, record_refusal
from vivero_data.domain.auth import repository
from vivero_data.domain.auth.repository import StoredToken
from vivero_data.domain.auth.schemas import Credentials, SessionEndedError, WrongCredentialsError
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor, User
from vivero_data.lib.tokens import REFRESH_LIFETIME, AccessClaims, AccessTokens, Tokens

NO_ACCOUNT: Final = "unknown"  # in the audit log: what was typed for an address may be a password
# Two tabs of one browser may send the same cookie concurrently: within this time
# the second one gets an access token only.
_BROWSER_GRACE: Final = timedelta(seconds=10)


class AuthService:
    """Sessions of the workspace's users."""

    def __init__(self, database: Database, passwords: Passwords, logins: Logins, tokens: AccessTokens) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._tokens = tokens

    async def login(self, credentials: Credentials, address: str) -> Tokens:
        """Tokens for the right password; `address` is the client's.

        Raises:
            WrongCredentialsError: whatever was wrong.
            TooManyRequestsError: too many wrong passwords before.
        """
        email = credentials.email.strip().lower()
        async with self._database.read() as connection:
            found = await users.get_with_hash(connection, email)
        # Invited users have no password yet: checking takes as long as for an unknown address.
        stored = found[1] if found and found[0].active and not found[0].invitation else None
        async with self._audit_refusals(found[0].email if found else NO_ACCOUNT), self._logins.guess(email, address):
            right = await self._passwords.verify(stored, credentials.password)
            if not right or not found:
                raise WrongCredentialsError
            async with self._database.transaction() as tx:
                return await self.start(tx, found[0])

    async def start(self, tx: Connection, user: User) -> Tokens:
        """A new session for a user whose identity is proven."""
        now = clock.now()
        session_id = await repository.insert_session(tx, user.id, now + REFRESH_LIFETIME)
        await users.set_last_login(tx, user.id)
        actor = Actor(user.id, user.email, user.name, user.role, session_id)
        await record(tx, actor, "session.start", user.email)
        return await self._issue(tx, AccessClaims(user.id, session_id), now)

    async def refresh(self, token: str) -> Tokens:
        """New tokens for a refresh token, which is used up.

        Raises:
            SessionEndedError: unknown, expired, revoked, or used before (then the session is revoked).
        """
        tokens = await self._rotate(token, timedelta(0))
        if tokens is None:
            raise SessionEndedError
        return tokens

    async def refresh_browser(self, token: str) -> Tokens:
        """Like `refresh`, for the cookie of a browser, which may send concurrent requests."""
        tokens = await self._rotate(token, _BROWSER_GRACE)
        if tokens is None:
            raise SessionEndedError
        return tokens

    async def logout(self, token: str) -> None:
        """End the session of a refresh token; an unknown token is ignored."""
        async with self._database.transaction() as tx:
            stored = await repository.get_token_locked(tx, digest(token))
            actor = stored and await repository.get_actor(tx, stored.user_id, stored.session_id)
            if actor:
                await self._end(tx, actor)

    async def end_session(self, actor: Actor) -> None:
        """End the actor's session."""
        async with self._database.transaction() as tx:
            await self._end(tx, actor)

    def is_ours(self, access_token: str) -> bool:
        """Whether the signature is ours and the token not expired; the session may have ended since."""
        try:
            self._tokens.read(access_token)
        except NotSignedInError:
            return False
        return True

    async def authenticate(self, access_token: str) -> Actor:
        """The user of an access token, if session and account are still active.

        Raises:
            NotSignedInError: the token is not valid.
            SessionEndedError: it is valid, but the session has ended.
        """
        claims = self._tokens.read(access_token)
        async with self._database.read() as connection:
            actor = await repository.get_actor(connection, claims.user_id, claims.session_id)
        if actor is None:
            raise SessionEndedError
        return actor

    async def _rotate(self, token: str, grace: timedelta) -> Tokens | None:
        """Use the token up; None if it is not valid. Always committed: a replay must revoke the session."""
        now = clock.now()
        async with self._database.transaction() as tx:
            stored = await repository.get_token_locked(tx, digest(token))
            if stored is None or not stored.alive:
                return None
            claims = AccessClaims(stored.user_id, stored.session_id)
            if stored.spent_at is None:
                await repository.spend_token(tx, digest(token))
                await repository.extend_session(tx, stored.session_id, now + REFRESH_LIFETIME)
                return await self._issue(tx, claims, now)
            if _within(stored, grace):
                return Tokens(self._tokens.issue(claims, now), refresh_token="")
            await repository.revoke(tx, stored.session_id)
            owner = await users.get(tx, stored.user_id)
            await record_refusal(tx, "session.replay", owner.email if owner else NO_ACCOUNT)
            return None

    @asynccontextmanager
    async def _audit_refusals(self, account: str) -> AsyncIterator[None]:
        """Around a login: writes an audit entry when it is refused, with the reason."""
        try:
            yield
        except (WrongCredentialsError, TooManyRequestsError) as error:
            action = "session.refuse" if isinstance(error, WrongCredentialsError) else "session.block"
            async with self._database.transaction() as tx:
                await record_refusal(tx, action, account)
            raise

    async def _end(self, tx: Connection, actor: Actor) -> None:
        await repository.revoke(tx, actor.session_id)
        await record(tx, actor, "session.end", actor.email)

    async def _issue(self, tx: Connection, claims: AccessClaims, now: datetime) -> Tokens:
        refresh = new_secret()
        await repository.insert_token(tx, claims.session_id, digest(refresh))
        return Tokens(self._tokens.issue(claims, now), refresh)


def _within(stored: StoredToken, grace: timedelta) -> bool:
    """Whether the token was used within the grace period. The time is taken after the wait for the row's lock."""
    return bool(grace) and stored.spent_at is not None and clock.now() - stored.spent_at < grace
