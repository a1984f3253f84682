"""How a signup is shown: from its row, its Tenant as the informer has it, and its order in the outbox."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import UNSET
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.db.tables import Signup
from vivero_control.domain.signups import policies, progress
from vivero_control.domain.signups.reachability import Reachability
from vivero_control.domain.signups.schemas import SignupView, TenantRef, Waiting
from vivero_control.domain.signups.tickets import LoginTickets
from vivero_control.domain.tenants.directory import TenantDirectory, secret_key
from vivero_control.domain.tenants.policies import is_ready
from vivero_control.jobs.repository import DONE, JobStatus

GONE_AFTER: Final = timedelta(minutes=10)
"""A Tenant that is not there so long after its order was carried out, in a cluster that answers, is gone."""


class SignupViews:
    """Makes the views from memory; only the ingress is asked."""

    def __init__(
        self,
        directory: TenantDirectory,
        arrivals: Reachability,
        tickets: LoginTickets,
        tenant_url: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._arrivals = arrivals
        self._tickets = tickets
        self._tenant_url = tenant_url
        self._clock = clock

    def view(self, signup: Signup, order: JobStatus | None = None, *, opened: bool = False) -> SignupView:
        """As it is now; `order` is where its order stands in the outbox, None: being carried out.

        The login is only in one that is `opened`.
        """
        tenant = self._own_tenant(signup)
        url = (tenant.status.url if tenant else None) or self._tenant_url(signup.slug)
        reached = tenant is not None and self._arrivals.reached(tenant)
        failure = self._failure(signup, order) if tenant is None else None
        waiting = _waiting(signup, order) if tenant is None and failure is None else UNSET
        state, detail = progress.whole(tenant, failure, reached=reached, waits=waiting is not UNSET)
        may_log_in = opened and tenant is not None and state == "ready" and tenant.spec.suspended is None
        return SignupView(
            id=signup.id,
            state=state,
            tenant=TenantRef(name=tenant.name if tenant else None, slug=signup.slug, url=url),
            steps=progress.steps(tenant, reached=reached),
            detail=detail,
            created_at=signup.created_at,
            waiting=waiting,
            login_url=self._login_url(signup, tenant, url) if tenant and may_log_in else UNSET,
        )

    def has_tenant(self, signup: Signup) -> bool:
        return self._own_tenant(signup) is not None

    def _failure(self, signup: Signup, order: JobStatus | None) -> str | None:
        """Why there will be no workspace, in words; None while there may be one."""
        if signup.failure or order is None:
            return signup.failure
        if order.state == DONE and not self._is_gone(order):
            return None
        return progress.MISSING.get(order.state)

    def _is_gone(self, made: JobStatus) -> bool:
        """What has just been made is not seen at once, whenever it was ordered."""
        since = made.finished_at or made.due_at
        return self._directory.synced and self._clock() - since > GONE_AFTER

    def _own_tenant(self, signup: Signup) -> Tenant | None:
        """The Tenant that this signup made or claimed, whatever its name; not one that got its slug later."""
        return self._directory.by_secret(policies.secret_name(signup.id))

    def look(self, signup: Signup) -> asyncio.Task[None] | None:
        """Have a ready workspace looked for at its address; None when there is nothing to wait for."""
        tenant = self._own_tenant(signup)
        if tenant is None or tenant.spec.suspended is not None or not is_ready(tenant):
            return None
        key = secret_key(policies.secret_name(signup.id))
        return self._arrivals.look(tenant, then=lambda: self._directory.notify([key]))

    def _login_url(self, signup: Signup, tenant: Tenant, url: str) -> str | msgspec.UnsetType:
        now = self._clock()
        if not policies.may_log_in(signup.created_at, now):
            return UNSET
        return self._tickets.login_url(
            url, tenant_id=tenant.id, email=signup.email, ticket_id=policies.ticket_id(signup.id), now=now
        )


def _waiting(signup: Signup, order: JobStatus | None) -> Waiting | msgspec.UnsetType:
    """Only while the order is still to be carried out."""
    if order is None or order.is_over:
        return UNSET
    return Waiting(since=signup.created_at, next_attempt_at=order.due_at, until=order.gives_up_at or UNSET)
