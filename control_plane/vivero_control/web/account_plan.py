"""The pages on which the owner of a workspace changes a plan that is bought, or cancels it."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.tenant import Tenant
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError, WebError

from vivero_control.domain.billing.change_rules import Moment
from vivero_control.domain.billing.changes import COMMENT_MAX, PlanChanges
from vivero_control.domain.billing.provider import CANCEL_REASONS
from vivero_control.settings import Settings
from vivero_control.web import billing_lines
from vivero_control.web.account import SHOWN, AccountPage, chosen_interval
from vivero_control.web.site import ACCOUNT, form_page, known, site_page

_REFUSALS: Final = (InvalidInputError, ConflictError, UnavailableError)
_DIGITS: Final = 12
"""Of a second, and of an amount in cents."""


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
        shown: NamedDependency[AccountPage],
        tenant: NamedDependency[Tenant],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Template:
        """What a change costs, and what it means."""
        plan, typed = request.query_params.get("plan", ""), request.query_params.get("interval", "")
        try:
            found = await plan_changes.preview(tenant, plan, chosen_interval(typed))
        except _REFUSALS as error:
            return await shown.render(tenant, error=error)
        plans = {one.name: one for one in known(shown.billing.offers)}
        return site_page(
            "account_change",
            shown.settings,
            workspace=tenant.spec.display_name,
            change=billing_lines.preview(found, plans.get(tenant.spec.plan), plans[plan]),
            plan=plan,
        )

    @post("/change", status_code=HTTP_303_SEE_OTHER)
    async def change(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[AccountPage],
        tenant: NamedDependency[Tenant],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        form = await read_form_as(request, ChangeForm)
        try:
            made = await plan_changes.change(
                tenant,
                form.plan,
                chosen_interval(form.interval),
                at=datetime.fromtimestamp(_number(form.at, "at"), UTC),
                cents=_number(form.cents, "cents"),
            )
        except _REFUSALS as error:
            return await shown.render(tenant, error=error)
        return _done("changed" if made is Moment.NOW else "planned")

    @post("/keep", status_code=HTTP_303_SEE_OTHER)
    async def keep(
        self,
        shown: NamedDependency[AccountPage],
        tenant: NamedDependency[Tenant],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        try:
            await plan_changes.keep(tenant)
        except _REFUSALS as error:
            return await shown.render(tenant, error=error)
        return _done("kept")

    @get("/cancel")
    async def cancel_page(self, shown: NamedDependency[AccountPage], tenant: NamedDependency[Tenant]) -> Template:
        return await _cancel_page(shown, tenant, CancelForm())

    @post("/cancel", status_code=HTTP_303_SEE_OTHER)
    async def cancel(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[AccountPage],
        tenant: NamedDependency[Tenant],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        form = await read_form_as(request, CancelForm)
        try:
            await plan_changes.cancel(tenant, form.reason, form.comment.strip())
        except _REFUSALS as error:
            return await _cancel_page(shown, tenant, form, error)
        return _done("canceled")

    @post("/resume", status_code=HTTP_303_SEE_OTHER)
    async def resume(
        self,
        shown: NamedDependency[AccountPage],
        tenant: NamedDependency[Tenant],
        plan_changes: NamedDependency[PlanChanges],
    ) -> Redirect | Template:
        try:
            await plan_changes.resume(tenant)
        except _REFUSALS as error:
            return await shown.render(tenant, error=error)
        return _done("resumed")


async def _cancel_page(shown: AccountPage, tenant: Tenant, form: CancelForm, error: WebError | None = None) -> Template:
    settings: Settings = shown.settings
    view = await shown.billing.of_tenant(tenant.metadata.uid)
    return form_page(
        "account_cancel",
        settings,
        error,
        workspace=tenant.spec.display_name,
        ends_at=view.subscription.period_end if view.subscription else None,
        reasons=CANCEL_REASONS,
        form=form,
        comment_max=COMMENT_MAX,
    )


def _done(what: str) -> Redirect:
    return Redirect(f"{ACCOUNT}?done={what}", status_code=HTTP_303_SEE_OTHER)


def _number(typed: str, name: str) -> int:
    """A whole number that a form of ours has brought along. Raises InvalidInputError."""
    digits = typed.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS:
        raise InvalidInputError.of(name, "Look at the change once more: a part of the form is missing.")
    return int(typed)
