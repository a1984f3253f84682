"""The audit log: who changed what, when, from what to what."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from vivero_data.domain.audit.schemas import AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.audit.verifying import VerifyAuditLog
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.audit_labels import NOUNS
from vivero_data.web.listing import Address, address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

FILTERS: Final = ("actor", "action", "subject", "since", "until")


@get("/audit")
async def audit_log(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], audit: NamedDependency[AuditService]
) -> Html:
    require(visit, Permission.READ_AUDIT_LOG, "read the audit log")
    here = address("/audit", request.query_params.multi_items(), *FILTERS, "cursor", "back")
    page = await audit.list(visit.actor, audit_query(here))
    context = {
        "page": page,
        "here": here,
        "page_links": page_links(here, page.next_cursor),
        "nouns": NOUNS,
        "last": await audit.last_verification(visit.actor),
        "filtered": any(here.get(name) for name in FILTERS),
    }
    return show(visit, "audit.html.j2", context)


@post("/audit/verification")
async def verify_audit_log(visit: NamedDependency[Visit], jobs: NamedDependency[JobService]) -> Response[Any]:
    require(visit, Permission.READ_AUDIT_LOG, "verify the audit log")
    job = await jobs.start(visit.actor, Permission.READ_AUDIT_LOG, VerifyAuditLog())
    return done(f"/jobs/{job.id}")


def audit_query(here: Address) -> AuditQuery:
    """The query of a page's URL; days are UTC, `until` is inclusive. Invalid dates are ignored."""
    since, until = _midnight(here.get("since")), _midnight(here.get("until"))
    return AuditQuery(
        cursor=here.get("cursor") or None,
        actor=here.get("actor").strip(),
        action=here.get("action"),
        subject=here.get("subject").strip(),
        since=since,
        until=until + timedelta(days=1) if until and until.date() < date.max else None,
    )


def _midnight(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
