"""From a recorded signup to its Tenant: the one deed of a signup, done in its request or by the worker.

It bears repetition: the Tenant is made once, by its name; the password's hash
is left for the operator only while the owner has no account yet.
"""

from datetime import datetime
from typing import Any

import msgspec
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Owner, TenantSpec

from vivero_control.db.database import Database
from vivero_control.domain.notifications.outbox import GiveUpError
from vivero_control.domain.signups.errors import SlugTakenError
from vivero_control.domain.signups.policies import secret_name
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.tenants.errors import TenantRefusedError
from vivero_control.domain.tenants.repository import TenantRepository

KIND = "tenant.create"


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
        return f"{KIND}:{self.signup_id}"

    def payload(self) -> dict[str, Any]:
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def spec(self) -> TenantSpec:
        return TenantSpec(
            display_name=self.company,
            slug=self.slug,
            plan=self.plan,
            owner=Owner(email=self.email, password_hash_secret=secret_name(self.signup_id)),
            trial_ends_at=self.trial_ends_at,
        )


class Provisioning:
    """Carries out orders."""

    def __init__(self, tenants: TenantRepository, database: Database) -> None:
        self._tenants = tenants
        self._database = database

    async def carry_out(self, order: Order) -> None:
        """Raises SlugTakenError when the name belongs to someone else's Tenant."""
        tenant = await self._tenants.create(order.slug, order.spec())
        secret = secret_name(order.signup_id)
        if tenant.spec.owner.password_hash_secret != secret:
            raise SlugTakenError(order.slug)
        if not is_true(tenant.status.conditions, ConditionType.OWNER_READY):
            await self._tenants.leave_password_hash(secret, order.password_hash)

    async def deed(self, payload: dict[str, Any]) -> None:
        """For the outbox: what can never succeed is told to the person who waits."""
        order = msgspec.convert(payload, Order)
        try:
            await self.carry_out(order)
        except (SlugTakenError, TenantRefusedError) as error:
            async with self._database.transaction() as session:
                await SignupRepository(session).fail(order.signup_id, error.detail)
            raise GiveUpError(error.detail) from error
