"""A tenant's timeline, read from where each thing stands: nothing is copied for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.tenant import Tenant

from vivero_control.db.database import Database
from vivero_control.domain.backups.service import BackupService
from vivero_control.domain.leads.repository import SignRepository
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.domain.tenants.service import TenantService
from vivero_control.domain.timeline import entries, policies, repository
from vivero_control.domain.timeline.entries import MAILS, WEBHOOKS
from vivero_control.domain.timeline.policies import KINDS, Entry, Place, Source
from vivero_control.domain.timeline.schemas import Kind, TimelinePage
from vivero_control.jobs.kinds import JobKind


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for, and how far."""

    subjects: Sequence[str]
    tenant: Tenant | None
    kinds: Collection[Kind]
    place: Place | None
    limit: int
    """One more than the page has, of each source."""


class TimelineService:
    """For staff."""

    def __init__(
        self,
        database: Database,
        tenants: TenantService,
        directory: TenantDirectory,
        backups: BackupService,
        jobs: Mapping[str, JobKind],
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._directory = directory
        self._backups = backups
        self._jobs = jobs

    async def page(self, name: str, kind: Kind | None, cursor: str, limit: int) -> TimelinePage:
        """From a cursor on, or the newest; of one kind, or of all. Of a tenant that is gone, what is kept under its name.

        Raises:
            InvalidInputError: the cursor is of no page.
            TenantNotFoundError: there is none of this name, and nothing is known of one.
            ClusterUnavailableError: its backups are not known yet.
        """
        place = Place.read(cursor) if cursor else None
        kinds = frozenset(Kind) if kind is None else frozenset({kind})
        asked = _Asked(self._tenants.subjects(name), self._directory.get(name), kinds, place, limit + 1)
        async with self._database.transaction() as session:
            found = policies.merged([await self._of(session, source, asked) for source in self._sources(asked)], limit)
        if not found.items and asked.tenant is None and place is None and kind is None:
            raise TenantNotFoundError(name)
        return found

    def _sources(self, asked: _Asked) -> list[Source]:
        return [source for source, kinds in KINDS.items() if not kinds.isdisjoint(asked.kinds)]

    async def _of(self, session: AsyncSession, source: Source, asked: _Asked) -> list[Entry]:
        """The newest of one source behind the place."""
        if source is Source.AUDIT:
            return await self._acts(session, asked)
        if source is Source.OUTBOX:
            return await self._outbox(session, asked)
        if asked.tenant is None:
            return []
        if source is Source.INVOICES:
            wanted = repository.invoices(asked.tenant.metadata.uid, asked.place, asked.limit)
            return [entries.invoice(row) for row in await session.scalars(wanted)]
        found = await self._of_object(session, source, asked.tenant)
        return policies.newest(found, asked.place)[: asked.limit]

    async def _of_object(self, session: AsyncSession, source: Source, tenant: Tenant) -> list[Entry]:
        """What stands in the cluster's objects, and few rows: all of it."""
        if source is Source.BACKUPS:
            return entries.operations(self._backups.operations(tenant.name))
        if source is Source.CONDITIONS:
            return [entries.condition(one) for one in tenant.status.conditions]
        return await self._journey(session, tenant.metadata.uid)

    async def _acts(self, session: AsyncSession, asked: _Asked) -> list[Entry]:
        """By subject: each is a range of the index, where several at once would be sorted."""
        found = []
        for subject in asked.subjects:
            rows = await session.scalars(repository.acts(subject, asked.place, asked.limit))
            found += [entries.act(row) for row in rows]
        return entries.in_order(found)

    async def _outbox(self, session: AsyncSession, asked: _Asked) -> list[Entry]:
        of_kind = {Kind.MAIL: MAILS, Kind.WEBHOOK: WEBHOOKS, Kind.JOB: frozenset(self._jobs) - MAILS - WEBHOOKS}
        wanted = sorted({one for kind in asked.kinds for one in of_kind.get(kind, ())} & set(self._jobs))
        found = []
        for subject in asked.subjects if wanted else ():
            rows = await session.scalars(repository.jobs(subject, wanted, asked.place, asked.limit))
            found += [entries.job(row, self._jobs[row.kind]) for row in rows]
        return entries.in_order(found)

    async def _journey(self, session: AsyncSession, uid: str) -> list[Entry]:
        found = await repository.journey(session, uid)
        if found is None:
            return []
        signup, journey = found
        return entries.progress(signup, journey, await SignRepository(session).of(signup.id))
