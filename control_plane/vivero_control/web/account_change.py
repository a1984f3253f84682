"""The pages on which the owner of a workspace changes a plan that is bought, or cancels it."""

from collections.abc import Awaitable
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import WebError

from vivero_control.domain.accounts.usage import WorkspaceUsage
from vivero_control.domain.billing.change_rules import Moment
from vivero_control.domain.billing.changes import COMMENT_MAX, PlanChanges
from vivero_control.domain.billing.provider import CANCEL_REASONS
from vivero_control.domain.billing.schemas import SubscriptionStatus
from vivero_control.web import account_lines, billing_lines
from vivero_control.web.account_plan import PLAN, SHOWN, PlanPage, chosen_interval
from vivero_control.web.account_shell import REFUSALS, Portal
from vivero_control.web.shown_values import moment, number
from vivero_control.web.site import ACCOUNT, known


class ChangeForm(Struct, kw_only=True):
    """What was looked at, and is agreed to."""

    plan: str = ""
    interval: str = ""
    at: str = ""
    cents: str = ""


class CancelForm(Struct, kw_only=True):
    """The form's fields as typed."""

    reason: str = ""
    comment: str = ""


class PlanChangeController(Controller):
    """Each form leads back to the page of the plan, which says what was done."""

    path = ACCOUNT
    include_in_schema = False
    dependencies = SHOWN

    @get("/change")
    async def change_page(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_changes: NamedDependency[PlanChanges],
        workspace_usage: NamedDependency[WorkspaceUsage],
    ) -> Template:
        """What a change costs, and what it means."""
        plan, typed = request.query_params.get("plan", ""), request.query_params.get("interval", "")
        try:
            found = await plan_changes.preview(portal.visit.tenant, plan, chosen_interval(typed))
        except REFUSALS as error:
            return await shown.render(error=error)
        plans = {one.name: one for one in known(portal.billing.offers)}
        tenant = portal.visit.tenant
        return portal.page(
            "account_change",
            "/plan",
            change=billing_lines.preview(found, plans.get(tenant.spec.plan), plans[plan]),
            plan=plan,
            too_much=account_lines.too_much(await workspace_usage.read(tenant), plans[plan].limits),
        )

    @post("/change", status_code=HTTP_303_SEE_OTHER)
    async def change(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        form = await read_form_as(request, ChangeForm)
        try:
            made = await plan_changes.change(
                portal.visit.tenant,
                form.plan,
                chosen_interval(form.interval),
                at=moment(form.at, "at"),
                cents=number(form.cents, "cents"),
                by=portal.visit.actor,
            )
        except REFUSALS as error:
            return await shown.render(error=error)
        return back_to_plan("changed" if made is Moment.NOW else "planned")

    @post("/keep", status_code=HTTP_303_SEE_OTHER)
    async def keep(
        self,
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        return await ordered(shown, plan_changes.keep(portal.visit.tenant, portal.visit.actor), "kept")

    @get("/cancel")
    async def cancel_page(self, portal: NamedDependency[Portal]) -> Template:
        return await _cancel_page(portal, CancelForm())

    @post("/cancel", status_code=HTTP_303_SEE_OTHER)
    async def cancel(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        form = await read_form_as(request, CancelForm)
        try:
            await plan_changes.cancel(portal.visit.tenant, form.reason, form.comment.strip(), portal.visit.actor)
        except REFUSALS as error:
            return await _cancel_page(portal, form, error)
        return back_to_plan("canceled")

    @post("/resume", status_code=HTTP_303_SEE_OTHER)
    async def resume(
        self,
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        return await ordered(shown, plan_changes.resume(portal.visit.tenant, portal.visit.actor), "resumed")


async def _cancel_page(portal: Portal, form: CancelForm, error: WebError | None = None) -> Template:
    view = await portal.billing.of_tenant(portal.visit.tenant.metadata.uid)
    return portal.page(
        "account_cancel",
        "/plan",
        error,
        ends_at=view.subscription.period_end if view.subscription else None,
        is_paused=view.subscription is not None and view.subscription.status is SubscriptionStatus.PAUSED,
        reasons=CANCEL_REASONS,
        form=form,
        comment_max=COMMENT_MAX,
    )


async def ordered(shown: PlanPage, order: Awaitable[None], done: str) -> Redirect | Template:
    """The page of the plan, which says what was done, or why it was not."""
    try:
        await order
    except REFUSALS as error:
        return await shown.render(error=error)
    return back_to_plan(done)


def back_to_plan(what: str) -> Redirect:
    """To the page of the plan, which says so."""
    return Redirect(f"{PLAN}?done={what}", status_code=HTTP_303_SEE_OTHER)
