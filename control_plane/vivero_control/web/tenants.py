"""The staff's pages about tenants: the table, one tenant, and the actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args
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
from vivero_web.errors import ConflictError, InvalidInputError, NotFoundError, WebError
from vivero_web.text import whole_number

from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.bulk import BulkAction
from vivero_control.domain.tenants.schemas import Only, SortKey, TenantDetail, TenantQuery, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web import billing_lines, contract_lines, operations, presentation, tenant_forms
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
_SORT_KEYS: Final = frozenset(get_args(SortKey))
# What the page says after an action; the address carries the word, not the sentence.
DONE: Final = {
    "suspend": "The workspace is suspended. Visitors see a page that says why.",
    "resume": "The workspace is resumed and starts now.",
    "extend": "The trial is extended.",
    "confirm": "The owner's address counts as confirmed. Links that were mailed are not needed any more.",
    "undelete": "The workspace comes back, with its data as it was.",
    "plan": "The plan is changed. The new limits hold at once.",
}

_DIALOG_FIELDS: Final = ("reason", "kind", "message", "trial_ends_at", "plan")


class TenantFilter(Struct, frozen=True, kw_only=True):
    """The table's state, as the address has it. Anything unknown in it is ignored, not refused: addresses are shared."""

    q: str = ""
    state: str = ""
    plan: str = ""
    only: str = ""
    sort: str = "-created_at"
    page: int = 1

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "TenantFilter":
        sort, state, only = (params.get(name, "") for name in ("sort", "state", "only"))
        return cls(
            q=params.get("q", "")[:200],
            state=state if state in set(TenantState) else "",
            plan=params.get("plan", ""),
            only=only if only in set(Only) else "",
            sort=sort if sort.removeprefix("-") in _SORT_KEYS else cls().sort,
            page=min(whole_number(params.get("page", "")) or 1, LAST_PAGE),
        )

    def query(self) -> TenantQuery:
        return TenantQuery(
            search=self.q,
            plan=self.plan or None,
            state=TenantState(self.state) if self.state else None,
            only=Only(self.only) if self.only else None,
            sort=cast("SortKey", self.sort.removeprefix("-")),  # `read` compared it with the literals
            descending=self.sort.startswith("-"),
            limit=PAGE_SIZE,
            offset=(self.page - 1) * PAGE_SIZE,
        )


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


async def _act(tenants: TenantService, name: str, which: str, form: ActionForm, actor: str) -> None:
    match which:
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

    @get("/", name="tenants", sync_to_thread=False)
    def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        plans: NamedDependency[PlanService],
        clock: NamedDependency[Clock],
    ) -> Template:
        wanted = TenantFilter.read(request.query_params)
        page, listed, now = tenants.search(wanted.query()), known(plans.all), clock()
        address = str(request.url)
        context: dict[str, Any] = {
            "shell": shell(member),
            "query": wanted,
            "url": address,
            "plans": listed,
            "states": [(state.value, presentation.STATES[state].words) for state in TenantState],
            "only": [(Only.TRIAL_ENDING.value, "Trial ends soon"), (Only.UNCONFIRMED.value, "Owner not confirmed")],
            "bulk_actions": [(one.value, words) for one, words in ORDERS.items()],
            "lines": [presentation.tenant_line(row, listed, now) for row in page.items],
            **presentation.pager(page, wanted.page, address),
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
            await _act(shown.tenants, name, which, form, shown.member.email)
        except (InvalidInputError, ConflictError) as error:
            return await shown.render(name, dialog_after(which, form, error), status=error.status)
        return Redirect(f"{HOME}/{quote(name)}?done={which}", status_code=HTTP_303_SEE_OTHER)
