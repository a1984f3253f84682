"""What the control plane has about a person, by the mailbox that they have shown to be theirs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.accounts.service import ManagedWorkspaces, owns
from vivero_control.domain.audit.search import AuditQuery, AuditSearch
from vivero_control.domain.audit.service import AuditEntry
from vivero_control.domain.billing.service import BillingService, BillingView
from vivero_control.domain.signups.repository import SignupRepository

ACTS_MAX: Final = 10_000
"""Entries of the audit log in one answer, the newest."""


class SignedUp(Struct, frozen=True, kw_only=True):
    """A signup with the address."""

    company: str
    slug: str
    plan: str
    email: Annotated[str, Meta(description="As it was typed.")]
    created_at: datetime
    confirmed_at: datetime | None
    lead: Annotated[dict[str, str] | None, Meta(description="Where the person came from, as the browser told.")]


class Owned(Struct, frozen=True, kw_only=True):
    """A workspace whose owner has the address."""

    name: str
    slug: str
    plan: str
    billing: BillingView


class Manages(Struct, frozen=True, kw_only=True):
    """A workspace that the person manages for its owner."""

    tenant_id: str
    named_by: str
    named_at: datetime


class PersonalData(Struct, frozen=True, kw_only=True):
    """All of it. What is in the workspaces themselves is taken out there."""

    email: str
    as_of: datetime
    signups: tuple[SignedUp, ...]
    owns: tuple[Owned, ...]
    manages: tuple[Manages, ...]
    acts: Annotated[tuple[AuditEntry, ...], Meta(description="What was done in the person's name, the newest first.")]


class PersonalDataService:
    """Read when it is asked for, and kept nowhere."""

    def __init__(
        self,
        *,
        database: Database,
        managed: ManagedWorkspaces,
        billing: BillingService,
        audit_search: AuditSearch,
        clock: Clock,
    ) -> None:
        self._database = database
        self._managed = managed
        self._billing = billing
        self._audit_search = audit_search
        self._clock = clock

    async def of(self, email: str) -> PersonalData:
        """By the address in lower case; it is the caller who knows that it is the person's.

        Raises:
            UnavailableError: the list of tenants is not complete yet.
        """
        workspaces = await self._managed.of(email)
        async with self._database.transaction() as session:
            signups = await SignupRepository(session).of(email)
            managed = await ManagerRepository(session).named(email)
        acts = await self._audit_search.page(AuditQuery(actor=email), "", ACTS_MAX)
        return PersonalData(
            email=email,
            as_of=self._clock(),
            signups=_signups(signups),
            owns=tuple([await self._owned(one) for one in workspaces if owns(email, one)]),
            manages=tuple(
                Manages(tenant_id=one.tenant_id, named_by=one.named_by, named_at=one.named_at) for one in managed
            ),
            acts=acts.items,
        )

    async def _owned(self, tenant: Tenant) -> Owned:
        return Owned(
            name=tenant.spec.display_name,
            slug=tenant.spec.slug or "",
            plan=tenant.spec.plan,
            billing=await self._billing.of_tenant(tenant.metadata.uid),
        )


def _signups(rows: Sequence[Signup]) -> tuple[SignedUp, ...]:
    return tuple(
        SignedUp(
            company=row.company,
            slug=row.slug,
            plan=row.plan,
            email=row.email,
            created_at=row.created_at,
            confirmed_at=row.confirmed_at,
            lead=row.lead,
        )
        for row in rows
    )
