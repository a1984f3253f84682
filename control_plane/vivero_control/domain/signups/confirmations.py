"""Confirming the address of a signup (ADR 0061): the link that is asked for again, and what following one does.

The workspace does not wait for it. Whatever was asked for becomes a job, so neither an answer nor its time tells who has
signed up.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.naming import slug_problem
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, LinkSpentError
from vivero_web.limiter import Limiter
from vivero_web.links import by_caller, secret_in, to_recipient
from vivero_web.tokens import digest

from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.signups import access
from vivero_control.domain.signups.confirmation_jobs import CONFIRMED, JOIN, JoinCodes, People
from vivero_control.domain.signups.links import LinkRequest
from vivero_control.domain.signups.people import company_domain
from vivero_control.domain.signups.policies import TriedBeforeError
from vivero_control.domain.signups.repository import (
    CompanyRepository,
    SignupLinkRepository,
    SignupRepository,
    TrialRepository,
)
from vivero_control.domain.signups.schemas import ConfirmedView
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.jobs.repository import OutboxRepository


class Confirmations:
    """For owners whose address is not confirmed yet."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        limiter: Limiter,
        people: People,
        joins: JoinCodes,
        directory: TenantDirectory,
        tenant_url: Callable[[str], str],
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._people = people
        self._joins = joins
        self._directory = directory
        self._tenant_url = tenant_url
        self._wake_worker = wake_worker
        self._clock = clock

    async def ask(self, slug: str, address: str) -> None:
        """Mail another link to the owner of the workspace of this slug, if one is needed; `address` is the client's.

        Raises:
            InvalidInputError: it is no slug.
            TooManyRequestsError: too many were asked for, by this caller or for this workspace.
        """
        if problem := slug_problem(slug):
            raise InvalidInputError.of("slug", problem)
        await self._limiter.count_all(by_caller(address), to_recipient(f"confirmation for {slug}"))
        now = self._clock()
        async with self._database.transaction() as session:
            holder = await SignupRepository(session).holder(slug)
            request = LinkRequest(holder.id, holder.email, reminder=1) if holder else LinkRequest("", reminder=1)
            await request.enqueue(session, str(uuid4()), now, due_at=now)
        self._wake_worker()

    async def confirm(self, code: str) -> ConfirmedView:
        """Spend the link in `code`, and claim the one trial of its person.

        Raises:
            LinkSpentError: it was used before, is too old, or never was one.
            TriedBeforeError: the person's trial is another signup; the link stays as it is.
        """
        secret, now = digest(secret_in(code)).hex(), self._clock()
        async with self._database.transaction() as session:
            signup = await SignupLinkRepository(session).signup_of(secret, now)
            if signup is None:
                raise LinkSpentError
            await self._confirm(session, signup, now)
            colleagues = await self._colleagues(session, signup, now)
        self._wake_worker()
        join_code = self._joins.issue(signup.id) if colleagues else UNSET
        return ConfirmedView(url=self._tenant_url(signup.slug), join_code=join_code)

    async def ask_to_join(self, code: str) -> None:
        """Mail the owner of the workspace of the company that a confirmed person asks to join it; once for each signup.

        Raises:
            LinkSpentError: `code` is not what `confirm` answered.
        """
        signup_id = self._joins.signup_in(code)
        if signup_id is None:
            raise LinkSpentError
        now = self._clock()
        async with self._database.transaction() as session:
            await OutboxRepository(session).enqueue(
                kind=JOIN, key=f"{JOIN}:{signup_id}", payload={"signup_id": signup_id}, now=now, due_at=now
            )
        self._wake_worker()

    async def _colleagues(self, session: AsyncSession, signup: Signup, now: datetime) -> bool:
        """Whether a workspace of the same company is there; else this is the company's from now on."""
        domain = company_domain(signup.email)
        if domain is None:
            return False
        first = await CompanyRepository(session).claim(domain, signup.id, now)
        if first.id == signup.id:
            return False
        if self._directory.by_secret(access.secret_name(first.id)) is not None:
            return True
        if self._directory.synced:
            await CompanyRepository(session).replace(domain, signup.id, now)
        return False

    async def _confirm(self, session: AsyncSession, signup: Signup, now: datetime) -> None:
        """Under the lock of the signup's row. The cluster is told by a job, in this transaction."""
        if await TrialRepository(session).claim(self._people.key(signup.email), signup.id, now) != signup.id:
            raise TriedBeforeError
        signup.confirmed_at = now
        await SignupLinkRepository(session).spend_all(signup.id)
        about = signup_subject(access.signup_digest(signup.id))
        await AuditRepository(session).add(
            record(
                AuditAction(actor=signup.email, action="confirm-address", subject=about, reason="", detail={}),
                now,
                DONE,
            )
        )
        await OutboxRepository(session).enqueue(
            kind=CONFIRMED,
            key=f"{CONFIRMED}:{signup.id}",
            payload={"signup_id": signup.id},
            now=now,
            due_at=now,
            subject=about,
        )
