"""Support access: the platform's staff look at the workspace while an owner lets them, and change nothing (ADR 0079).

A session has no account: nobody is among the users for it, and no password, key or second factor is theirs. It ends at
the second that the ticket says, or when the control plane tells that the owner has ended the grant.
"""

from datetime import UTC, datetime

from vivero_web import clock
from vivero_web.errors import NotSignedInError

from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.support import repository
from vivero_data.domain.tickets.service import TicketService, TicketSpentError, spend
from vivero_data.domain.users.schemas import Role
from vivero_data.lib.tokens import AccessClaims, AccessTokens, Tokens, read_support_ticket


class SupportService:
    """Begins and ends support sessions; a self-hosted workspace has no key for their tickets, and so none of them."""

    def __init__(self, database: Database, tokens: AccessTokens, tickets: TicketService, tenant_id: str) -> None:
        self._database = database
        self._tokens = tokens
        self._tickets = tickets
        self._tenant_id = tenant_id

    async def enter(self, ticket: str) -> Tokens:
        """A session for who has a ticket, without a refresh token: it is not extended.

        Raises:
            NotSignedInError: expired, forged, for another workspace, or of a grant that was ended.
            TicketSpentError: used before.
            NotFoundError: this workspace accepts no tickets.
        """
        claims = read_support_ticket(ticket, await self._tickets.key(), self._tenant_id)
        until = datetime.fromtimestamp(claims.until, UTC)
        async with self._database.transaction() as tx:
            if not await spend(tx, claims.jti, datetime.fromtimestamp(claims.expires_at, UTC)):
                raise TicketSpentError
            number = await repository.insert(tx, claims.grant, claims.staff, Role(claims.role), until)
            actor = await repository.actor(tx, number) if number else None
            if number is None or actor is None:
                raise NotSignedInError("The owner of this workspace has ended the access for support.")
            detail = {"role": claims.role, "until": until.isoformat()}
            await record(tx, actor, "support.start", claims.staff, after=detail)
        now = clock.now()
        seconds = max(0, claims.until - int(now.timestamp()))
        token = self._tokens.issue(AccessClaims(repository.SUPPORT, number), now, until)
        return Tokens(token, refresh_token="", expires_in=seconds)

    async def end_grant(self, grant: str) -> None:
        """All sessions of it end, and none begins; once more changes nothing."""
        async with self._database.transaction() as tx:
            if await repository.end_grant(tx, grant):
                await record(tx, None, "support.end", "grant")
