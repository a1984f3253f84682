"""From a recorded signup to its Tenant: carried out in its request, or by the worker.

A signup claims a spare of a pool: one conditional write gives it slug and owner. When there is none, a Tenant named
like the slug is created. The password's hash is left for the operator before either, so a Tenant that is there lacks
nothing.

One signup gets one Tenant, whatever ends between any two writes:
- Only the request claims, and it stops before the worker may begin (SignupService._provision).
- The worker asks the cluster, no informer, for the Tenant that carries the signup's label. Only when there is none it
  makes one, by name; unlike a claim, a create can be done twice, even at once.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from prometheus_client import Counter
from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Owner, Tenant, TenantSpec
from vivero_web.clock import Clock

from vivero_control.domain.signups.errors import SlugTakenError
from vivero_control.domain.signups.policies import secret_name, signup_digest
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantChangedError,
    TenantNotFoundError,
    TenantRefusedError,
)
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import GiveUpError

logger = logging.getLogger(__name__)

KIND = "tenant.create"
CLAIM_ATTEMPTS: Final = 3
"""Spares to try; whoever loses that often meets a crowd that empties the pool, and creating takes seconds only."""

signups = Counter("vivero_control_signups", "Signups whose Tenant was claimed (warm) or created (cold)", ["start"])
_warm, _cold = signups.labels("warm"), signups.labels("cold")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the cluster has to be told; kept in the outbox until it was."""

    signup_id: str
    slug: str
    company: str
    email: str
    plan: str
    trial_ends_at: datetime | None
    password_hash: str

    def __repr__(self) -> str:
        """Without hash and id: a repr ends in logs."""
        return f"Order(slug={self.slug!r})"

    @property
    def key(self) -> str:
        """Key of the outbox entry."""
        return job_key(self.signup_id)

    def payload(self) -> dict[str, Any]:
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def labels(self) -> dict[str, str]:
        return {LABEL_SIGNUP: signup_digest(self.signup_id)}

    def spec(self, claimed_at: datetime | None = None) -> TenantSpec:
        """The same for a claim: whatever the spare's spec said, its owner gets what was ordered."""
        return TenantSpec(
            display_name=self.company,
            slug=self.slug,
            plan=self.plan,
            owner=Owner(email=self.email, password_hash_secret=secret_name(self.signup_id)),
            trial_ends_at=self.trial_ends_at,
            claimed_at=claimed_at,
        )


def job_key(signup_id: str) -> str:
    """Key of the outbox entry of a signup's order."""
    return f"{KIND}:{signup_id}"


class Provisioner:
    """Carries out orders."""

    def __init__(self, tenants: TenantRepository, directory: TenantDirectory, clock: Clock) -> None:
        self._tenants = tenants
        self._directory = directory
        self._clock = clock

    async def provision(self, order: Order) -> None:
        """For the first time.

        Raises:
            SlugTakenError: the name belongs to someone else's Tenant.
            TenantRefusedError: the cluster's rules say no.
            ClusterUnavailableError: it does not answer; what was sent may have been done.
        """
        self._directory.record_write(await self._with_password(order, self._claim_or_create))

    async def repeat(self, order: Order) -> None:
        """From the outbox, again.

        Raises:
            GiveUpError: it can never succeed; its sentence is for the person who waits.
            ClusterUnavailableError: as `provision`.
        """
        try:
            if await self._tenants.of_signup(signup_digest(order.signup_id)) is None:
                await self._with_password(order, self._create)
        except (SlugTakenError, TenantRefusedError) as error:
            raise GiveUpError(error.detail) from error

    async def _with_password(self, order: Order, make: Callable[[Order], Awaitable[Tenant]]) -> Tenant:
        """The hash first; a Tenant that cannot be leaves none behind."""
        uid = await self._tenants.create_password_secret(secret_name(order.signup_id), order.password_hash)
        try:
            return await make(order)
        except (SlugTakenError, TenantRefusedError):
            await self._take_back(secret_name(order.signup_id), uid)
            raise

    async def _take_back(self, secret: str, uid: str | None) -> None:
        try:
            if uid is not None:
                await self._tenants.delete_password_secret(secret, uid)
                return
            why = "an earlier attempt left it"
        except ClusterUnavailableError as error:
            why = str(error.__cause__)
        logger.warning("password Secret not deleted: %s", why, extra={"object": secret})

    async def _claim_or_create(self, order: Order) -> Tenant:
        return await self._claim(order) or await self._create(order)

    async def _claim(self, order: Order) -> Tenant | None:
        """None when there is no spare, or others were faster each time."""
        for _ in range(CLAIM_ATTEMPTS):
            now = self._clock()
            spare = self._directory.reserve_spare(order.plan, order.signup_id, now)
            if spare is None:
                return None
            try:
                claimed = await self._tenants.patch(spare, order.spec(now).dump(), order.labels())
            except (TenantChangedError, TenantNotFoundError) as error:
                logger.info(
                    "claiming a spare failed, trying another: %s",
                    type(error).__name__,
                    extra={"spare": spare.name, "slug": order.slug},
                )
                continue
            _warm.inc()
            return claimed
        return None

    async def _create(self, order: Order) -> Tenant:
        tenant = await self._tenants.create(order.slug, order.spec(), order.labels())
        owner = tenant.spec.owner if isinstance(tenant, Tenant) else None
        if (
            not isinstance(tenant, Tenant)
            or owner is None
            or owner.password_hash_secret != secret_name(order.signup_id)
        ):
            raise SlugTakenError(order.slug)
        _cold.inc()
        return tenant
