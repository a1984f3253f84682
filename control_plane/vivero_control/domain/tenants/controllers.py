"""Tenants over the API, for staff."""

from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter, QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.audit.service import AuditEntry, AuditService
from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.bulk import BulkOrder, BulkOrders, BulkResult
from vivero_control.domain.tenants.errors import (
    TenantChangedError,
    TenantRefusedError,
    TenantUnreadableError,
    WrongStateError,
)
from vivero_control.domain.tenants.schemas import (
    OBJECT_NAME_MAX,
    ChangePlan,
    ConfirmOwner,
    ExtendTrial,
    Only,
    Page,
    Resume,
    SortKey,
    Suspend,
    TenantDetail,
    TenantQuery,
    TenantRow,
    TenantState,
)
from vivero_control.domain.tenants.service import TenantService

Name = Annotated[str, PathParameter(min_length=1, max_length=63, description="metadata.name of the Tenant.")]

LIMIT_MAX = 200
_ORDER_REFUSALS: Final = (WrongStateError, TenantChangedError, TenantUnreadableError, TenantRefusedError)


def tenant_query(  # noqa: PLR0913  one parameter of the address each
    *,
    search: Annotated[
        str, QueryParameter(max_length=200, description="Part of name, slug, display name, owner's e-mail or id.")
    ] = "",
    plan: Annotated[str | None, QueryParameter(max_length=OBJECT_NAME_MAX, description="Name of a plan.")] = None,
    in_state: Annotated[
        str,
        QueryParameter(
            name="state",
            description="Every customer's when it is empty; spares are listed with `standby` alone.",
            schema_extra={"enum": ["", *TenantState]},
        ),
    ] = "",
    only: Annotated[
        str,
        QueryParameter(description="Those that want a look for this reason.", schema_extra={"enum": ["", *Only]}),
    ] = "",
    sort: Annotated[SortKey, QueryParameter(description="By what they are ordered.")] = "created_at",
    descending: Annotated[bool, QueryParameter(description="Largest or latest first.")] = True,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many a page has at most.")] = 50,
    offset: Annotated[int, QueryParameter(ge=0, le=10_000_000, description="How many come before the page.")] = 0,
) -> TenantQuery:
    state = said("state", in_state, TenantState, f"one of {', '.join(TenantState)}")
    return TenantQuery(
        search=search,
        plan=plan,
        state=state,
        only=said("only", only, Only, f"one of {', '.join(Only)}"),
        sort=sort,
        descending=descending,
        limit=limit,
        offset=offset,
    )


class TenantOrderController(Controller):
    """Orders for several tenants at once."""

    path = "/tenant-orders"
    tags = ("Tenants",)
    opt = writes(Scope.MANAGE_TENANTS)

    @post(status_code=200, summary="Suspend, resume or extend several")
    @raises(InvalidInputError)
    async def order_tenants(
        self, request: StaffRequest, bulk: NamedDependency[BulkOrders], data: JSONBody[BulkOrder]
    ) -> BulkResult:
        """What one tenant refuses keeps none of the others from theirs; with `preview` nothing is done."""
        return await bulk.give(data, request.user.email)


class TenantController(Controller):
    """Every customer's instance."""

    path = "/tenants"
    tags = ("Tenants",)
    opt = writes(Scope.MANAGE_TENANTS)

    @get(summary="Tenants, page by page", dependencies={"wanted": Provide(tenant_query, sync_to_thread=False)})
    async def list_tenants(
        self, tenants: NamedDependency[TenantService], wanted: NamedDependency[TenantQuery]
    ) -> Page[TenantRow]:
        return tenants.search(wanted)

    @get("/{name:str}", summary="One tenant")
    async def get_tenant(self, tenants: NamedDependency[TenantService], name: Name) -> TenantDetail:
        return await tenants.get(name)

    @get("/{name:str}/history", summary="What staff did to a tenant, the newest first")
    async def list_tenant_history(
        self, audit: NamedDependency[AuditService], tenants: NamedDependency[TenantService], name: Name
    ) -> tuple[AuditEntry, ...]:
        found = await audit.history(*tenants.subjects(name))
        if not found:
            await tenants.get(name)  # never heard of, or nothing was done to it
        return found

    @post("/{name:str}/suspend", status_code=200, summary="Take it out of service")
    @raises(*_ORDER_REFUSALS)
    async def suspend_tenant(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[Suspend]
    ) -> TenantDetail:
        return await tenants.suspend(name, data, request.user.email)

    @post("/{name:str}/resume", status_code=200, summary="Put it back into service")
    @raises(*_ORDER_REFUSALS)
    async def resume_tenant(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[Resume]
    ) -> TenantDetail:
        return await tenants.resume(name, data, request.user.email)

    @post("/{name:str}/extend-trial", status_code=200, summary="Let its trial end later")
    @raises(*_ORDER_REFUSALS)
    async def extend_trial(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[ExtendTrial]
    ) -> TenantDetail:
        return await tenants.extend_trial(name, data, request.user.email)

    @post("/{name:str}/confirm-owner", status_code=200, summary="Vouch for its owner's e-mail address")
    @raises(*_ORDER_REFUSALS)
    async def confirm_owner(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[ConfirmOwner]
    ) -> TenantDetail:
        """As if its owner had followed the link; a workspace that was closed for want of that opens again."""
        return await tenants.confirm_owner(name, data, request.user.email)

    @post("/{name:str}/change-plan", status_code=200, summary="Move it to another plan")
    @raises(*_ORDER_REFUSALS)
    async def change_plan(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[ChangePlan]
    ) -> TenantDetail:
        return await tenants.change_plan(name, data, request.user.email)
