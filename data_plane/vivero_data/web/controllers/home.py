"""The home page: its dashboard's tiles, collections, recent changes and usage of the plan; first steps at first."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.security import page_policy

from vivero_data.domain.audit.schemas import AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.dashboards.schemas import Dashboard
from vivero_data.domain.dashboards.service import DashboardService
from vivero_data.domain.limits.plan_page import PlanPage
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.samples.service import SampleService, template
from vivero_data.domain.usage.service import Usage, UsageService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web.controllers.dashboards import board_of
from vivero_data.web.listing import collection_href
from vivero_data.web.page import Visit, require, show
from vivero_data.web.render import Html

_HIDDEN: Final = "__Host-first-steps"
_YEAR: Final = 365 * 86_400  # seconds
_RECENT: Final = 8  # as many as fit beside the collections without scrolling


class Step(msgspec.Struct, frozen=True):
    """One of the first steps in a workspace."""

    words: str
    href: str
    done: bool


@get("/")
async def home(  # noqa: PLR0913, PLR0917  what a home page is about
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    usage: NamedDependency[UsageService],
    audit: NamedDependency[AuditService],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    samples: NamedDependency[SampleService],
    limits: NamedDependency[LimitService],
) -> Html:
    entries = (await audit.list(visit.actor, AuditQuery(limit=_RECENT))).items if visit.can.read_audit_log else []
    found = await dashboards.home(visit.actor)
    used = await usage.get(visit.actor) if visit.can.read_usage else None
    wanted = visit.can.manage_workspace and _HIDDEN not in request.cookies
    steps = first_steps(visit, used, bool((await reports.list(visit.actor, 1)).items), found) if wanted and used else []
    context = {
        "usage": used,
        "entries": entries,
        "board": await board_of(visit.actor, reports, found) if found and found.tiles else None,
        "samples": [(one, template(one.template)) for one in await samples.list(visit.actor)]
        if visit.can.manage_workspace
        else [],
        "confirm_url": limits.current.confirm_url if visit.can.change_plan else None,
        "steps": steps if not all(step.done for step in steps) else [],
    }
    return show(visit, "home.html.j2", context)


def first_steps(visit: Visit, usage: Usage, reported: bool, home: Dashboard | None) -> list[Step]:  # noqa: FBT001  a fact
    """What makes a workspace one's own, each ticked off once it is there."""
    made = visit.collection_count > 0
    return [
        Step("Make a collection", "/new-collection", made),
        Step(
            "Add records to it",
            collection_href(visit.collections[0].name) if made else "/new-collection",
            usage.records.used > 0,
        ),
        Step("Invite a colleague", "/users/new", usage.users.used > 1),
        Step("Make a report", "/reports/new", reported),
        Step("Put a report on this page", "/reports", home is not None and bool(home.tiles)),
    ]


@post("/first-steps/hide")
async def hide_first_steps(visit: NamedDependency[Visit]) -> Response[Any]:
    require(visit, Permission.MANAGE_WORKSPACE, "hide the first steps")
    return Redirect(
        "/",
        status_code=HTTP_303_SEE_OTHER,
        cookies=[Cookie(_HIDDEN, value="1", max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax")],
    )


@get("/usage")
async def usage_page(
    visit: NamedDependency[Visit], usage: NamedDependency[UsageService], plan_page: NamedDependency[PlanPage]
) -> Html:
    context = {
        "usage": await usage.get(visit.actor),
        "groups": await usage.published(visit.actor),
        "sells": bool(plan_page.origin),
    }
    # Its form leads on to where plans are sold, by a redirect.
    return show(visit, "usage.html.j2", context, headers={"content-security-policy": page_policy(plan_page.origin)})


@post("/usage/plan")
async def open_plan(actor: NamedDependency[Actor], plan_page: NamedDependency[PlanPage]) -> Redirect:
    """To the pages about the plan, by a link that works once."""
    return Redirect(plan_page.link(actor), status_code=HTTP_303_SEE_OTHER, headers={"cache-control": "no-store"})
