"""The way into the pages about a plan from the workspace itself: a ticket that it signs for its owner (ADR 0060)."""

from functools import partial
from typing import Final

from litestar.datastructures import Cookie
from vivero_core import account_key
from vivero_web import account_tickets
from vivero_web.account_tickets import LEEWAY, VALID_FOR, Check
from vivero_web.clock import Clock
from vivero_web.errors import LinkSpentError, UnavailableError

from vivero_control.domain.accounts.sessions import AccountSessions, Holder
from vivero_control.domain.tenants.directory import TenantDirectory

SPENT_SECONDS: Final = int((VALID_FOR + 2 * LEEWAY).total_seconds())
"""How long a used ticket is remembered: until its own end refuses it."""


class AccountTickets:
    """Exchanges a ticket of a workspace for a session, once."""

    def __init__(self, directory: TenantDirectory, sessions: AccountSessions, clock: Clock) -> None:
        self._directory = directory
        self._sessions = sessions
        self._clock = clock

    async def open(self, ticket: str) -> Cookie:
        """The cookie of who has a ticket; the ticket is spent.

        Raises:
            LinkSpentError: it was used before, is too old, or no workspace has signed it.
            UnavailableError: Valkey does not answer, so it is not known whether it was used; or the list of tenants is
                not complete yet.
        """
        if not self._directory.synced:
            raise UnavailableError
        claims = account_tickets.read(ticket, self._clock(), self._key_of)
        tenant = self._directory.by_id(claims.tenant) if claims else None
        if claims is None or tenant is None:
            raise LinkSpentError
        holder = Holder(tenant.name, tenant.metadata.uid)
        return await self._sessions.open_once(f"{claims.tenant} {claims.jti}", holder, SPENT_SECONDS)

    def _key_of(self, tenant_id: str) -> Check | None:
        tenant = self._directory.by_id(tenant_id)
        public = tenant.status.account_key if tenant else None
        return partial(account_key.is_signed, public) if public else None
