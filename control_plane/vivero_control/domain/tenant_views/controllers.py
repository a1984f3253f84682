"""/api/v1/tenant-views, for staff."""

from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError, NotAllowedError
from vivero_web.fields import LARGEST

from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenant_views.schemas import ChosenView, NewView, TenantView, ViewList
from vivero_control.domain.tenant_views.service import TenantViews

Number = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the view.")]


class TenantViewController(Controller):
    """Views of the list of tenants."""

    path = "/tenant-views"
    tags = ("Tenants",)
    opt = writes(Scope.MANAGE_TENANTS)

    @get(summary="Your views of the list of tenants, and those that others share")
    async def list_tenant_views(self, request: StaffRequest, tenant_views: NamedDependency[TenantViews]) -> ViewList:
        return await tenant_views.all(request.user)

    @post(summary="Save a view")
    @raises(InvalidInputError)
    async def make_tenant_view(
        self, request: StaffRequest, tenant_views: NamedDependency[TenantViews], data: JSONBody[NewView]
    ) -> TenantView:
        return await tenant_views.make(data, request.user)

    @put("/default", status_code=204, summary="Choose which view you see first")
    @raises(InvalidInputError)
    async def choose_tenant_view(
        self, request: StaffRequest, tenant_views: NamedDependency[TenantViews], data: JSONBody[ChosenView]
    ) -> None:
        await tenant_views.choose(data.view, request.user)

    @get("/{view:int}", summary="One view")
    async def get_tenant_view(
        self, request: StaffRequest, tenant_views: NamedDependency[TenantViews], view: Number
    ) -> TenantView:
        return await tenant_views.get(view, request.user)

    @put("/{view:int}", summary="Change a view")
    @raises(InvalidInputError, NotAllowedError)
    async def change_tenant_view(
        self, request: StaffRequest, tenant_views: NamedDependency[TenantViews], view: Number, data: JSONBody[NewView]
    ) -> TenantView:
        """Your own; admins change shared ones, too."""
        return await tenant_views.change(view, data, request.user)

    @delete("/{view:int}", summary="Delete a view")
    @raises(NotAllowedError)
    async def delete_tenant_view(
        self, request: StaffRequest, tenant_views: NamedDependency[TenantViews], view: Number
    ) -> None:
        """Your own; admins delete shared ones, too."""
        await tenant_views.delete(view, request.user)
