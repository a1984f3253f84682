"""Where sessions live. A workspace keeps them in its schema; one that may only read its schema, in the cache (ADR 0048).

A session is a family of refresh tokens. One that is presented twice was stolen or replayed, so the whole family ends.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog
from vivero_web import clock
from vivero_web.tokens import digest, new_secret

from vivero_data.clients.cache import ExpiringValues
from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record, record_refusal
from vivero_data.domain.auth import repository
from vivero_data.domain.support import repository as support
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.acting import acting
from vivero_data.domain.users.schemas import Actor, User
from vivero_data.lib.tokens import REFRESH_LIFETIME, AccessClaims, new_session_id

NO_ACCOUNT: Final = "unknown"  # in the audit log: what was typed for an address may be a password
_LIFETIME_SECONDS: Final = int(REFRESH_LIFETIME.total_seconds())

log = structlog.get_logger(__name__)


class Session(msgspec.Struct, frozen=True):
    """One that is alive, with the refresh token that was just made; empty where the browser has one."""

    claims: AccessClaims
    refresh_token: str


class Sessions(Protocol):
    """The sessions of one workspace."""

    async def start(self, user: User) -> Session:
        """A new one for a user whose identity is proven."""

    async def rotate(self, token: str, grace: timedelta) -> Session | None:
        """Use a refresh token up; None if it is not valid.

        One that was used before ends its session, unless that was less than `grace` ago.
        """

    async def end(self, actor: Actor) -> None:
        """End the actor's."""

    async def end_of(self, token: str) -> None:
        """End the one of a refresh token; an unknown token is ignored."""

    async def actor(self, claims: AccessClaims) -> Actor | None:
        """Its user, if session and account are still active."""

    async def refused(self, action: str, account: str) -> None:
        """Note a refused login; `account` is an existing one's address, or NO_ACCOUNT."""


class StoredSessions:
    """In the workspace's schema, with entries of the audit log in the same transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, user: User) -> Session:
        async with self._database.transaction() as tx:
            return await self.start_in(tx, user)

    async def start_in(self, tx: Connection, user: User) -> Session:
        """As `start`, in a transaction that the caller commits."""
        session_id = await repository.insert_session(tx, user.id, clock.now() + REFRESH_LIFETIME)
        await users.set_last_login(tx, user.id)
        actor = Actor(user.id, user.email, user.name, user.role, session_id)
        await record(tx, actor, "session.start", user.email)
        return await self._with_token(tx, AccessClaims(user.id, session_id))

    async def rotate(self, token: str, grace: timedelta) -> Session | None:
        """Always committed: a replay must revoke the session."""
        async with self._database.transaction() as tx:
            stored = await repository.get_token_locked(tx, digest(token))
            if stored is None or not stored.alive:
                return None
            claims = AccessClaims(stored.user_id, stored.session_id)
            if stored.spent_at is None:
                await repository.spend_token(tx, digest(token))
                await repository.extend_session(tx, stored.session_id, clock.now() + REFRESH_LIFETIME)
                return await self._with_token(tx, claims)
            if _is_within(stored.spent_at, grace):
                return Session(claims, refresh_token="")
            await repository.revoke(tx, stored.session_id)
            owner = await users.get(tx, stored.user_id)
            await record_refusal(tx, "session.replay", owner.email if owner else NO_ACCOUNT)
            return None

    async def end(self, actor: Actor) -> None:
        async with self._database.transaction() as tx:
            await self._end(tx, actor)

    async def end_of(self, token: str) -> None:
        async with self._database.transaction() as tx:
            stored = await repository.get_token_locked(tx, digest(token))
            actor = stored and await repository.get_actor(tx, stored.user_id, stored.session_id)
            if actor:
                await self._end(tx, actor)

    async def actor(self, claims: AccessClaims) -> Actor | None:
        async with self._database.read() as connection:
            if claims.user_id == support.SUPPORT:
                return await support.actor(connection, claims.session_id)
            return await repository.get_actor(connection, claims.user_id, claims.session_id)

    async def refused(self, action: str, account: str) -> None:
        async with self._database.transaction() as tx:
            await record_refusal(tx, action, account)

    @staticmethod
    async def _end(tx: Connection, actor: Actor) -> None:
        if actor.support:
            await support.end(tx, actor.session_id)
            await record(tx, actor, "support.end", actor.email)
            return
        await repository.revoke(tx, actor.session_id)
        await record(tx, actor, "session.end", actor.email)

    @staticmethod
    async def _with_token(tx: Connection, claims: AccessClaims) -> Session:
        refresh = new_secret()
        await repository.insert_token(tx, claims.session_id, digest(refresh))
        return Session(claims, refresh)


class CachedSessions:
    """In the cache, each key with its expiry; users are read in the schema, and nothing is written there.

    Without the cache nobody is signed in, and a cache that was emptied ended all sessions: people log in again.
    """

    def __init__(self, database: Database, kept: ExpiringValues) -> None:
        self._database = database
        self._kept = kept

    async def start(self, user: User) -> Session:
        claims = AccessClaims(user.id, new_session_id())
        await self._kept.put(_session(claims.session_id), str(user.id), _LIFETIME_SECONDS)
        return await self._with_token(claims)

    async def rotate(self, token: str, grace: timedelta) -> Session | None:
        claims = await self._claims(token)
        if claims is None or await self.actor(claims) is None:
            return None
        # Of concurrent requests one is the first; the mark outlives the token.
        if await self._kept.put_new(_spent(token), clock.now().isoformat(), _LIFETIME_SECONDS):
            alive = await self._kept.extend(_session(claims.session_id), _LIFETIME_SECONDS)
            return await self._with_token(claims) if alive else None
        spent_at = await self._kept.get(_spent(token))
        if spent_at is not None and _is_within(datetime.fromisoformat(spent_at), grace):
            return Session(claims, refresh_token="")
        await self._kept.drop(_session(claims.session_id))
        log.warning("session_replay", user_id=claims.user_id)
        return None

    async def end(self, actor: Actor) -> None:
        await self._kept.drop(_session(actor.session_id))

    async def end_of(self, token: str) -> None:
        claims = await self._claims(token)
        if claims is not None:
            await self._kept.drop(_session(claims.session_id))

    async def actor(self, claims: AccessClaims) -> Actor | None:
        if await self._kept.get(_session(claims.session_id)) != str(claims.user_id):
            return None
        async with self._database.read() as connection:
            user = await users.get(connection, claims.user_id)
            if user is None or not user.active:
                return None
            return await acting(connection, user, claims.session_id)

    async def refused(self, action: str, account: str) -> None:
        """The audit log is read only, too."""
        log.info("login_refused", action=action, known=account != NO_ACCOUNT)

    async def _claims(self, token: str) -> AccessClaims | None:
        session_id = await self._kept.get(_token(token))
        user_id = await self._kept.get(_session(int(session_id))) if session_id else None
        return AccessClaims(int(user_id), int(session_id)) if session_id and user_id else None

    async def _with_token(self, claims: AccessClaims) -> Session:
        refresh = new_secret()
        await self._kept.put(_token(refresh), str(claims.session_id), _LIFETIME_SECONDS)
        return Session(claims, refresh)


def _session(session_id: int) -> str:
    return f"session:{session_id}"


def _token(token: str) -> str:
    return f"token:{digest(token).hex()}"


def _spent(token: str) -> str:
    return f"spent:{digest(token).hex()}"


def _is_within(spent_at: datetime, grace: timedelta) -> bool:
    """Whether it was used within the grace period; where it waits for a row's lock, the time is taken after that."""
    return bool(grace) and clock.now() - spent_at < grace
