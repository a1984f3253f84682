"""`/api/v1/audit`."""

from datetime import datetime
from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Schema
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_202_ACCEPTED
from vivero_core.model.naming import EMAIL_MAX_LENGTH
from vivero_web.bodies import said

from vivero_data.domain.audit.schemas import SUBJECT_MAX, AuditEntry, AuditQuery
from vivero_data.domain.audit.service import ACTION_PATTERN, AuditService
from vivero_data.domain.audit.verification import LastVerification
from vivero_data.domain.audit.verifying import VerifyAuditLog
from vivero_data.domain.auth.guards import needs
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

_MOMENT: Final = {
    "any_of": [
        Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
        Schema(type=OpenAPIType.STRING, max_length=0, description="As if it was not there."),
    ]
}


class AuditController(Controller):
    """The log of changes, for admins and owners."""

    path = "/audit"
    tags = ("Audit",)

    @get(guards=[needs(Permission.READ_AUDIT_LOG)])
    async def list_audit(  # noqa: PLR0913, PLR0917  one parameter for each of the query's
        self,
        actor: NamedDependency[Actor],
        audit: NamedDependency[AuditService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
        who: Annotated[
            str, QueryParameter(name="actor", max_length=EMAIL_MAX_LENGTH, description="E-mail of the actor.")
        ] = "",
        action: Annotated[
            str,
            QueryParameter(
                description="An action such as `record.update`, or only its noun.",
                schema_extra={"pattern": f"^{ACTION_PATTERN}$"},
            ),
        ] = "",
        subject: Annotated[str, QueryParameter(max_length=SUBJECT_MAX, description="Prefix of the subject.")] = "",
        since: Annotated[str, QueryParameter(description="From this time on.", schema_extra=_MOMENT)] = "",
        until: Annotated[str, QueryParameter(description="Before this time.", schema_extra=_MOMENT)] = "",
    ) -> Page[AuditEntry]:
        """A page of changes, newest first; the seals of the log are listed by `action=audit.seal` alone."""
        begin, end = _moment("since", since), _moment("until", until)
        return await audit.list(actor, AuditQuery(limit, cursor, who, action, subject, begin, end))

    @get("/verification", guards=[needs(Permission.READ_AUDIT_LOG)])
    async def get_verification(
        self, actor: NamedDependency[Actor], audit: NamedDependency[AuditService]
    ) -> LastVerification | None:
        """What the last verification of the log found; null before the first."""
        return await audit.last_verification(actor)

    @post("/verification", status_code=HTTP_202_ACCEPTED, guards=[needs(Permission.READ_AUDIT_LOG)])
    async def start_verification(self, actor: NamedDependency[Actor], jobs: NamedDependency[JobService]) -> Job:
        """Have the whole log compared with its chain of seals, by a job."""
        return await jobs.start(actor, Permission.READ_AUDIT_LOG, VerifyAuditLog())


def _moment(field: str, text: str) -> datetime | None:
    return said(field, text, datetime, "a date and time such as 2026-12-31T12:00:00Z")
