"""Tenants over the API, for staff."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter
from vivero_web.problem import MEDIA_TYPE, Problem

from vivero_control.domain.audit.schemas import AuditEntry
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.staff.guards import StaffRequest
from vivero_control.domain.tenants.schemas import (
    ChangePlan,
    ExtendTrial,
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

Name = Annotated[str, PathParameter(max_length=63, description="metadata.name of the Tenant.")]

_PROBLEMS = {
    404: ResponseSpec(Problem, media_type=MEDIA_TYPE, description="There is no such tenant."),
    409: ResponseSpec(Problem, media_type=MEDIA_TYPE, description="Changed meanwhile, or senseless in its state."),
}
LIMIT_MAX = 200


def tenant_query(  # noqa: PLR0913  one parameter of the address each
    *,
    search: Annotated[
        str, QueryParameter(max_length=200, description="Part of name, slug, display name, owner's e-mail or id.")
    ] = "",
    plan: Annotated[str | None, QueryParameter(max_length=253)] = None,
    in_state: Annotated[
        TenantState | None, QueryParameter(name="state", description="Spares are listed with `standby` alone.")
    ] = None,
    sort: FromQuery[SortKey] = "created_at",
    descending: Annotated[bool, QueryParameter(description="Largest or latest first.")] = True,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX)] = 50,
    offset: Annotated[int, QueryParameter(ge=0, le=10_000_000)] = 0,
) -> TenantQuery:
    return TenantQuery(
        search=search, plan=plan, state=in_state, sort=sort, descending=descending, limit=limit, offset=offset
    )


class TenantController(Controller):
    """Every customer's instance."""

    path = "/tenants"
    tags = ("Tenants",)

    @get(summary="Tenants, page by page", dependencies={"wanted": Provide(tenant_query, sync_to_thread=False)})
    async def search(
        self, tenants: NamedDependency[TenantService], wanted: NamedDependency[TenantQuery]
    ) -> Page[TenantRow]:
        return tenants.search(wanted)

    @get("/{name:str}", summary="One tenant", responses=_PROBLEMS)
    async def show(self, tenants: NamedDependency[TenantService], name: Name) -> TenantDetail:
        return await tenants.get(name)

    @get("/{name:str}/history", summary="What staff did to a tenant, the newest first")
    async def history(
        self, audit: NamedDependency[AuditService], tenants: NamedDependency[TenantService], name: Name
    ) -> tuple[AuditEntry, ...]:
        return await audit.history(*tenants.subjects(name))

    @post("/{name:str}/suspend", status_code=200, summary="Take it out of service", responses=_PROBLEMS)
    async def suspend(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[Suspend]
    ) -> TenantDetail:
        return await tenants.suspend(name, data, request.user.email)

    @post("/{name:str}/resume", status_code=200, summary="Put it back into service", responses=_PROBLEMS)
    async def resume(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[Resume]
    ) -> TenantDetail:
        return await tenants.resume(name, data, request.user.email)

    @post("/{name:str}/extend-trial", status_code=200, summary="Let its trial end later", responses=_PROBLEMS)
    async def extend_trial(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[ExtendTrial]
    ) -> TenantDetail:
        return await tenants.extend_trial(name, data, request.user.email)

    @post("/{name:str}/change-plan", status_code=200, summary="Move it to another plan", responses=_PROBLEMS)
    async def change_plan(
        self, request: StaffRequest, tenants: NamedDependency[TenantService], name: Name, data: JSONBody[ChangePlan]
    ) -> TenantDetail:
        return await tenants.change_plan(name, data, request.user.email)
