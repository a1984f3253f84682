"""The console's first page: how the platform stands, each figure with its rows behind it."""

from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.response import Template

from vivero_control.domain.overview.service import OverviewService, PlatformOverview
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.schemas import TenantState
from vivero_control.web.staff_shell import BILLING, DEAD_LETTERS, HOME, OVERVIEW, shell

Tile = tuple[str, int, str, str, bool]
"""Words, the figure, a note, where its rows are, and whether somebody has to act."""


class OverviewController(Controller):
    """Behind the staff login."""

    path = OVERVIEW
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="overview")
    async def page(self, member: NamedDependency[StaffView], overview: NamedDependency[OverviewService]) -> Template:
        found = await overview.now()
        context: dict[str, Any] = {"shell": shell(member, OVERVIEW), "now": found, "tiles": tiles(found)}
        return Template("pages/overview.html.j2", context=context)


def tiles(now: PlatformOverview) -> list[Tile]:
    states, customers = now.customers.states, now.customers
    return [
        ("In service", states.get(TenantState.READY, 0), f"of {sum(states.values()):,}", f"{HOME}?state=ready", False),
        ("New in seven days", customers.new, "", f"{HOME}?sort=-created_at", False),
        (
            "On trial",
            customers.trials,
            f"{customers.ending_in_all:,} ending within a week",
            f"{HOME}?sort=trial_ends_at",
            False,
        ),
        ("Suspended", states.get(TenantState.SUSPENDED, 0), "", f"{HOME}?state=suspended", False),
        (
            "Not in service for five minutes",
            customers.slow_in_all,
            "",
            f"{HOME}?state=starting&sort=created_at",
            customers.slow_in_all > 0,
        ),
        ("Dead letters", now.dead_letters, "jobs given up", DEAD_LETTERS, now.dead_letters > 0),
        (
            "Billing differences",
            now.billing_differences,
            "left to people in a week",
            BILLING,
            now.billing_differences > 0,
        ),
    ]
