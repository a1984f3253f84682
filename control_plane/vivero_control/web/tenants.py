"""The staff's pages about tenants: the table, one tenant, and the actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError, WebError
from vivero_web.text import whole_number

from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.schemas import Column, Wanted
from vivero_control.domain.tenant_views.service import TenantViews
from vivero_control.domain.tenants.bulk import BulkAction
from vivero_control.domain.tenants.schemas import TenantDetail, TenantQuery, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web import billing_lines, contract_lines, operations, presentation, saved_views, tenant_forms
from vivero_control.web.site import known
from vivero_control.web.staff_shell import HOME, shell
from vivero_control.web.tenant_forms import ActionForm

PAGE_SIZE: Final = 50
ORDERS: Final = {
    BulkAction.SUSPEND: "Suspend",
    BulkAction.RESUME: "Resume",
    BulkAction.EXTEND: "Extend the trial",
}
LAST_PAGE: Final = 1_000_000
# What the page says after an action; the address carries the word, not the sentence.
DONE: Final = {
    "suspend": "The workspace is suspended. Visitors see a page that says why.",
    "resume": "The workspace is resumed and starts now.",
    "extend": "The trial is extended.",
    "confirm": "The owner's address counts as confirmed. Links that were mailed are not needed any more.",
    "undelete": "The workspace comes back, with its data as it was.",
    "plan": "The plan is changed. The new limits hold at once.",
    "pause-plan": "The pause is agreed on. The owner is told by mail.",
    "take-pause-back": "The pause is taken back. The owner is told by mail.",
}

_DIALOG_FIELDS: Final = ("reason", "kind", "message", "trial_ends_at", "plan", "months")


class TenantFilter(Struct, frozen=True, kw_only=True):
    """The table's state, as the address has it."""

    wanted: Wanted = Wanted()
    view: int | None = None
    """The saved view that was opened, whatever was changed since."""
    page: int = 1

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "TenantFilter":
        return cls(
            wanted=policies.read(params),
            view=whole_number(params.get("view", "")),
            page=min(whole_number(params.get("page", "")) or 1, LAST_PAGE),
        )

    def query(self) -> TenantQuery:
        wanted = self.wanted
        return TenantQuery(
            search=wanted.search,
            plan=wanted.plan or None,
            state=wanted.state,
            only=wanted.only,
            sort=wanted.sort,
            descending=wanted.descending,
            limit=PAGE_SIZE,
            offset=(self.page - 1) * PAGE_SIZE,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether not every customer is shown."""
        return any((self.wanted.search, self.wanted.plan, self.wanted.state, self.wanted.only))


class Dialog(Struct, frozen=True, kw_only=True):
    """Which dialog is open, what was typed into it, and what is wrong with it."""

    open: str = ""
    values: Mapping[str, str] = msgspec.field(default_factory=lambda: msgspec.to_builtins(ActionForm()))
    errors: Mapping[str, str] = msgspec.field(default_factory=lambda: dict.fromkeys(_DIALOG_FIELDS, ""))
    problem: str = ""


_DIALOG_NAMES: Final = {"trialEndsAt": "trial_ends_at", "suspended.message": "message", "suspended.reason": "kind"}
"""The cluster's names of what a dialog asks for, where they differ."""


def dialog_after(which: str, form: ActionForm, error: WebError) -> Dialog:
    """The dialog as it was, with what is wrong: at its field, or above all when it has none of that name."""
    found = {_DIALOG_NAMES.get(one.field, one.field): one.message for one in error.errors}
    errors = {field: found.pop(field, "") for field in _DIALOG_FIELDS}
    problem = " ".join(found.values()) if error.errors else error.detail
    return Dialog(open=which, values=msgspec.to_builtins(form), errors=errors, problem=problem)


@dataclass(frozen=True, slots=True)
class TenantPage:
    """The page of one tenant; Litestar makes it from the services it names."""

    tenants: NamedDependency[TenantService]
    plans: NamedDependency[PlanService]
    audit: NamedDependency[AuditService]
    billing: NamedDependency[BillingService]
    quotes: NamedDependency[QuoteService]
    contracts: NamedDependency[ContractService]
    signups: NamedDependency[SignupService]
    plan_pauses: NamedDependency[PlanPauses]
    clock: NamedDependency[Clock]
    member: NamedDependency[StaffView]

    async def render(self, name: str, dialog: Dialog, *, done: str = "", status: int = 200) -> Template:
        detail = await self.tenants.get(name)
        listed = known(self.plans.all)
        bought = await self.billing.of_tenant(detail.uid)
        context: dict[str, Any] = {
            "shell": shell(self.member),
            "detail": detail,
            "line": presentation.tenant_line(detail.tenant, listed, self.clock()),
            "proofs": operations.PROOFS,
            "came": await self.signups.lead_of(detail.tenant.slug),
            "sells": self.billing.is_on or bought.customer is not None,
            "bought": bought,
            "subscription": billing_lines.plan(bought, listed),
            "pause": billing_lines.pause_choice(bought),
            "invoices": [billing_lines.invoice(one) for one in bought.invoices],
            "contracts": await self.contracts.of_tenant(detail.uid),
            "contract_states": contract_lines.CONTRACT_STATES,
            "may_sell": self.quotes.is_on and self.member.role == "admin",
            "conditions": presentation.timeline(detail.conditions),
            "history": presentation.history(await self.audit.history(*self.tenants.subjects(name))),
            "form": dialog,
            "done": DONE.get(done, ""),
            "watch": _moves(detail, done),
            "reasons": [(str(reason), said) for reason, said in presentation.REASONS.items()],
            "plan_options": [(plan.name, plan.display_name) for plan in listed],
        }
        return Template("pages/tenant.html.j2", context=context, status_code=status)


def _moves(detail: TenantDetail, done: str) -> bool:
    """Whether the operator is about to update the status: then the page refreshes itself."""
    return bool(done) or detail.tenant.state in {TenantState.STARTING, TenantState.DELETING}


async def _act(shown: TenantPage, name: str, which: str, form: ActionForm) -> None:
    tenants, actor = shown.tenants, shown.member.email
    match which:
        case "pause-plan":
            order = tenant_forms.pause_plan(form)
            tenant = await tenants.fresh(name)
            await shown.plan_pauses.pause(
                tenant, order.months, starts_at=order.starts_at, by=actor, reason=order.reason
            )
        case "take-pause-back":
            reason = tenant_forms.take_pause_back(form).reason
            await shown.plan_pauses.take_back(await tenants.fresh(name), actor, reason)
        case "suspend":
            await tenants.suspend(name, tenant_forms.suspend(form), actor)
        case "resume":
            await tenants.resume(name, tenant_forms.resume(form), actor)
        case "extend":
            await tenants.extend_trial(name, tenant_forms.extend_trial(form), actor)
        case "confirm":
            await tenants.confirm_owner(name, tenant_forms.confirm_owner(form), actor)
        case "plan":
            await tenants.change_plan(name, tenant_forms.change_plan(form), actor)
        case _:
            raise NotFoundError("There is no such action.")


class TenantsController(Controller):
    """Behind the staff login."""

    path = HOME
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="tenants")
    async def table(  # noqa: PLR0913, PLR0917  what the page shows
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        tenant_views: NamedDependency[TenantViews],
        plans: NamedDependency[PlanService],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Without a query it is what the member chose to see first."""
        views = (await tenant_views.all(member)).items
        first = next((one for one in views if one.is_default), None)
        if first is not None and not request.url.query:
            return Redirect(saved_views.address(first), status_code=HTTP_303_SEE_OTHER)
        asked = TenantFilter.read(request.query_params)
        page, listed, now = tenants.search(asked.query()), known(plans.all), clock()
        address, opened = str(request.url), next((one for one in views if one.id == asked.view), None)
        shown = asked.wanted.columns or tuple(Column)
        context: dict[str, Any] = {
            "shell": shell(member),
            "asked": asked,
            "sort": policies.sort_word(asked.wanted),
            "url": address,
            "tabs": saved_views.tabs(views, opened),
            "opened": opened,
            "save_href": saved_views.form_address("new", asked.wanted),
            "change_href": saved_views.change_address(opened, asked.wanted),
            "said": policies.written(asked.wanted),
            "shown": shown,
            "heads": [saved_views.HEADS[one] for one in shown],
            "plans": listed,
            "states": saved_views.STATES,
            "only": saved_views.ONLY,
            "bulk_actions": [(one.value, words) for one, words in ORDERS.items()],
            "matching_count": page.total,
            "lines": [presentation.tenant_line(row, listed, now) for row in page.items],
            **presentation.pager(page, asked.page, address),
        }
        return Template("pages/tenants.html.j2", context=context)

    @get("/{name:str}", name="tenant", dependencies={"shown": Provide(TenantPage, sync_to_thread=False)})
    async def tenant(
        self, request: Request[Any, Any, Any], name: FromPath[str], shown: NamedDependency[TenantPage]
    ) -> Template:
        params = request.query_params
        return await shown.render(name, Dialog(open=params.get("do", "")), done=params.get("done", ""))

    @post(
        "/{name:str}/{which:str}",
        status_code=HTTP_303_SEE_OTHER,
        dependencies={"shown": Provide(TenantPage, sync_to_thread=False)},
    )
    async def act(
        self,
        request: Request[Any, Any, Any],
        name: FromPath[str],
        which: FromPath[str],
        shown: NamedDependency[TenantPage],
    ) -> Response[Any]:
        form = await read_form_as(request, ActionForm)
        try:
            await _act(shown, name, which, form)
        except (InvalidInputError, ConflictError, UnavailableError) as error:
            return await shown.render(name, dialog_after(which, form, error), status=error.status)
        return Redirect(f"{HOME}/{quote(name)}?done={which}", status_code=HTTP_303_SEE_OTHER)
