"""The audit log over the API, for staff."""

from datetime import datetime
from typing import Annotated, Final

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from msgspec import Meta
from vivero_web.bodies import said

from vivero_control.domain.audit.search import ACTOR_MAX, SUBJECT_MAX, AuditPage, AuditQuery, AuditSearch

PAGE_MAX: Final = 200
Moment = Annotated[datetime, Meta(tz=True)]
_MOMENT: Final = {"format": "date-time"}
_WANTED: Final = "a time with its offset, such as 2026-11-30T08:00:00Z"


def audit_query(
    *,
    actor: Annotated[str, QueryParameter(max_length=ACTOR_MAX, description="Who it was, exactly.")] = "",
    action: Annotated[str, QueryParameter(max_length=40, description="What was done, such as `suspend`.")] = "",
    subject: Annotated[
        str, QueryParameter(max_length=SUBJECT_MAX, description="How that begins which it was done to: `tenant/`.")
    ] = "",
    since: Annotated[str, QueryParameter(description="From this moment on.", schema_extra=_MOMENT)] = "",
    until: Annotated[str, QueryParameter(description="Before this moment.", schema_extra=_MOMENT)] = "",
) -> AuditQuery:
    return AuditQuery(
        actor=actor,
        action=action,
        subject=subject,
        since=said("since", since, Moment, _WANTED),
        until=said("until", until, Moment, _WANTED),
    )


class AuditLogController(Controller):
    """What was done on the platform."""

    path = "/audit"
    tags = ("Audit log",)

    @get(
        summary="What was done, by whom, to what, the newest first",
        dependencies={"wanted": Provide(audit_query, sync_to_thread=False)},
    )
    async def list_audit_entries(
        self,
        audit_search: NamedDependency[AuditSearch],
        wanted: NamedDependency[AuditQuery],
        limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many a page has at most.")] = 50,
        cursor: Annotated[str, QueryParameter(max_length=40, description="The `next_cursor` of the page before.")] = "",
    ) -> AuditPage:
        return await audit_search.page(wanted, cursor, limit)
