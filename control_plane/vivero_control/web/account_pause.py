"""The pages on which the owner of a workspace pauses its plan, and ends the pause."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError

from vivero_control.domain.billing.pause_rules import check_pausable
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.schemas import MOST_MONTHS
from vivero_control.web import billing_lines
from vivero_control.web.account_change import ordered
from vivero_control.web.account_plan import SHOWN, PlanPage
from vivero_control.web.account_shell import REFUSALS, Portal
from vivero_control.web.shown_values import moment, number
from vivero_control.web.site import ACCOUNT


class PauseForm(Struct, kw_only=True):
    """What was chosen, and when the pause begins, as it was shown."""

    months: str = ""
    starts: str = ""


class RestartForm(Struct, kw_only=True):
    """What was looked at, and is agreed to."""

    at: str = ""
    cents: str = ""


class PauseController(Controller):
    """Each form leads back to the page of the plan, which says what was done."""

    path = ACCOUNT
    include_in_schema = False
    dependencies = SHOWN

    @get("/pause")
    async def pause_page(self, shown: NamedDependency[PlanPage], portal: NamedDependency[Portal]) -> Template:
        """From when to when it can be paused, and what that means."""
        view = await portal.billing.of_tenant(portal.visit.tenant.metadata.uid)
        try:
            current = check_pausable(view.subscription, view.invoices)
        except REFUSALS as error:
            return await shown.render(error=error)
        return portal.page("account_pause", "/plan", choice=billing_lines.pauses(current))

    @post("/pause", status_code=HTTP_303_SEE_OTHER)
    async def pause(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_pauses: NamedDependency[PlanPauses],
    ) -> Redirect | Template:
        form, visit = await read_form_as(request, PauseForm), portal.visit

        async def pause() -> None:
            months, starts = _months(form.months), moment(form.starts, "starts")
            await plan_pauses.pause(visit.tenant, months, starts_at=starts, by=visit.actor)

        return await ordered(shown, pause(), "paused")

    @post("/pause/take-back", status_code=HTTP_303_SEE_OTHER)
    async def take_back(
        self,
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_pauses: NamedDependency[PlanPauses],
    ) -> Redirect | Template:
        return await ordered(shown, plan_pauses.take_back(portal.visit.tenant, portal.visit.actor), "unpaused")

    @get("/restart")
    async def restart_page(
        self,
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_pauses: NamedDependency[PlanPauses],
    ) -> Template:
        """What it costs to end the pause now."""
        try:
            found = await plan_pauses.preview_restart(portal.visit.tenant)
        except REFUSALS as error:
            return await shown.render(error=error)
        return portal.page("account_restart", "/plan", restart=billing_lines.restart(found))

    @post("/restart", status_code=HTTP_303_SEE_OTHER)
    async def restart(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_pauses: NamedDependency[PlanPauses],
    ) -> Redirect | Template:
        form, visit = await read_form_as(request, RestartForm), portal.visit

        async def restart() -> None:
            at, cents = moment(form.at, "at"), number(form.cents, "cents")
            await plan_pauses.restart(visit.tenant, at=at, cents=cents, by=visit.actor)

        return await ordered(shown, restart(), "restarted")


def _months(typed: str) -> int:
    """Raises InvalidInputError naming `months`."""
    if typed not in {str(months) for months in range(1, MOST_MONTHS + 1)}:
        raise InvalidInputError.of("months", f"Choose 1 to {MOST_MONTHS} months.")
    return int(typed)
