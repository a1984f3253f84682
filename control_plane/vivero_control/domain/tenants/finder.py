"""Finding one's workspaces: their owner gets their addresses by mail."""

from collections.abc import Callable
from uuid import uuid4

from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError
from vivero_web.limiter import Limiter
from vivero_web.links import admit

from vivero_control.db.database import Database
from vivero_control.domain.notifications import mails
from vivero_control.domain.tenants.directory import TenantDirectory


class WorkspaceFinder:
    """A mail goes to every address, so that neither the answer nor its time tells who is a customer."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        directory: TenantDirectory,
        limiter: Limiter,
        tenant_url: Callable[[str], str],
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._limiter = limiter
        self._tenant_url = tenant_url
        self._wake_worker = wake_worker
        self._clock = clock

    async def ask(self, email: str, address: str) -> None:
        """Mail the addresses of the workspaces that this e-mail owns; `address` is the client's.

        Raises:
            InvalidInputError: it is no e-mail address.
            TooManyRequestsError: too many were asked for, by this caller or to this address.
            UnavailableError: the list of tenants is not complete yet.
        """
        to = await admit(self._limiter, email, address)
        if not self._directory.synced:
            raise UnavailableError("Which workspaces there are is not known right now. Try again in a minute.")
        owned = [one for one in self._directory.owned_by(to) if one.metadata.deletion_timestamp is None]
        urls = [self._tenant_url(one.spec.slug) for one in owned if one.spec.slug is not None]
        async with self._database.transaction() as session:
            await mails.enqueue(session, mails.your_workspaces(uuid4(), to=to, urls=urls), self._clock())
        self._wake_worker()
