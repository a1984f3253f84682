"""`/api/v1/audit`."""

from datetime import datetime
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from vivero_data.domain.audit.schemas import AuditEntry, AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import DEFAULT_LIMIT, MAX_LIMIT, Page


class AuditController(Controller):
    """The log of changes, for admins and owners."""

    path = "/audit"
    tags = ("Audit",)

    @get()
    async def list_audit(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        actor: NamedDependency[Actor],
        audit: NamedDependency[AuditService],
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
        who: Annotated[str, QueryParameter(name="actor", description="e-mail of who did it")] = "",
        action: FromQuery[str] = "",
        subject: FromQuery[str] = "",
        since: FromQuery[datetime | None] = None,
        until: FromQuery[datetime | None] = None,
    ) -> Page[AuditEntry]:
        """A page of changes, newest first."""
        return await audit.list(actor, AuditQuery(limit, cursor, who, action, subject, since, until))
