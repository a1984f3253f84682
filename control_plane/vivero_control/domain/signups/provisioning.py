"""From a recorded signup to its Tenant: in the signup's request, or as a job of the worker.

A signup claims a spare of a pool: one conditional write gives it slug and owner. When there is none, a Tenant named
like the slug is created. The password's hash is stored for the operator before either, so a Tenant is never without it.

One signup gets one Tenant, wherever a process ends between two writes:
- Only the request claims, and it stops before the worker may begin (SignupService._provision).
- The worker asks the API server, not the informer's cache, for the Tenant with the signup's label. Only when there is
  none it creates one, by name. Unlike a claim, that is idempotent, even when two do it at once.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.constants import ANNOTATION_TRACE, LABEL_SIGNUP
from vivero_core.model.tenant import Owner, Tenant, TenantSpec
from vivero_core.tracing.spans import traceparent
from vivero_web.clock import Clock

from vivero_control.db.tables import Signup
from vivero_control.domain.notifications import mails
from vivero_control.domain.signups.access import secret_name, signup_digest
from vivero_control.domain.signups.links import enqueue_links
from vivero_control.domain.signups.people import is_probe
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantChangedError,
    TenantNotFoundError,
    TenantRefusedError,
)
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload

logger = logging.getLogger(__name__)

KIND = "tenant.create"
CLAIM_ATTEMPTS: Final = 3
"""Who loses that many spares to others meets a crowd that empties the pool; creating a Tenant takes only seconds."""
HANDOVER: Final = timedelta(seconds=20)
"""After this the worker takes over from the signup's request."""
TIMED_OUT: Final = "Your workspace could not be made: a part of our platform did not answer for too long."

signups = Counter("vivero_control_signups", "Signups whose Tenant was claimed (warm) or created (cold)", ["start"])
_warm, _cold = signups.labels("warm"), signups.labels("cold")


class TenantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a signup asks of the cluster: the payload of its job."""

    signup_id: str
    slug: str
    company: str
    email: str
    plan: str
    trial_ends_at: datetime | None
    password_hash: str

    def __repr__(self) -> str:
        """Without hash and id: a repr ends in logs."""
        return f"TenantRequest(slug={self.slug!r})"

    @classmethod
    def of(cls, signup: Signup, password_hash: str) -> "TenantRequest":
        return cls(
            signup_id=signup.id,
            slug=signup.slug,
            company=signup.company,
            email=signup.email,
            plan=signup.plan,
            trial_ends_at=signup.trial_ends_at,
            password_hash=password_hash,
        )

    @property
    def key(self) -> str:
        """Key of the job."""
        return job_key(self.signup_id)

    def payload(self) -> dict[str, Any]:
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def labels(self) -> dict[str, str]:
        return {LABEL_SIGNUP: signup_digest(self.signup_id)}

    def spec(self, claimed_at: datetime | None = None) -> TenantSpec:
        """All fields, also for a claim: nothing of the spare's own spec may remain."""
        return TenantSpec(
            display_name=self.company,
            slug=self.slug,
            plan=self.plan,
            owner=Owner(email=self.email, password_hash_secret=secret_name(self.signup_id), confirmed=False),
            trial_ends_at=self.trial_ends_at,
            claimed_at=claimed_at,
        )


def annotations() -> dict[str, str]:
    """By which the operator continues the trace of the request or job that is under way."""
    here = traceparent()
    return {ANNOTATION_TRACE: here} if here else {}


def job_key(signup_id: str) -> str:
    """Key of the job of a signup."""
    return f"{KIND}:{signup_id}"


class Provisioner:
    """Claims or creates Tenants."""

    def __init__(self, tenants: TenantRepository, directory: TenantDirectory, clock: Clock) -> None:
        self._tenants = tenants
        self._directory = directory
        self._clock = clock

    async def provision(self, wanted: TenantRequest) -> None:
        """The first attempt, in the signup's request.

        Raises:
            SlugTakenError: the name belongs to someone else's Tenant.
            TenantRefusedError: a rule of the API server refuses it.
            ClusterUnavailableError: no answer; what was sent may have been done.
        """
        self._directory.record_write(await self._with_password(wanted, self._claim_or_create))

    async def retry(self, wanted: TenantRequest) -> None:
        """A later attempt, from the outbox; idempotent.

        Raises:
            GiveUpError: it can never succeed; its sentence is for the customer.
            ClusterUnavailableError: as `provision`.
        """
        try:
            if await self._tenants.of_signup(signup_digest(wanted.signup_id)) is None:
                await self._with_password(wanted, self._create)
        except (SlugTakenError, TenantRefusedError) as error:
            raise GiveUpError(error.detail) from error

    async def is_in_use(self, slug: str, signup_id: str) -> bool:
        """Whether a Tenant has the slug: in the informer's cache, by the signup's label, or by name.

        A Tenant that was claimed keeps the spare's name, so the name alone proves nothing. True without a complete cache.
        """
        if not self._directory.synced or self._directory.has(slug):
            return True
        labelled = await self._tenants.of_signup(signup_digest(signup_id))
        return labelled is not None or await self._tenants.find(slug) is not None

    async def _with_password(self, wanted: TenantRequest, make: Callable[[TenantRequest], Awaitable[Tenant]]) -> Tenant:
        """The Secret first; it is deleted when the Tenant is refused."""
        uid = await self._tenants.create_password_secret(secret_name(wanted.signup_id), wanted.password_hash)
        try:
            return await make(wanted)
        except (SlugTakenError, TenantRefusedError):
            await self._delete_password(secret_name(wanted.signup_id), uid)
            raise

    async def _delete_password(self, secret: str, uid: str | None) -> None:
        try:
            if uid is not None:
                await self._tenants.delete_password_secret(secret, uid)
                return
            why = "an earlier attempt created it"
        except ClusterUnavailableError as error:
            why = str(error.__cause__)
        logger.warning("password Secret not deleted: %s", why, extra={"object": secret})

    async def _claim_or_create(self, wanted: TenantRequest) -> Tenant:
        return await self._claim(wanted) or await self._create(wanted)

    async def _claim(self, wanted: TenantRequest) -> Tenant | None:
        """None when there is no spare, or others claimed each one first."""
        for _ in range(CLAIM_ATTEMPTS):
            now = self._clock()
            spare = self._directory.reserve_spare(wanted.plan, wanted.signup_id, now)
            if spare is None:
                return None
            try:
                claimed = await self._tenants.patch(spare, wanted.spec(now).dump(), wanted.labels(), annotations())
            except (TenantChangedError, TenantNotFoundError) as error:
                logger.info(
                    "claiming a spare failed, trying another: %s",
                    type(error).__name__,
                    extra={"spare": spare.name, "slug": wanted.slug},
                )
                continue
            _count(_warm, wanted)
            return claimed
        return None

    async def _create(self, wanted: TenantRequest) -> Tenant:
        tenant = await self._tenants.create(wanted.slug, wanted.spec(), wanted.labels(), annotations())
        owner = tenant.spec.owner if isinstance(tenant, Tenant) else None
        if (
            not isinstance(tenant, Tenant)
            or owner is None
            or owner.password_hash_secret != secret_name(wanted.signup_id)
        ):
            raise SlugTakenError(wanted.slug)
        _count(_cold, wanted)
        return tenant


class ProvisioningJob(JobKind):
    """Retries what the signup's request did not finish, and mails how it ended."""

    def __init__(
        self, provisioner: Provisioner, tenant_url: Callable[[str], str], signup_url: str, clock: Clock
    ) -> None:
        self._provisioner = provisioner
        self._tenant_url = tenant_url
        self._signup_url = signup_url
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        await self._provisioner.retry(_wanted(payload))

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("New workspace", f"{payload.get('slug', '')}, {payload.get('email', '')}")

    async def on_done(self, session: AsyncSession, payload: Payload) -> None:
        """Welcome the owner, now that there is a workspace."""
        wanted = _wanted(payload)
        if not is_probe(wanted.email):
            await enqueue_links(session, wanted.signup_id, wanted.email, self._clock())

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:
        """Free the slug, and tell the customer."""
        wanted, sentence = _wanted(payload), why or TIMED_OUT
        await SignupRepository(session).fail(wanted.signup_id, sentence)
        failed = mails.signup_failed(
            wanted.signup_id,
            to=wanted.email,
            url=self._tenant_url(wanted.slug),
            why=sentence,
            signup_url=self._signup_url,
        )
        await mails.enqueue(session, failed, self._clock())

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:
        """Claim the slug again. Raises SlugTakenError when another signup holds it by now."""
        wanted = _wanted(payload)
        await SignupRepository(session).retry(wanted.signup_id, wanted.slug)


def _count(counter: Counter, wanted: TenantRequest) -> None:
    if not is_probe(wanted.email):
        counter.inc()


def _wanted(payload: Payload) -> TenantRequest:
    return msgspec.convert(payload, TenantRequest)
