"""A tenant's timeline over the API, for staff."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.tenants.controllers import Name
from vivero_control.domain.timeline.policies import CURSOR_MAX
from vivero_control.domain.timeline.schemas import Kind, TimelinePage
from vivero_control.domain.timeline.service import TimelineService

PAGE_MAX = 200


class TimelineController(Controller):
    """All that happened to a tenant."""

    path = "/tenants/{name:str}/timeline"
    tags = ("Tenants",)

    @get(summary="What happened to a tenant, the newest first")
    @raises(InvalidInputError)
    async def list_tenant_timeline(
        self,
        timeline: NamedDependency[TimelineService],
        name: Name,
        kind: Annotated[
            str, QueryParameter(description="Entries of one kind; empty: of all.", schema_extra={"enum": ["", *Kind]})
        ] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many a page has at most.")] = 50,
        cursor: Annotated[
            str, QueryParameter(max_length=CURSOR_MAX, description="The `next_cursor` of the page before.")
        ] = "",
    ) -> TimelinePage:
        """Orders, mails with their state, jobs, webhooks, invoices, backups, conditions and how far the signup has come."""
        return await timeline.page(name, said("kind", kind, Kind, f"one of {', '.join(Kind)}"), cursor, limit)
