"""Logins and sessions: short-lived access tokens, refresh tokens with rotation (`sessions.py`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from vivero_web import clock
from vivero_web.errors import NotSignedInError, TooManyRequestsError
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.second_factors import CodeNeededError, WrongCodeError

from vivero_data.db.database import Database
from vivero_data.domain.auth.schemas import Credentials, SessionEndedError, WrongCredentialsError
from vivero_data.domain.auth.sessions import NO_ACCOUNT, Session, Sessions
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.tokens import AccessTokens, Tokens

# Two tabs of one browser may send the same cookie concurrently: within this time
# the second one gets an access token only.
_BROWSER_GRACE: Final = timedelta(seconds=10)


class AuthService:
    """Logins of the workspace's users."""

    def __init__(  # noqa: PLR0913, PLR0917  its dependencies
        self,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        tokens: AccessTokens,
        sessions: Sessions,
        second_factors: SecondFactorService,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._tokens = tokens
        self._sessions = sessions
        self._second_factors = second_factors

    async def login(self, credentials: Credentials, address: str) -> Tokens:
        """Tokens for the right password; `address` is the client's.

        Raises:
            WrongCredentialsError: whatever was wrong.
            CodeNeededError: the password was right, and two-step login is active.
            WrongCodeError: the code that came with it was not.
            TooManyRequestsError: too many wrong passwords or codes before.
        """
        email = credentials.email.strip().lower()
        async with self._database.read() as connection:
            found = await users.get_with_hash(connection, email)
        # Invited users have no password yet: checking takes as long as for an unknown address.
        stored = found[1] if found and found[0].active and not found[0].invitation else None
        async with self._note_refusals(found[0].email if found else NO_ACCOUNT):
            async with self._logins.guess(email, address):
                right = await self._passwords.verify(stored, credentials.password)
                if not right or not found:
                    raise WrongCredentialsError
            try:
                await self._second_factors.check(found[0], credentials.code)
            except CodeNeededError as error:
                raise CodeNeededError(self._tokens.challenges.issue(str(found[0].id), found[1], clock.now())) from error
            return self.tokens_of(await self._sessions.start(found[0]))

    async def finish(self, challenge: str, code: str) -> Tokens:
        """Tokens for a code, after a password that was right.

        Raises:
            SessionEndedError: that was too long ago, or the password was changed.
            WrongCodeError: the code is not right.
            TooManyRequestsError: too many were not.
        """
        proven = self._tokens.challenges.read(challenge)
        user_id = int(proven.account)
        async with self._database.read() as connection:
            user = await users.get(connection, user_id)
            hashed = await users.password_hash(connection, user_id)
        if user is None or not user.active or hashed is None or not proven.is_about(hashed):
            raise SessionEndedError
        async with self._note_refusals(user.email):
            await self._second_factors.check(user, code or "-")
            return self.tokens_of(await self._sessions.start(user))

    def tokens_of(self, session: Session) -> Tokens:
        return Tokens(self._tokens.issue(session.claims, clock.now()), session.refresh_token)

    async def refresh(self, token: str) -> Tokens:
        """New tokens for a refresh token, which is used up.

        Raises:
            SessionEndedError: unknown, expired, revoked, or used before (then the session is revoked).
        """
        return await self._rotate(token, timedelta(0))

    async def refresh_browser(self, token: str) -> Tokens:
        """Like `refresh`, for the cookie of a browser, which may send concurrent requests."""
        return await self._rotate(token, _BROWSER_GRACE)

    async def logout(self, token: str) -> None:
        """End the session of a refresh token; an unknown token is ignored."""
        await self._sessions.end_of(token)

    async def end_session(self, actor: Actor) -> None:
        """End the actor's session."""
        await self._sessions.end(actor)

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
        actor = await self._sessions.actor(self._tokens.read(access_token))
        if actor is None:
            raise SessionEndedError
        return actor

    async def _rotate(self, token: str, grace: timedelta) -> Tokens:
        session = await self._sessions.rotate(token, grace)
        if session is None:
            raise SessionEndedError
        return self.tokens_of(session)

    @asynccontextmanager
    async def _note_refusals(self, account: str) -> AsyncIterator[None]:
        """Around a login: notes when it is refused, with the reason."""
        try:
            yield
        except (WrongCredentialsError, WrongCodeError, TooManyRequestsError) as error:
            action = "session.block" if isinstance(error, TooManyRequestsError) else "session.refuse"
            await self._sessions.refused(action, account)
            raise
