"""The way into the account's pages: a link that is mailed to who manages a workspace."""

from collections.abc import Callable
from uuid import uuid4

from vivero_core.model.naming import slug_problem
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, UnavailableError
from vivero_web.limiter import Limiter
from vivero_web.links import admit, by_caller, to_recipient

from vivero_control.db.database import Database
from vivero_control.domain.accounts.jobs import LINK
from vivero_control.domain.billing.errors import BillingOffError
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.jobs.repository import OutboxRepository


class AccountLinks:
    """A job follows for every address, so that neither the answer nor its time tells which workspaces there are."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        is_on: bool,
        database: Database,
        directory: TenantDirectory,
        limiter: Limiter,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._is_on = is_on
        self._database = database
        self._directory = directory
        self._limiter = limiter
        self._wake_worker = wake_worker
        self._clock = clock

    async def ask_by_email(self, email: str, address: str) -> None:
        """Mail a link to this address, to whatever workspaces it manages; `address` is the client's.

        Raises:
            BillingOffError: nothing is sold here.
            InvalidInputError: naming `email`.
            TooManyRequestsError: too many were asked for, by this caller or to this address.
        """
        if not self._is_on:
            raise BillingOffError
        await self._enqueue({"tenant": "", "email": await admit(self._limiter, email, address)})

    async def ask(self, slug: str, address: str) -> None:
        """Mail a link to the owner of the workspace of this slug; `address` is the client's.

        Raises:
            BillingOffError: nothing is sold here.
            InvalidInputError: it is no slug.
            TooManyRequestsError: too many were asked for, by this caller or for this workspace.
            UnavailableError: the list of tenants is not complete yet.
        """
        if not self._is_on:
            raise BillingOffError
        if problem := slug_problem(slug):
            raise InvalidInputError.of("slug", problem)
        await self._limiter.count_all(by_caller(address), to_recipient(f"owner of {slug}"))
        if not self._directory.synced:
            raise UnavailableError("Which workspaces there are is not known right now. Try again in a minute.")
        found = self._directory.by_slug(slug)
        await self._enqueue({"tenant": found.name if found else ""})

    async def _enqueue(self, payload: dict[str, str]) -> None:
        now = self._clock()
        async with self._database.transaction() as session:
            await OutboxRepository(session).enqueue(
                kind=LINK,
                key=f"{LINK}:{uuid4()}",
                payload=payload,
                now=now,
                due_at=now,
            )
        self._wake_worker()
