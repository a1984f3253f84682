"""The staff's page about deleted tenants that can still be brought back."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_control.domain.deleted.service import DeletedTenants
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import tenant_forms
from vivero_control.web.staff_shell import DELETED, HOME, shell
from vivero_control.web.tenant_forms import ActionForm
from vivero_control.web.tenants import Dialog, dialog_after

UNDELETE: Final = "undelete"


async def _page(deleted: DeletedTenants, member: StaffView, chosen: str, dialog: Dialog, status: int = 200) -> Template:
    rows = await deleted.all()
    context: dict[str, Any] = {
        "shell": shell(member, DELETED),
        "rows": rows,
        "chosen": next((row for row in rows if row.id == chosen), None),
        "form": dialog,
    }
    return Template("pages/deleted.html.j2", context=context, status_code=status)


class DeletedController(Controller):
    """Behind the staff login."""

    path = DELETED
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="deleted")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        deleted: NamedDependency[DeletedTenants],
    ) -> Template:
        return await _page(deleted, member, request.query_params.get(UNDELETE, ""), Dialog(open=UNDELETE))

    @post("/{ident:str}/undelete", status_code=HTTP_303_SEE_OTHER)
    async def undelete(
        self,
        request: Request[Any, Any, Any],
        ident: FromPath[str],
        member: NamedDependency[StaffView],
        deleted: NamedDependency[DeletedTenants],
    ) -> Response[Any]:
        form = await read_form_as(request, ActionForm)
        try:
            back = await deleted.undelete(ident, tenant_forms.undelete(form), member.email)
        except (InvalidInputError, ConflictError) as error:
            return await _page(deleted, member, ident, dialog_after(UNDELETE, form, error), error.status)
        return Redirect(f"{HOME}/{back.name}?done={UNDELETE}", status_code=HTTP_303_SEE_OTHER)
