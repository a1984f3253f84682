"""The job that tells a workspace that its owner has ended the access for support."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from vivero_core.errors import ViveroError
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.domain.signups.access import LoginTickets
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload

END: Final = "support.end"
PURPOSE: Final = "support-end"

Tell = Callable[[str, str, str], Awaitable[bool]]
"""DELETE at the workspace of a slug, at a path, with a bearer token: whether it has done so."""


class EndRequest(msgspec.Struct, frozen=True):
    """Payload: the Tenant, and what its owner has ended."""

    tenant: str
    grant: str


class WorkspaceAwayError(ViveroError):
    """The workspace did not answer; it is told again."""


class EndJob(JobKind):
    """A workspace that is closed is told when it is open again: its sessions of before live until their own end."""

    def __init__(self, tenants: TenantRepository, tell: Tell, tickets: LoginTickets, clock: Clock) -> None:
        self._tenants = tenants
        self._tell = tell
        self._tickets = tickets
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Once more changes nothing; a Tenant that is gone has nobody in it."""
        asked = msgspec.convert(payload, EndRequest)
        tenant = await self._tenants.find(asked.tenant)
        if not isinstance(tenant, Tenant) or tenant.spec.slug is None:
            return
        token = self._tickets.question(tenant.id, PURPOSE, self._clock())
        if not await self._tell(tenant.spec.slug, f"/internal/v1/support-grants/{asked.grant}", token):
            raise WorkspaceAwayError("The workspace does not answer.")

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("End of the access for support", str(payload.get("tenant", "")))
