"""How a signup is shown: from its row, its Tenant as the mirror has it, and its order in the outbox."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import UNSET
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.db.tables import Signup
from vivero_control.domain.notifications import repository as outbox_states
from vivero_control.domain.signups import policies, progress
from vivero_control.domain.signups.arrivals import Arrivals
from vivero_control.domain.signups.schemas import SignupView, TenantRef
from vivero_control.domain.signups.tickets import Tickets
from vivero_control.domain.tenants.directory import TenantDirectory, secret_key
from vivero_control.domain.tenants.policies import is_ready

GONE_AFTER: Final = timedelta(minutes=10)
"""A Tenant that is not there by then, in a cluster that answers, is gone; unless its order still waits."""


class SignupViews:
    """Makes the views from memory; only the ingress is asked."""

    def __init__(
        self,
        directory: TenantDirectory,
        arrivals: Arrivals,
        tickets: Tickets,
        tenant_url: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._arrivals = arrivals
        self._tickets = tickets
        self._tenant_url = tenant_url
        self._clock = clock

    def view(self, signup: Signup, order: str = outbox_states.PENDING, *, opened: bool = False) -> SignupView:
        """As it is now; `order` is the state of its order in the outbox. The login is only in one that is `opened`."""
        tenant = self._own_tenant(signup)
        url = (tenant.status.url if tenant else None) or self._tenant_url(signup.slug)
        reached = tenant is not None and self._arrivals.reached(tenant)
        failure, late = self._without_tenant(signup, order) if tenant is None else (signup.failure, False)
        state, detail = progress.whole(tenant, failure, reached=reached, late=late)
        may_log_in = opened and tenant is not None and state == "ready" and tenant.spec.suspended is None
        return SignupView(
            id=signup.id,
            state=state,
            tenant=TenantRef(name=tenant.name if tenant else None, slug=signup.slug, url=url),
            steps=progress.steps(tenant, reached=reached),
            detail=detail,
            created_at=signup.created_at,
            login_url=self._login_url(signup, tenant, url) if tenant and may_log_in else UNSET,
        )

    def _without_tenant(self, signup: Signup, order: str) -> tuple[str | None, bool]:
        """Why there will be no workspace, in words; and whether its order waits for longer than it should."""
        if signup.failure or not self.is_late(signup) or not self._directory.synced:
            return signup.failure, False
        return progress.MISSING.get(order), order == outbox_states.PENDING

    def _own_tenant(self, signup: Signup) -> Tenant | None:
        """The Tenant that this signup made or claimed, whatever its name; not one that got its slug later."""
        return self._directory.by_secret(policies.secret_name(signup.id))

    def is_late(self, signup: Signup) -> bool:
        return self._clock() - signup.created_at > GONE_AFTER

    def look(self, signup: Signup) -> asyncio.Task[None] | None:
        """Have a ready workspace looked for at its address; None when there is nothing to wait for."""
        tenant = self._own_tenant(signup)
        if tenant is None or tenant.spec.suspended is not None or not is_ready(tenant):
            return None
        key = secret_key(policies.secret_name(signup.id))
        return self._arrivals.look(tenant, then=lambda: self._directory.tell([key]))

    def _login_url(self, signup: Signup, tenant: Tenant, url: str) -> str | msgspec.UnsetType:
        now = self._clock()
        if not policies.may_log_in(signup.created_at, now):
            return UNSET
        return self._tickets.login_url(
            url, tenant_id=tenant.id, email=signup.email, ticket_id=policies.ticket_id(signup.id), now=now
        )
