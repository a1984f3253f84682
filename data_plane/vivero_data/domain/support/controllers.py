"""`/internal/v1/support-grants`: for the control plane alone; not in the public OpenAPI document."""

from typing import Annotated

from litestar import Controller, delete
from litestar.di import NamedDependency
from litestar.params import PathParameter

from vivero_data.domain.support.service import SupportService
from vivero_data.domain.tickets.guards import asked_to_end_support

GrantId = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="What the owner has granted.")]


class SupportGrantController(Controller):
    """Where the control plane tells that an owner has ended the access."""

    path = "/support-grants"
    guards = (asked_to_end_support,)
    include_in_schema = False

    @delete("/{grant_id:str}")
    async def end_grant(self, support: NamedDependency[SupportService], grant_id: GrantId) -> None:
        """Its sessions end at once; idempotent."""
        await support.end_grant(grant_id)
