"""The dashboard: collections, recent changes and usage of the plan."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency

from vivero_data.domain.audit.schemas import AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.usage.service import UsageService
from vivero_data.web.page import Visit, show
from vivero_data.web.render import Html

_RECENT: Final = 8  # as many as fit beside the collections without scrolling


@get("/")
async def home(
    visit: NamedDependency[Visit], usage: NamedDependency[UsageService], audit: NamedDependency[AuditService]
) -> Html:
    entries = (await audit.list(visit.actor, AuditQuery(limit=_RECENT))).items if visit.can.read_audit_log else []
    return show(visit, "home.html.j2", {"usage": await usage.get(visit.actor), "entries": entries})


@get("/usage")
async def usage_page(visit: NamedDependency[Visit], usage: NamedDependency[UsageService]) -> Html:
    return show(visit, "usage.html.j2", {"usage": await usage.get(visit.actor)})
