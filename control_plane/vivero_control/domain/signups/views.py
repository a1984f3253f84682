"""A signup as its customer sees it: read once, or followed as a stream.

A view is made from the signup's row, its Tenant in the informer's cache, and its job in the outbox.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET
from vivero_core.model.constants import ANNOTATION_TRACE
from vivero_core.model.tenant import Tenant
from vivero_core.tracing.context import read
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.signups import access, progress
from vivero_control.domain.signups.access import BearerTokens, LoginTickets
from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.signups.policies import SignupNotFoundError
from vivero_control.domain.signups.provisioning import HANDOVER, job_key
from vivero_control.domain.signups.reachability import Reachability
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.signups.schemas import LeadView, SignupView, TenantRef, Waiting
from vivero_control.domain.tenants.directory import TenantDirectory, secret_key
from vivero_control.domain.tenants.policies import is_ready
from vivero_control.jobs.repository import DONE, JobStatus, OutboxRepository

T = TypeVar("T")

GONE_AFTER: Final = timedelta(minutes=10)
"""A Tenant that is still missing so long after its job was done, in a cluster that answers, was deleted."""
HEARTBEAT_SECONDS: Final = 15.0  # below the idle timeouts of proxies
PROBE_SECONDS: Final = 1.0  # how long a GET waits for the reachability probe; then the client polls again
STREAM_SECONDS: Final = 300.0  # then the browser reconnects by itself; a signup takes seconds


class SignupViews:
    """Makes views without I/O, and starts the reachability probe."""

    def __init__(
        self,
        directory: TenantDirectory,
        reachability: Reachability,
        tickets: LoginTickets,
        tenant_url: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._reachability = reachability
        self._tickets = tickets
        self._tenant_url = tenant_url
        self._clock = clock

    def view(self, signup: Signup, job: JobStatus | None = None, *, with_login: bool = False) -> SignupView:
        """As it is now; `job` is the state of its job in the outbox, None while its own request provisions it."""
        tenant = self._own_tenant(signup)
        url = (tenant.status.url if tenant else None) or self._tenant_url(signup.slug)
        reachable = tenant is not None and self._reachability.is_reachable(tenant)
        failure = self._failure(signup, job) if tenant is None else None
        waiting = _waiting(signup, job) if tenant is None and failure is None else UNSET
        state, detail = progress.overall(tenant, failure, reachable=reachable, retried=waiting is not UNSET)
        may_log_in = with_login and tenant is not None and state == "ready" and tenant.spec.suspended is None
        return SignupView(
            id=signup.id,
            state=state,
            tenant=TenantRef(name=tenant.name if tenant else None, slug=signup.slug, url=url),
            steps=progress.steps(tenant, reachable=reachable),
            detail=detail,
            created_at=signup.created_at,
            waiting=waiting,
            email_confirmed=signup.confirmed_at is not None,
            login_url=self._login_url(signup, tenant, url) if tenant and may_log_in else UNSET,
        )

    def has_tenant(self, signup: Signup) -> bool:
        return self._own_tenant(signup) is not None

    def probe(self, signup: Signup) -> asyncio.Task[None] | None:
        """Probe a ready workspace at its public address; None when there is nothing to wait for."""
        tenant = self._own_tenant(signup)
        if tenant is None or tenant.spec.suspended is not None or not is_ready(tenant):
            return None
        key = secret_key(access.secret_name(signup.id))
        return self._reachability.probe(tenant, then=lambda: self._directory.notify([key]))

    def _failure(self, signup: Signup, job: JobStatus | None) -> str | None:
        """Why there will be no workspace, in words; None while there may be one."""
        if signup.failure or job is None:
            return signup.failure
        if job.state == DONE and not self._is_gone(job):
            return None
        return progress.MISSING.get(job.state)

    def _is_gone(self, done: JobStatus) -> bool:
        """The informer learns of a new Tenant with a delay, so a missing one counts as deleted only after a while."""
        since = done.finished_at or done.due_at
        return self._directory.synced and self._clock() - since > GONE_AFTER

    def _own_tenant(self, signup: Signup) -> Tenant | None:
        """The Tenant that this signup created or claimed, whatever its name; not one that got its slug later."""
        return self._directory.by_secret(access.secret_name(signup.id))

    def _login_url(self, signup: Signup, tenant: Tenant, url: str) -> str | msgspec.UnsetType:
        now = self._clock()
        if not access.may_log_in(signup.created_at, now):
            return UNSET
        return self._tickets.login_url(
            url,
            tenant_id=tenant.id,
            email=signup.email,
            ticket_id=access.ticket_id(signup.id),
            now=now,
            trace=read(tenant.metadata.annotations.get(ANNOTATION_TRACE)),
        )


def _waiting(signup: Signup, job: JobStatus | None) -> Waiting | msgspec.UnsetType:
    """Only while the job is still to be done."""
    if job is None or job.is_over:
        return UNSET
    return Waiting(since=signup.created_at, next_attempt_at=job.due_at, until=job.gives_up_at or UNSET)


class StreamSlots:
    """Limits the open event streams of one process, so that idle readers cannot exhaust it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0

    def full(self) -> bool:
        return self._open >= self._limit

    async def counted(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """The same items; counts from the first one asked for until the end, however it ends."""
        self._open += 1
        try:
            async for item in stream:
                yield item
        finally:
            self._open -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderDeps:
    """What reading needs."""

    database: Database
    directory: TenantDirectory
    views: SignupViews
    bearers: BearerTokens
    streams: StreamSlots
    clock: Clock


class SignupReader:
    """Reads and follows signups."""

    def __init__(self, reads: ReaderDeps) -> None:
        self._reads = reads

    async def get(self, signup_id: str, bearer: str | None = None) -> SignupView:
        """The present state; waits a moment for the reachability probe when only that is missing.

        It contains the login only if `bearer` is this signup's. Raises SignupNotFoundError.
        """
        signup, job = await self._load(signup_id)
        if probe := self._reads.views.probe(signup):
            await asyncio.wait([probe], timeout=PROBE_SECONDS)
        return self._reads.views.view(signup, job, with_login=self._reads.bearers.verify(bearer, signup_id))

    async def lead_of(self, slug: str | None) -> LeadView:
        """For staff: the signup that holds this slug, and where its owner came from."""
        async with self._reads.database.transaction() as session:
            signup = await SignupRepository(session).holder(slug) if slug else None
        if signup is None:
            return LeadView(signed_up_at=None, confirmed_at=None, lead=Lead())
        lead = msgspec.convert(signup.lead or {}, Lead)
        return LeadView(signed_up_at=signup.created_at, confirmed_at=signup.confirmed_at, lead=lead)

    async def follow(self, signup_id: str, bearer: str | None = None) -> AsyncIterator[SignupView | None]:
        """The present state, then one view for each change until it is finished; None is a heartbeat.

        Ends after STREAM_SECONDS in any case. `bearer` as in `get`.

        Raises:
            SignupNotFoundError: there is none of this id.
            UnavailableError: too many streams are open.
        """
        signup, job = await self._load(signup_id)
        if self._reads.streams.full():
            raise UnavailableError
        with_login = self._reads.bearers.verify(bearer, signup_id)
        return self._reads.streams.counted(self._changes(signup, job, with_login=with_login))

    async def _changes(
        self, signup: Signup, job: JobStatus | None, *, with_login: bool
    ) -> AsyncIterator[SignupView | None]:
        ends = asyncio.get_running_loop().time() + STREAM_SECONDS
        with self._reads.directory.subscribe(secret_key(access.secret_name(signup.id))) as changed:
            seen: object = None
            while asyncio.get_running_loop().time() < ends:
                changed.clear()
                self._reads.views.probe(signup)
                view = self._reads.views.view(signup, job, with_login=with_login)
                if (view.state, view.steps, view.waiting) != seen:
                    seen = (view.state, view.steps, view.waiting)
                    yield view
                if view.finished:
                    return
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield None
                signup, job = await self._reload(signup, job)

    async def _load(self, signup_id: str) -> tuple[Signup, JobStatus | None]:
        """The signup, and its job's state where it matters: there is no Tenant though the request has ended."""
        async with self._reads.database.transaction() as session:
            signup = await SignupRepository(session).get_one_or_none(id=signup_id)
            if signup is None:
                raise SignupNotFoundError
            due = signup.created_at + HANDOVER
            if self._reads.views.has_tenant(signup) or self._reads.clock() < due:
                return signup, None
            cleaned_up = JobStatus(DONE, due, finished_at=due)
            return signup, await OutboxRepository(session).status_of(job_key(signup_id)) or cleaned_up

    async def _reload(self, signup: Signup, job: JobStatus | None) -> tuple[Signup, JobStatus | None]:
        """From the database while there is no Tenant; without a database, what was read last."""
        if self._reads.views.has_tenant(signup):
            return signup, None
        try:
            return await self._load(signup.id)
        except UnavailableError:
            return signup, job
