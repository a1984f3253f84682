"""Who may manage which workspace from outside it, and as what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vivero_core.model.tenant import Tenant
from vivero_web.errors import NotSignedInError

from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.billing.errors import BillingOffError
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.domain.tenants.repository import TenantRepository

OWNER: Final = "owner"
"""The actor of the audit log for who came from the workspace, which names no person."""


class NoAccountSessionError(NotSignedInError):
    """The pages of an account want the link that is mailed to who manages the workspace."""


class Role(StrEnum):
    """As what somebody manages a workspace."""

    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at the pages of an account, and the workspace that is looked at.

    Attributes:
        email: the mailbox that the person has shown to be theirs; empty for who came from the workspace itself.
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


class ManagedWorkspaces:
    """Rights are looked at with each request: who has lost them is out at once."""

    def __init__(self, *, is_on: bool, tenants: TenantRepository) -> None:
        """`is_on`: whether there are accounts here, which is so where plans are sold."""
        self.is_on = is_on
        self._tenants = tenants

    def check_on(self) -> None:
        """Raises BillingOffError where there are no accounts."""
        if not self.is_on:
            raise BillingOffError

    async def visit(self, holder: Holder | None) -> Visit:
        """The visit of a session; None is no session.

        Raises:
            BillingOffError: there are no accounts here.
            NoAccountSessionError: the session has ended, or its person manages this workspace no more.
            TenantNotFoundError: the workspace is gone.
            ClusterUnavailableError: it is not known.
        """
        self.check_on()
        if holder is None:
            raise NoAccountSessionError
        found = await self._tenants.find(holder.tenant)
        if not isinstance(found, Tenant) or found.metadata.uid != holder.uid:
            raise TenantNotFoundError(holder.tenant)
        role = role_of(holder.email, found)
        if role is None:
            raise NoAccountSessionError
        return Visit(tenant=found, role=role, email=holder.email)


def role_of(email: str, tenant: Tenant) -> Role | None:
    """As what a person manages this workspace; None where not at all.

    Who came from the workspace itself has no address, and is an owner of it: it says so of no other.
    """
    owner = tenant.spec.owner
    if not email or (owner is not None and owner.email.lower() == email.lower()):
        return Role.OWNER
    return None
