"""Signups: recorded in one transaction, carried out at once, shown live."""

import asyncio
import logging
from asyncio import Future
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.naming import slugify
from vivero_web.clock import Clock
from vivero_web.errors import FieldError, InvalidInputError, UnavailableError
from vivero_web.passwords import Passwords
from vivero_web.text import tidy

from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.accounts.repository import AccountRepository
from vivero_control.domain.audit.repository import AuditRepository
from vivero_control.domain.audit.service import DONE, AuditAction, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.plans.errors import PlanNotFoundError, unknown_plan
from vivero_control.domain.plans.schemas import PlanView
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.signups import policies
from vivero_control.domain.signups.bearers import BearerTokens
from vivero_control.domain.signups.errors import SignupNotFoundError, SlugTakenError
from vivero_control.domain.signups.jobs import ProvisioningJob
from vivero_control.domain.signups.provisioning import KIND, Order, Provisioner, job_key
from vivero_control.domain.signups.reachability import Reachability
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.signups.schemas import SignupView, StartSignup
from vivero_control.domain.signups.tickets import LoginTickets
from vivero_control.domain.signups.views import SignupViews
from vivero_control.domain.tenants.directory import TenantDirectory, secret_key
from vivero_control.domain.tenants.errors import TenantRefusedError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.subjects import signup_subject
from vivero_control.jobs.repository import DONE as CARRIED_OUT
from vivero_control.jobs.repository import JobStatus, OutboxRepository
from vivero_control.lib.idempotency import Idempotency, IdempotentOperation
from vivero_control.lib.streams import StreamSlots

logger = logging.getLogger(__name__)

OPERATION: Final = "signup"
SLUG_ATTEMPTS: Final = 5
# The request carries the order out itself; only if it dies does the worker, after this.
HANDOVER: Final = timedelta(seconds=20)
# So long before, the request stops: what it sent last has then reached the cluster, or never will.
SETTLING: Final = timedelta(seconds=8)
HEARTBEAT_SECONDS: Final = 15.0  # below the idle limits of proxies
ARRIVAL_SECONDS: Final = 1.0  # how long one look waits for the ingress: then the caller asks again
STREAM_SECONDS: Final = 300.0  # then the browser reconnects by itself; a signup takes seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupDeps:
    """What the service works with."""

    database: Database
    directory: TenantDirectory
    tenants: TenantRepository
    plans: PlanService
    provisioning: Provisioner
    provisioning_job: ProvisioningJob
    passwords: Passwords
    tickets: LoginTickets
    bearers: BearerTokens
    arrivals: Reachability
    idempotency: Idempotency
    tenant_url: Callable[[str], str]
    streams: StreamSlots
    wake_worker: Callable[[], None]
    clock: Clock


class SignupService:
    """Start a signup, look at it, follow it."""

    def __init__(self, deps: SignupDeps) -> None:
        self._deps = deps
        self._shown = SignupViews(deps.directory, deps.arrivals, deps.tickets, deps.tenant_url, deps.clock)

    async def start(self, order: StartSignup, *, idempotency_key: str | None = None) -> SignupView:
        """Record the signup and have its workspace made; `idempotency_key` as in lib/idempotency.

        The answer has the bearer, which is kept nowhere.

        Raises:
            InvalidInputError: naming every wrong field.
            SlugTakenError: the chosen slug belongs to someone.
        """
        body = msgspec.json.encode(order)
        async with self._deps.idempotency.once(OPERATION, idempotency_key, body) as once:
            if once.answer is not None:
                return self._with_bearer(await self._repeated(msgspec.convert(once.answer, SignupView)))
            order, plan = self._checked(order)
            view = await self._place(order, plan, await self._deps.passwords.hashing(order.password), once)
        self._deps.wake_worker()
        return self._with_bearer(view)

    async def _repeated(self, answer: SignupView) -> SignupView:
        """The first answer again; as it is now, if there is more to say than was kept."""
        if answer.tenant.name is not None and not answer.finished:
            return answer
        return await self.get(answer.id, self._deps.bearers.of(answer.id))

    def _with_bearer(self, view: SignupView) -> SignupView:
        return msgspec.structs.replace(view, bearer=self._deps.bearers.of(view.id))

    async def get(self, signup_id: str, bearer: str | None = None) -> SignupView:
        """How far it is now; waits a moment for the ingress when that is all that is missing.

        The login is in it only if `bearer` is this signup's. Raises SignupNotFoundError.
        """
        signup, order = await self._load(signup_id)
        if looking := self._shown.look(signup):
            await asyncio.wait([looking], timeout=ARRIVAL_SECONDS)
        return self._shown.view(signup, order, opened=self._deps.bearers.opens(bearer, signup_id))

    async def follow(self, signup_id: str, bearer: str | None = None) -> AsyncIterator[SignupView | None]:
        """The signup at once and after every change of a step, until it is finished; None is a heartbeat.

        Ends after STREAM_SECONDS in any case. `bearer` as in `get`.

        Raises:
            SignupNotFoundError: there is none of this id.
            UnavailableError: too many streams are open.
        """
        signup, order = await self._load(signup_id)
        if self._deps.streams.full():
            raise UnavailableError
        opened = self._deps.bearers.opens(bearer, signup_id)
        return self._deps.streams.counted(self._views(signup, order, opened=opened))

    async def _views(
        self, signup: Signup, order: JobStatus | None, *, opened: bool
    ) -> AsyncIterator[SignupView | None]:
        ends = asyncio.get_running_loop().time() + STREAM_SECONDS
        with self._deps.directory.subscribe(secret_key(policies.secret_name(signup.id))) as changed:
            seen: object = None
            while asyncio.get_running_loop().time() < ends:
                changed.clear()
                self._shown.look(signup)
                view = self._shown.view(signup, order, opened=opened)
                if (view.state, view.steps, view.waiting) != seen:
                    seen = (view.state, view.steps, view.waiting)
                    yield view
                if view.finished:
                    return
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield None
                signup, order = await self._again(signup, order)

    def _checked(self, order: StartSignup) -> tuple[StartSignup, PlanView]:
        errors = policies.check(order)
        try:
            plan = self._deps.plans.find_offered(order.plan)
        except PlanNotFoundError:
            raise InvalidInputError.of_all([*errors, *unknown_plan(order.plan).errors]) from None
        if plan.trial_days is None:
            errors.append(FieldError("plan", f"“{plan.display_name}” cannot be tried; start with the trial."))
        if errors:
            raise InvalidInputError.of_all(errors)
        tidied = msgspec.structs.replace(order, company=tidy(order.company), email=order.email.strip())
        return tidied, plan

    async def _place(
        self, order: StartSignup, plan: PlanView, hashing: Future[str], once: IdempotentOperation
    ) -> SignupView:
        """Under the chosen slug, or under the first derived one that is free."""
        plain = True
        for _ in range(SLUG_ATTEMPTS):
            slug = self._candidate(order, plain=plain)
            try:
                return await self._attempt(self._compose(order, slug, plan), hashing, once)
            except SlugTakenError:
                if await self._freed(slug):
                    continue
                if order.slug is not None:
                    raise
                plain = False
        raise SlugTakenError(slugify(order.company))

    def _candidate(self, order: StartSignup, *, plain: bool) -> str:
        if order.slug is not None:
            if self._deps.directory.has(order.slug):
                raise SlugTakenError(order.slug)
            return order.slug
        slug = slugify(order.company)
        return slug if plain and not self._deps.directory.has(slug) else policies.with_suffix(slug)

    async def _attempt(self, signup: Signup, hashing: Future[str], once: IdempotentOperation) -> SignupView:
        """Record, then carry out. Nothing is left of an attempt that the database or the cluster refuses."""
        now = self._deps.clock()
        view = self._shown.view(signup)
        async with self._deps.database.transaction() as session:
            order = await self._record(session, signup, hashing, now)
            await once.store(session, msgspec.to_builtins(view))
        once.made = True
        if order is None:
            return view
        try:
            return await self._provision(signup, order, once, until=now + HANDOVER - SETTLING)
        except SlugTakenError:
            await self._withdraw(signup, order, once)
            raise
        except TenantRefusedError as error:
            await self._withdraw(signup, order, once)
            raise policies.named_as_asked(error) from error

    def _compose(self, order: StartSignup, slug: str, plan: PlanView) -> Signup:
        now = self._deps.clock().replace(microsecond=0)
        return Signup(
            id=policies.new_id(),
            email=order.email,
            company=order.company,
            slug=slug,
            slug_claim=slug,
            plan=plan.name,
            trial_ends_at=now + timedelta(days=plan.trial_days) if plan.trial_days else None,
            created_at=now,
        )

    async def _record(self, session: AsyncSession, signup: Signup, hashing: Future[str], now: datetime) -> Order | None:
        """What needs no hash goes first: the database works while another core hashes. None beyond the bound."""
        signup.account_id = await AccountRepository(session).of(signup.email, now)
        tried = await SignupRepository(session).tried(signup.account_id, now - policies.TRIALS_WITHIN)
        await SignupRepository(session).put(signup)
        if len(tried) >= policies.TRIALS_MAX:
            await self._refuse(session, signup, tried, now)
            await hashing  # as long as for any other
            return None
        await AuditRepository(session).add(record(_act("signup", signup), now, DONE))
        order = _order(signup, await hashing)
        await OutboxRepository(session).enqueue(
            kind=KIND,
            key=order.key,
            payload=order.payload(),
            now=now,
            due_at=now + HANDOVER,
            subject=signup_subject(policies.signup_digest(signup.id)),
        )
        return order

    async def _refuse(self, session: AsyncSession, signup: Signup, tried: Sequence[Signup], now: datetime) -> None:
        """Say why to the mailbox alone: whoever typed its address may be a stranger."""
        await SignupRepository(session).fail(signup.id, policies.UNMADE)
        await AuditRepository(session).add(record(_act("signup-refused", signup), now, DONE))
        urls = [self._deps.tenant_url(one.slug) for one in tried if one.slug_claim is not None]
        mail = mails.enough_trials(signup.account_id, now, to=signup.email, urls=urls)
        await OutboxRepository(session).enqueue(
            kind=mails.KIND, key=mail.key, payload=mail.payload(), now=now, due_at=now
        )

    async def _provision(
        self, signup: Signup, order: Order, once: IdempotentOperation, *, until: datetime
    ) -> SignupView:
        """Now, for speed; what does not answer is left to the worker, which does it again from the outbox."""
        try:
            async with asyncio.timeout((until - self._deps.clock()).total_seconds()):
                await asyncio.sleep(0)  # a time that is over already ends here, before anything is sent
                await self._deps.provisioning.provision(order)
            return await self._conclude(signup, order, once)
        except (UnavailableError, TimeoutError) as error:
            logger.warning(
                "provisioning failed, the worker retries: %s", error.__cause__ or "timeout", extra={"slug": order.slug}
            )
            return self._shown.view(signup)

    async def _conclude(self, signup: Signup, order: Order, once: IdempotentOperation) -> SignupView:
        """The worker has nothing to do any more, and the same request again gets the answer of this one."""
        async with self._deps.database.transaction() as session:
            await OutboxRepository(session).mark_done(order.key, self._deps.clock())
            await self._deps.provisioning_job.on_done(session, order.payload())
            await once.store(session, msgspec.to_builtins(self._shown.view(signup)))
        return self._shown.view(signup, opened=True)

    async def _withdraw(self, signup: Signup, order: Order, once: IdempotentOperation) -> None:
        """As if it had never been asked for; the audit log says both."""
        async with self._deps.database.transaction() as session:
            await OutboxRepository(session).remove([order.key])
            await SignupRepository(session).withdraw(signup.id)
            await AuditRepository(session).add(record(_act("signup-withdrawn", signup), self._deps.clock(), DONE))
        once.made = False

    async def _freed(self, slug: str) -> bool:
        """Free the slug of a signup whose Tenant has been deleted since."""
        async with self._deps.database.transaction() as session:
            signups = SignupRepository(session)
            holder = await signups.holder(slug)
            if holder is None:
                return False
            order = await OutboxRepository(session).status_of(job_key(holder.id))
            is_over = order is None or order.is_over  # a row of long ago is removed
            if not is_over or not await self._is_gone(holder):
                return False
            await signups.release(holder.id)
            return True

    async def _is_gone(self, holder: Signup) -> bool:
        """Whether no Tenant has the slug any more: by what we know of all, by the signup's label, and by name.

        The name alone says nothing: who claimed a spare has the spare's. A process that sees no cluster frees nothing.
        """
        if not self._deps.directory.synced or self._deps.directory.has(holder.slug):
            return False
        tenants = self._deps.tenants
        labelled = await tenants.of_signup(policies.signup_digest(holder.id))
        return labelled is None and await tenants.find(holder.slug) is None

    async def _load(self, signup_id: str) -> tuple[Signup, JobStatus | None]:
        """The signup, and where its order stands: asked for when there is no Tenant though its request is over."""
        async with self._deps.database.transaction() as session:
            signup = await SignupRepository(session).get_one_or_none(id=signup_id)
            if signup is None:
                raise SignupNotFoundError
            due = signup.created_at + HANDOVER
            if self._shown.has_tenant(signup) or self._deps.clock() < due:
                return signup, None
            forgotten = JobStatus(CARRIED_OUT, due, finished_at=due)
            return signup, await OutboxRepository(session).status_of(job_key(signup_id)) or forgotten

    async def _again(self, signup: Signup, order: JobStatus | None) -> tuple[Signup, JobStatus | None]:
        """What the database says by now while there is no Tenant to look at; while it is away, what it said last."""
        if self._shown.has_tenant(signup):
            return signup, None
        try:
            return await self._load(signup.id)
        except UnavailableError:
            return signup, order


def _order(signup: Signup, password_hash: str) -> Order:
    return Order(
        signup_id=signup.id,
        slug=signup.slug,
        company=signup.company,
        email=signup.email,
        plan=signup.plan,
        trial_ends_at=signup.trial_ends_at,
        password_hash=password_hash,
    )


def _act(action: str, signup: Signup) -> AuditAction:
    return AuditAction(
        actor=signup.email,
        action=action,
        subject=signup_subject(policies.signup_digest(signup.id)),
        reason="",
        detail={"plan": signup.plan, "slug": signup.slug},
    )
