"""Exchanges a signed ticket of the control plane for a session, once; with the SQL of used tickets."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from vivero_core.tracing.context import read
from vivero_core.tracing.spans import Kind, Tracer
from vivero_web import clock
from vivero_web.errors import NotFoundError, NotSignedInError
from vivero_web.logins import Logins

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.auth.schemas import WrongCredentialsError
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.auth.sessions import StoredSessions
from vivero_data.domain.users import repository as users
from vivero_data.lib.tokens import TicketClaims, Tokens, read_ticket


class TicketSpentError(NotSignedInError):
    """The ticket was used before; it works once."""

    def __init__(self) -> None:
        super().__init__("This login link was used already; log in with your password.")


class TicketService:
    """Login tickets; a self-hosted workspace has no public key for them, so they are disabled there."""

    def __init__(  # noqa: PLR0913, PLR0917  a ticket is read, spent, and a session begun for it
        self,
        tracer: Tracer,
        database: Database,
        auth: AuthService,
        sessions: StoredSessions,
        logins: Logins,
        key_file: Path,
        tenant_id: str,
    ) -> None:
        self._tracer = tracer
        self._database = database
        self._auth = auth
        self._sessions = sessions
        self._logins = logins
        self._key_file = key_file
        self._tenant_id = tenant_id

    async def redeem(self, ticket: str, address: str) -> Tokens:
        """A session for the ticket's user, in the trace of the signup that it comes from; `address` is the client's.

        Raises:
            NotSignedInError: expired, forged or for another workspace.
            TicketSpentError: used before.
            WrongCredentialsError: no active user has that e-mail.
            NotFoundError: this workspace accepts no tickets.
        """
        claims = read_ticket(ticket, await self.key(), self._tenant_id)
        with self._tracer.go_on("login by ticket", Kind.INTERNAL, read(claims.traceparent)):
            return await self._log_in(claims, address)

    async def _log_in(self, claims: TicketClaims, address: str) -> Tokens:
        expires_at = datetime.fromtimestamp(claims.expires_at, UTC)
        async with self._database.transaction() as tx:
            if not await spend(tx, claims.jti, expires_at):
                raise TicketSpentError
            found = await users.get_with_hash(tx, claims.email.lower())
            if found is None or not found[0].active:
                raise WrongCredentialsError
            tokens = self._auth.tokens_of(await self._sessions.start_in(tx, found[0]))
        await self._logins.trust(found[0].email, address)
        return tokens

    async def check(self, token: str, purpose: str) -> None:
        """That the control plane asks this of this very workspace. What is only read is not spent.

        Raises:
            NotSignedInError: expired, forged, or for another workspace or purpose; a login ticket is for another, too. A
                workspace that belongs to no control plane says the same.
        """
        try:
            key = await self.key()
        except NotFoundError as error:
            raise NotSignedInError("This is for the control plane.") from error
        read_ticket(token, key, f"{self._tenant_id}/{purpose}")

    async def key(self) -> str:
        """The control plane's public key.

        Raises:
            NotFoundError: this workspace belongs to none.
        """
        try:
            return await asyncio.to_thread(self._key_file.read_text, encoding="ascii")
        except OSError:
            raise NotFoundError("This workspace has no login links.") from None


async def spend(tx: Connection, jti: str, expires_at: datetime) -> bool:
    """Mark a ticket as used; False if it was used before."""
    try:
        await tx.execute("INSERT INTO spent_tickets (jti, expires_at) VALUES (%s, %s)", jti, clock.naive(expires_at))
    except DuplicateKeyError:
        return False
    return True


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete tickets that expired before `before`: their signed expiry rejects them anyway."""
    return await tx.execute("DELETE FROM spent_tickets WHERE expires_at < %s LIMIT %s", clock.naive(before), batch)
