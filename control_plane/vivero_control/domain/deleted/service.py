"""Deleted tenants whose data is still kept, as the operator's TenantErasures list them, and how staff bring one back."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from pydantic import ValidationError
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import of_model
from vivero_core.errors import BackendError
from vivero_core.model.reading import read
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.policies import closed_by_staff, tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository, unavailable
from vivero_control.domain.tenants.schemas import Reason


class DeletedTenant(Struct, frozen=True, kw_only=True):
    """A deleted tenant whose data is kept for a while."""

    id: Annotated[str, Meta(description="What its database and bucket are named by.")]
    name: Annotated[str, Meta(description="metadata.name that its Tenant had, and has again.")]
    display_name: Annotated[str, Meta(description="The company's name.")]
    slug: Annotated[str, Meta(description="First label of its address.")]
    plan: Annotated[str, Meta(description="Name of its plan.")]
    owner_email: Annotated[str, Meta(description="E-mail of the owner.")]
    deleted_at: Annotated[datetime | None, Meta(description="When its erasure was ordered.")]
    erased_at: Annotated[datetime, Meta(description="When its data will be erased, unless it is brought back before.")]


class Undelete(Struct, frozen=True, kw_only=True):
    """Bring a deleted tenant back, with its data, users and address."""

    reason: Reason


class DeletedNotFoundError(NotFoundError):
    """Nothing is kept under this id: it was never deleted, is back, or is erased."""

    def __init__(self) -> None:
        super().__init__("Nothing is kept of this tenant: it was never deleted, is back already, or was erased.")


class UndeleteRefusedError(ConflictError):
    """Somebody else has its name or address by now."""

    slug = "taken-meanwhile"
    title = "Taken meanwhile"


class DeletedTenants:
    """The list comes from the cluster at each request: few look, and seldom."""

    def __init__(
        self,
        client: KubeClient,
        repository: TenantRepository,
        directory: TenantDirectory,
        audit: AuditService,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._repository = repository
        self._directory = directory
        self._audit = audit
        self._clock = clock

    async def all(self) -> tuple[DeletedTenant, ...]:
        """Those whose time ends first come first. Raises ClusterUnavailableError."""
        return tuple(sorted((view(*one) for one in await self._kept()), key=lambda one: (one.erased_at, one.id)))

    async def owned_by(self, email: str) -> tuple[DeletedTenant, ...]:
        """Those whose owner has this address, but for what the people who run the platform had closed; none for no address.

        Raises ClusterUnavailableError.
        """
        kept = await self._kept() if email else []
        found = [
            view(erasure, tenant)
            for erasure, tenant in kept
            if (owner := tenant.spec.owner) is not None
            and owner.email.lower() == email.lower()
            and not closed_by_staff(tenant)
        ]
        return tuple(sorted(found, key=lambda one: (one.erased_at, one.id)))

    async def undelete(self, ident: str, action: Undelete, actor: str) -> DeletedTenant:
        """Make its Tenant again, which adopts the data.

        Raises:
            DeletedNotFoundError: nothing is kept.
            UndeleteRefusedError: its name or its address is somebody else's by now.
            ClusterUnavailableError: try again.
        """
        kept = next((one for one in await self._kept() if one[0].spec.id == ident), None)
        if kept is None:
            raise DeletedNotFoundError
        tenant = kept[1]
        self._check_free(tenant)
        subject, detail = tenant_subject(tenant.name), {"id": ident}
        audited = AuditAction(actor=actor, action="undelete", subject=subject, reason=action.reason, detail=detail)
        async with self._audit.recording(audited):
            made = await self._repository.create(tenant.name, tenant.spec, {})
            if not isinstance(made, Tenant) or made.id != ident:
                raise UndeleteRefusedError(f"There is another tenant “{tenant.name}” by now.")
            self._directory.record_write(made)
        return view(*kept)

    def _check_free(self, tenant: Tenant) -> None:
        slug = tenant.spec.slug
        if slug is not None and (holder := self._directory.by_slug(slug)) is not None and holder.id != tenant.id:
            raise UndeleteRefusedError(f"The address “{slug}” belongs to the tenant “{holder.name}” by now.")

    async def _kept(self) -> list[tuple[TenantErasure, Tenant]]:
        try:
            listing = await self._client.list(of_model(TenantErasure))
        except BackendError as error:
            raise unavailable(error) from error
        found = [one for body in listing.items if isinstance(one := read(TenantErasure, body), TenantErasure)]
        back = {one.id for one in self._directory.all()}
        going = {one.spec.id for one in found if one.status.begun_at is not None}
        return [
            (one, tenant)
            for one in found
            if one.spec.id not in back | going and (tenant := to_bring_back(one, self._clock())) is not None
        ]


def to_bring_back(erasure: TenantErasure, now: datetime) -> Tenant | None:
    """The Tenant that brings the data back; None where nothing does any more."""
    status, at = erasure.status, erasure.spec.at
    if status.undelete is None or at is None or at <= now:
        return None
    try:
        return Tenant.model_validate_json(status.undelete)
    except ValidationError:
        return None  # somebody wrote into the status: kubectl shows it


def view(erasure: TenantErasure, tenant: Tenant) -> DeletedTenant:
    owner, at = tenant.spec.owner, erasure.spec.at
    if at is None:
        raise ValueError("an erasure without a time keeps nothing")
    return DeletedTenant(
        id=erasure.spec.id,
        name=tenant.name,
        display_name=tenant.spec.display_name,
        slug=tenant.spec.slug or "",
        plan=tenant.spec.plan,
        owner_email=owner.email if owner is not None else "",
        deleted_at=erasure.metadata.creation_timestamp,
        erased_at=at,
    )
