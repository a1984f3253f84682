"""Start a signup: recorded in one transaction, then provisioned at once; what fails is retried by the worker."""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.naming import slugify
from vivero_web.errors import FieldError, InvalidInputError, UnavailableError
from vivero_web.passwords import Passwords
from vivero_web.text import tidy

from vivero_control.db.tables import Signup
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.plans.service import PlanNotFoundError, PlanService, PlanView, unknown_plan
from vivero_control.domain.signups import access, policies
from vivero_control.domain.signups.leads import cleaned
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.signups.provisioning import (
    HANDOVER,
    KIND,
    Provisioner,
    ProvisioningJob,
    TenantRequest,
    job_key,
)
from vivero_control.domain.signups.repository import AccountRepository, SignupRepository
from vivero_control.domain.signups.schemas import SignupView, StartSignup
from vivero_control.domain.signups.views import ReaderDeps, SignupReader
from vivero_control.domain.tenants.errors import TenantRefusedError
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.idempotency import Idempotency, IdempotentOperation

logger = logging.getLogger(__name__)

OPERATION: Final = "signup"
SLUG_ATTEMPTS: Final = 5
# The request stops provisioning so long before HANDOVER: what it sent last has then reached the cluster, or never will.
SETTLING: Final = timedelta(seconds=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupDeps(ReaderDeps):
    """What the service works with."""

    plans: PlanService
    provisioner: Provisioner
    job: ProvisioningJob
    passwords: Passwords
    idempotency: Idempotency
    domain: str
    tenant_url: Callable[[str], str]
    wake_worker: Callable[[], None]


class SignupService(SignupReader):
    """Start a signup, read it, follow it."""

    def __init__(self, deps: SignupDeps) -> None:
        super().__init__(deps)
        self._deps = deps

    async def start(self, request: StartSignup, *, idempotency_key: str | None = None) -> SignupView:
        """Record the signup and provision its workspace; `idempotency_key` as in lib/idempotency.

        The answer contains the bearer, which is stored nowhere.

        Raises:
            InvalidInputError: naming every wrong field.
            SlugTakenError: the chosen slug belongs to someone.
        """
        body = msgspec.json.encode(request)
        async with self._deps.idempotency.once(OPERATION, idempotency_key, body) as operation:
            if operation.answer is not None:
                return self._with_bearer(await self._replayed(msgspec.convert(operation.answer, SignupView)))
            request, plan = self._checked(request)
            hashing = await self._deps.passwords.hashing(request.password)
            view = await self._with_free_slug(request, plan, hashing, operation)
        self._deps.wake_worker()
        return self._with_bearer(view)

    async def _replayed(self, answer: SignupView) -> SignupView:
        """The stored answer of an idempotent request; the present state, if there is more to say than was stored."""
        if answer.tenant.name is not None and not answer.finished:
            return answer
        return await self.get(answer.id, self._deps.bearers.issue(answer.id))

    def _with_bearer(self, view: SignupView) -> SignupView:
        return msgspec.structs.replace(view, bearer=self._deps.bearers.issue(view.id))

    def _checked(self, request: StartSignup) -> tuple[StartSignup, PlanView]:
        errors = policies.check(request)
        try:
            plan = self._deps.plans.find_offered(request.plan)
        except PlanNotFoundError:
            raise InvalidInputError.of_all([*errors, *unknown_plan(request.plan).errors]) from None
        if plan.trial_days is None:
            errors.append(FieldError("plan", f"“{plan.display_name}” cannot be tried; start with the trial."))
        if errors:
            raise InvalidInputError.of_all(errors)
        tidied = msgspec.structs.replace(request, company=tidy(request.company), email=request.email.strip())
        return tidied, plan

    async def _with_free_slug(
        self, request: StartSignup, plan: PlanView, hashing: Future[str], operation: IdempotentOperation
    ) -> SignupView:
        """Under the chosen slug, or under the first derived one that is free."""
        plain = True
        for _ in range(SLUG_ATTEMPTS):
            slug = self._candidate(request, plain=plain)
            try:
                return await self._attempt(self._row(request, slug, plan), hashing, operation)
            except SlugTakenError:
                if await self._released(slug):
                    continue
                if request.slug is not None:
                    raise
                plain = False
        raise SlugTakenError(slugify(request.company))

    def _candidate(self, request: StartSignup, *, plain: bool) -> str:
        if request.slug is not None:
            if self._deps.directory.has(request.slug):
                raise SlugTakenError(request.slug)
            return request.slug
        slug = slugify(request.company)
        return slug if plain and not self._deps.directory.has(slug) else policies.with_suffix(slug)

    async def _attempt(self, signup: Signup, hashing: Future[str], operation: IdempotentOperation) -> SignupView:
        """Record, then provision. An attempt that the database or the cluster refuses leaves nothing."""
        now = self._deps.clock()
        view = self._deps.views.view(signup)
        async with self._deps.database.transaction() as session:
            wanted = await self._record(session, signup, hashing, now)
            await operation.store(session, msgspec.to_builtins(view))
        operation.committed = True
        if wanted is None:
            return view
        try:
            return await self._provision(signup, wanted, operation, until=now + HANDOVER - SETTLING)
        except SlugTakenError:
            await self._withdraw(signup, wanted, operation)
            raise
        except TenantRefusedError as error:
            await self._withdraw(signup, wanted, operation)
            raise policies.with_signup_fields(error) from error

    def _row(self, request: StartSignup, slug: str, plan: PlanView) -> Signup:
        now = self._deps.clock().replace(microsecond=0)
        return Signup(
            id=access.new_id(),
            email=request.email,
            company=request.company,
            slug=slug,
            slug_claim=slug,
            plan=plan.name,
            trial_ends_at=now + timedelta(days=plan.trial_days) if plan.trial_days else None,
            created_at=now,
            lead=cleaned(request.lead.said, own_host=self._deps.domain).said or None,
        )

    async def _record(
        self, session: AsyncSession, signup: Signup, hashing: Future[str], now: datetime
    ) -> TenantRequest | None:
        """None when the mailbox has used up its trials.

        What needs no hash goes first: the database works while another core hashes.
        """
        signup.account_id = await AccountRepository(session).id_of(signup.email, now)
        trials = await SignupRepository(session).trials(signup.account_id, now)
        await SignupRepository(session).put(signup)
        if len(trials) >= policies.TRIALS_MAX:
            await self._refuse(session, signup, trials, now)
            await hashing  # as long as for any other
            return None
        await AuditRepository(session).add(record(_audit_action("signup", signup), now, DONE))
        wanted = TenantRequest.of(signup, await hashing)
        await OutboxRepository(session).enqueue(
            kind=KIND,
            key=wanted.key,
            payload=wanted.payload(),
            now=now,
            due_at=now + HANDOVER,
            subject=signup_subject(access.signup_digest(signup.id)),
        )
        return wanted

    async def _refuse(self, session: AsyncSession, signup: Signup, trials: Sequence[Signup], now: datetime) -> None:
        """The reason goes to the mailbox alone: whoever typed its address may be a stranger."""
        await SignupRepository(session).fail(signup.id, policies.UNMADE)
        await AuditRepository(session).add(record(_audit_action("signup-refused", signup), now, DONE))
        urls = [self._deps.tenant_url(one.slug) for one in trials if one.slug_claim is not None]
        mail = mails.enough_trials(signup.account_id, now, to=signup.email, urls=urls)
        await mails.enqueue(session, mail, now)

    async def _provision(
        self, signup: Signup, wanted: TenantRequest, operation: IdempotentOperation, *, until: datetime
    ) -> SignupView:
        """In the request, for speed; on a timeout the worker retries from the outbox."""
        try:
            async with asyncio.timeout((until - self._deps.clock()).total_seconds()):
                await asyncio.sleep(0)  # a deadline in the past ends here, before anything is sent
                await self._deps.provisioner.provision(wanted)
            return await self._conclude(signup, wanted, operation)
        except (UnavailableError, TimeoutError) as error:
            logger.warning(
                "provisioning failed, the worker retries: %s", error.__cause__ or "timeout", extra={"slug": wanted.slug}
            )
            return self._deps.views.view(signup)

    async def _conclude(self, signup: Signup, wanted: TenantRequest, operation: IdempotentOperation) -> SignupView:
        """The job is done, and a repeat of the request gets this answer."""
        async with self._deps.database.transaction() as session:
            await OutboxRepository(session).mark_done(wanted.key, self._deps.clock())
            await self._deps.job.on_done(session, wanted.payload())
            await operation.store(session, msgspec.to_builtins(self._deps.views.view(signup)))
        return self._deps.views.view(signup, with_login=True)

    async def _withdraw(self, signup: Signup, wanted: TenantRequest, operation: IdempotentOperation) -> None:
        """Remove the signup; the audit log has both its start and its end."""
        async with self._deps.database.transaction() as session:
            await OutboxRepository(session).remove([wanted.key])
            await SignupRepository(session).remove(signup.id)
            await AuditRepository(session).add(
                record(_audit_action("signup-withdrawn", signup), self._deps.clock(), DONE)
            )
        operation.committed = False

    async def _released(self, slug: str) -> bool:
        """Free the slug of a signup whose Tenant was deleted."""
        async with self._deps.database.transaction() as session:
            signups = SignupRepository(session)
            holder = await signups.holder(slug)
            if holder is None:
                return False
            job = await OutboxRepository(session).status_of(job_key(holder.id))
            is_over = job is None or job.is_over  # the row of an old job was cleaned up
            if not is_over or await self._deps.provisioner.is_in_use(slug, holder.id):
                return False
            await signups.release(holder.id)
            return True


def _audit_action(action: str, signup: Signup) -> AuditAction:
    return AuditAction(
        actor=signup.email,
        action=action,
        subject=signup_subject(access.signup_digest(signup.id)),
        reason="",
        detail={"plan": signup.plan, "slug": signup.slug},
    )
