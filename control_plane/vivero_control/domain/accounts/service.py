"""Who may manage which workspace from outside it, and as what (ADR 0067)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vivero_core.model.tenant import Tenant
from vivero_web.errors import NotAllowedError, NotSignedInError, UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.billing.errors import BillingOffError
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.domain.tenants.repository import TenantRepository

OWNER: Final = "owner"
"""The actor of the audit log for who came from the workspace, which names no person."""


class NoAccountSessionError(NotSignedInError):
    """The pages of an account want the link that is mailed to who manages the workspace."""


class Role(StrEnum):
    """As what somebody manages a workspace."""

    OWNER = "owner"
    MANAGER = "manager"
    """As an owner, but for who else may and what cannot be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at the pages of an account, and the workspace that is looked at.

    Attributes:
        email: the mailbox that the person has shown to be theirs, in lower case; empty for who came from the workspace.
    """

    tenant: Tenant
    role: Role
    email: str

    @property
    def actor(self) -> str:
        """As the audit log names the person."""
        return self.email or OWNER

    @property
    def holder(self) -> Holder:
        """Whose session it is."""
        return Holder(self.tenant.name, self.tenant.metadata.uid, self.email)

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    def require_owner(self) -> None:
        """Raises NotAllowedError."""
        if not self.is_owner:
            raise NotAllowedError("Only the owner of the workspace can do this.")


class ManagedWorkspaces:
    """Rights are looked at with each request: who has lost them is out at once."""

    def __init__(
        self, *, is_on: bool, database: Database, tenants: TenantRepository, directory: TenantDirectory
    ) -> None:
        """`is_on`: whether there are accounts here, which is so where plans are sold."""
        self.is_on = is_on
        self._database = database
        self._tenants = tenants
        self._directory = directory

    def check_on(self) -> None:
        """Raises BillingOffError where there are no accounts."""
        if not self.is_on:
            raise BillingOffError

    async def visit(self, holder: Holder | None) -> Visit:
        """The visit of a session; None is no session.

        Raises:
            BillingOffError: there are no accounts here.
            NoAccountSessionError: the session has ended, no workspace is chosen, or its person manages it no more.
            TenantNotFoundError: the workspace is gone, or about to be.
            ClusterUnavailableError: it is not known.
        """
        self.check_on()
        if holder is None or not holder.tenant:
            raise NoAccountSessionError
        found = await self._tenants.find(holder.tenant)
        if not isinstance(found, Tenant) or found.metadata.uid != holder.uid:
            raise TenantNotFoundError(holder.tenant)
        if found.metadata.deletion_timestamp is not None:
            raise TenantNotFoundError(holder.tenant)
        role = await self._role(holder.email, found)
        if role is None:
            raise NoAccountSessionError
        return Visit(tenant=found, role=role, email=holder.email.lower())

    async def of(self, email: str) -> list[Tenant]:
        """The workspaces that this person manages, by name; none for no address.

        Raises:
            UnavailableError: the list of tenants is not complete yet.
        """
        if not email:
            return []
        if not self._directory.synced:
            raise UnavailableError("Which workspaces there are is not known right now. Try again in a minute.")
        async with self._database.transaction() as session:
            rows = await ManagerRepository(session).named(email.lower())
        managed = [one for row in rows if (one := self._directory.by_id(row.tenant_id)) is not None]
        found = {one.name: one for one in [*self._directory.owned_by(email), *managed] if one.spec.slug is not None}
        there = [one for one in found.values() if one.metadata.deletion_timestamp is None]
        return sorted(there, key=lambda one: (one.spec.display_name.casefold(), one.name))

    async def choice(self, holder: Holder, name: str) -> Holder:
        """The session's person, at another of their workspaces; `name` is its Tenant's.

        Raises:
            TenantNotFoundError: they manage none of this name.
            UnavailableError: the list of tenants is not complete yet.
        """
        found = next((one for one in await self.of(holder.email) if one.name == name), None)
        if found is None:
            raise TenantNotFoundError(name)
        return Holder(found.name, found.metadata.uid, holder.email)

    async def _role(self, email: str, tenant: Tenant) -> Role | None:
        if owns(email, tenant):
            return Role.OWNER
        async with self._database.transaction() as session:
            row = await ManagerRepository(session).get_one_or_none(tenant_id=tenant.id, email=email.lower())
        return Role.MANAGER if row else None


def owns(email: str, tenant: Tenant) -> bool:
    """Whether this is its owner.

    Who came from the workspace itself has no address, and is an owner of it: it says so of no other.
    """
    owner = tenant.spec.owner
    return not email or (owner is not None and owner.email.lower() == email.lower())
