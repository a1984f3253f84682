"""/api/v1/deleted-tenants, for staff."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_core.model import naming
from vivero_web.declared import raises

from vivero_control.domain.deleted.service import DeletedTenant, DeletedTenants, Undelete, UndeleteRefusedError
from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.errors import TenantRefusedError

Id = Annotated[
    str,
    PathParameter(
        min_length=naming.TENANT_ID_LENGTH, max_length=naming.TENANT_ID_LENGTH, description="Id of the deleted tenant."
    ),
]


class DeletedTenantController(Controller):
    """What is kept of deleted tenants."""

    path = "/deleted-tenants"
    tags = ("Tenants",)
    opt = writes(Scope.MANAGE_TENANTS)

    @get(summary="Deleted tenants whose data is kept for a while, the first to be erased first")
    async def list_deleted_tenants(self, deleted: NamedDependency[DeletedTenants]) -> tuple[DeletedTenant, ...]:
        return await deleted.all()

    @post("/{ident:str}/undelete", status_code=200, summary="Bring one back, with its data, users and address")
    @raises(UndeleteRefusedError, TenantRefusedError)
    async def undelete_tenant(
        self, request: StaffRequest, deleted: NamedDependency[DeletedTenants], ident: Id, data: JSONBody[Undelete]
    ) -> DeletedTenant:
        return await deleted.undelete(ident, data, request.user.email)
