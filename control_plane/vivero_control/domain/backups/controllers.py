"""Backups and restores of a tenant over the API: staff read them, admins ask for them."""

from typing import Annotated, Final

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from vivero_web.declared import raises

from vivero_control.domain.backups.schemas import BackUp, BackupView, BringBack, RestoreView
from vivero_control.domain.backups.service import BackupService
from vivero_control.domain.staff.guards import StaffRequest, admins_operate, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.controllers import LIMIT_MAX, Name
from vivero_control.domain.tenants.errors import TenantRefusedError, TenantUnreadableError, WrongStateError
from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX, Page
from vivero_control.domain.tenants.service import TenantService
from vivero_control.lib.idempotency import Key, KeyBusyError

Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many a page has at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000_000, description="How many come before the page.")]
Operation = Annotated[
    str, PathParameter(min_length=1, max_length=OBJECT_NAME_MAX, description="metadata.name of its object.")
]
_LOCATION: Final = [ResponseHeader(name="Location", description="Where its progress is.", documentation_only=True)]
_REFUSALS: Final = (WrongStateError, TenantUnreadableError, TenantRefusedError, KeyBusyError)


class BackupController(Controller):
    """What is kept of a tenant."""

    path = "/tenants/{name:str}/backups"
    tags = ("Backups",)
    opt = writes(Scope.BACK_UP)

    @get(summary="A tenant's backups, the newest first")
    async def list_backups(
        self,
        backups: NamedDependency[BackupService],
        tenants: NamedDependency[TenantService],
        name: Name,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Page[BackupView]:
        """Those of a Tenant that is gone are listed, too."""
        found = backups.backups(name, limit, offset)
        if not found.total:
            await tenants.get(name)  # never heard of, or nothing was backed up
        return found

    @get("/{operation:str}", summary="One backup")
    async def get_backup(self, backups: NamedDependency[BackupService], name: Name, operation: Operation) -> BackupView:
        return backups.backup(name, operation)

    @post(status_code=202, summary="Back it up now", guards=[admins_operate], response_headers=_LOCATION)
    @raises(*_REFUSALS)
    async def back_up(
        self,
        request: StaffRequest,
        backups: NamedDependency[BackupService],
        name: Name,
        data: JSONBody[BackUp],
        idempotency_key: Key = None,
    ) -> Response[BackupView]:
        """It is complete when it was read back and compared, which takes seconds to minutes."""
        view = await backups.back_up(name, data, request.user.email, idempotency_key=idempotency_key)
        return Response(view, headers={"Location": f"/api/v1/tenants/{name}/backups/{view.name}"})


class RestoreController(Controller):
    """What was brought back of a tenant."""

    path = "/tenants/{name:str}/restores"
    tags = ("Backups",)
    opt = writes(Scope.BACK_UP)

    @get(summary="What was brought back of a tenant, the newest first")
    async def list_restores(
        self,
        backups: NamedDependency[BackupService],
        tenants: NamedDependency[TenantService],
        name: Name,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Page[RestoreView]:
        """Also of a Tenant that is gone."""
        found = backups.restores(name, limit, offset)
        if not found.total:
            await tenants.get(name)  # never heard of, or nothing was brought back
        return found

    @get("/{operation:str}", summary="One restore")
    async def get_restore(
        self, backups: NamedDependency[BackupService], name: Name, operation: Operation
    ) -> RestoreView:
        return backups.restore(name, operation)

    @post(status_code=202, summary="Bring it back as it was", guards=[admins_operate], response_headers=_LOCATION)
    @raises(*_REFUSALS)
    async def bring_back(
        self,
        request: StaffRequest,
        backups: NamedDependency[BackupService],
        name: Name,
        data: JSONBody[BringBack],
        idempotency_key: Key = None,
    ) -> Response[RestoreView]:
        """In place or as a new tenant beside it; at a second, at a backup, or, with neither, as it is now.

        A second that cannot be brought back exactly ends in the state `refused`, and the message says which can.
        """
        view = await backups.bring_back(name, data, request.user.email, idempotency_key=idempotency_key)
        return Response(view, headers={"Location": f"/api/v1/tenants/{name}/restores/{view.name}"})
