"""Deleting a workspace and bringing it back, for its owner: what staff do with it, within bounds (ADR 0068)."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_control.db.database import Database
from vivero_control.domain.accounts.backups import ASKED_FOR
from vivero_control.domain.accounts.service import Visit
from vivero_control.domain.billing.policies import goes_on
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.deleted.service import DeletedNotFoundError, DeletedTenant, DeletedTenants, Undelete
from vivero_control.domain.notifications import mails
from vivero_control.domain.plans.service import PlanNotFoundError, PlanService
from vivero_control.domain.tenants.policies import closed_by_staff, tenant_subject
from vivero_control.domain.tenants.schemas import Delete
from vivero_control.domain.tenants.service import TenantService

PAID: Final = "A plan is paid for this workspace. Cancel it, and delete the workspace when it has ended."
CLOSED: Final = "The people who run Vivero have closed this workspace. Ask them to delete it."
NOT_KEPT: Final = "Nothing of a workspace on this plan is kept once it is deleted. Ask the people who run Vivero."


class WorkspaceDeletion:
    """Who deletes a workspace has typed its address; its owner is told by mail until when it can be brought back."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        tenants: TenantService,
        deleted: DeletedTenants,
        billing: BillingService,
        plans: PlanService,
        database: Database,
        tenant_url: Callable[[str], str],
        account_url: str,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._tenants = tenants
        self._deleted = deleted
        self._billing = billing
        self._plans = plans
        self._database = database
        self._tenant_url = tenant_url
        self._account_url = account_url
        self._wake_worker = wake_worker
        self._clock = clock

    def undo_days(self, tenant: Tenant) -> int:
        """How many days it can be brought back; 0 where that is not known. Raises UnavailableError."""
        try:
            return self._plans.find(tenant.spec.plan).undo_days
        except PlanNotFoundError:
            return 0

    async def hindrance(self, tenant: Tenant) -> str:
        """What comes before it can be deleted, in a sentence; empty if nothing does. Raises UnavailableError."""
        if closed_by_staff(tenant):
            return CLOSED
        if not self.undo_days(tenant):
            return NOT_KEPT
        found = (await self._billing.of_tenant(tenant.metadata.uid)).subscription
        return PAID if found is not None and goes_on(found.status) else ""

    async def delete(self, visit: Visit, typed: str) -> None:
        """Delete the workspace; `typed` is the first word of its address, as a confirmation.

        Raises:
            NotAllowedError: who asks is not the owner.
            InvalidInputError: naming `confirm`.
            ConflictError: something comes first, or it takes no orders.
            UnavailableError: the cluster or the payment provider does not answer.
        """
        visit.require_owner()
        tenant, slug = visit.tenant, visit.tenant.spec.slug or ""
        check_confirmed(typed, slug)
        await self._billing.refresh(tenant.metadata.uid)
        if sentence := await self.hindrance(tenant):
            raise ConflictError(sentence)
        days = self.undo_days(tenant)
        await self._tenants.delete(tenant.name, Delete(reason=ASKED_FOR), visit.actor)
        if (owner := tenant.spec.owner) is not None:
            await self._tell(owner.email, tenant.name, slug, days)

    async def deleted(self, email: str) -> tuple[DeletedTenant, ...]:
        """What this person can bring back. Raises ClusterUnavailableError."""
        return await self._deleted.owned_by(email)

    async def bring_back(self, email: str, ident: str) -> DeletedTenant:
        """Bring a deleted workspace of this person back, with its data, users and address.

        Raises:
            DeletedNotFoundError: none of theirs is kept under this id.
            UndeleteRefusedError: its name or its address is another's by now.
            ClusterUnavailableError: try again.
        """
        if ident not in {one.id for one in await self.deleted(email)}:
            raise DeletedNotFoundError
        back = await self._deleted.undelete(ident, Undelete(reason=ASKED_FOR), email)
        await self._tell(back.owner_email, back.name, back.slug, None)
        return back

    async def _tell(self, to: str, name: str, slug: str, days: int | None) -> None:
        """That it is deleted, and for how many days it can be brought back; without a number, that it is back."""
        mail = mails.workspace_deleted(
            uuid4().hex, to=to, url=self._tenant_url(slug), days=days, account_url=self._account_url
        )
        async with self._database.transaction() as session:
            await mails.enqueue(session, mail, self._clock(), tenant_subject(name))
        self._wake_worker()


def check_confirmed(typed: str, slug: str) -> None:
    """Raises InvalidInputError naming `confirm`."""
    if typed.strip().lower() != slug:
        raise InvalidInputError.of("confirm", f"Type {slug}, the first word of its address.")
