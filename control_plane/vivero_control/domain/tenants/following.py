"""A Tenant that follows what was sold for it: changed until it is as a decision wants it, and audited once."""

from collections.abc import Callable
from typing import Final

from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant

from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.tenants.errors import TenantChangedError, TenantUnreadableError
from vivero_control.domain.tenants.policies import Patch
from vivero_control.domain.tenants.repository import TenantRepository

ATTEMPTS: Final = 4
"""The operator updates status now and then: a write that lost against it is tried again on the new version."""


class TenantFollower:
    """Finds and changes the very Tenant that something was sold for."""

    def __init__(self, tenants: TenantRepository, audit: AuditService) -> None:
        self._tenants = tenants
        self._audit = audit

    async def find(self, name: str, uid: str) -> Tenant | None:
        """None when it is gone, or another one has its name. Raises TenantUnreadableError, ClusterUnavailableError."""
        found = await self._tenants.find(name)
        if isinstance(found, Unreadable):
            raise TenantUnreadableError(found.name, found.why)
        return found if found is not None and found.metadata.uid == uid else None

    async def follow(self, tenant: Tenant, decide: Callable[[Tenant], Patch], act: AuditAction) -> Patch:
        """What was changed at the Tenant; nothing is audited when nothing has to change.

        Raises:
            TenantChangedError: others wrote to it in each of the attempts.
            As `find`.
        """
        if not decide(tenant):
            return {}
        current: Tenant | None = tenant
        async with self._audit.recording(act):
            for _ in range(ATTEMPTS):
                changes = decide(current) if current else {}
                if current is None or not changes:
                    return {}
                try:
                    await self._tenants.patch(current, changes)
                except TenantChangedError:
                    current = await self.find(tenant.name, tenant.metadata.uid)
                else:
                    return changes
            raise TenantChangedError(tenant.name)
