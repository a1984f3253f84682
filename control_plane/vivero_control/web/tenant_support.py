"""The console's page from which staff enter a workspace whose owner grants it."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, WebError

from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.support.service import SupportAccess
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web.account_support import ROLES
from vivero_control.web.staff_shell import HOME, shell

_NO_STORE: Final = {"cache-control": "no-store"}


class ReasonForm(Struct, kw_only=True):
    """The form's field as typed."""

    reason: str = ""


async def _page(  # noqa: PLR0913, PLR0917  what the page is made of
    name: str,
    member: StaffView,
    tenants: TenantService,
    support: SupportAccess,
    form: ReasonForm,
    error: WebError | None = None,
    *,
    link: str = "",
) -> Template:
    """`link`: the address of the workspace that lets in, once."""
    detail = await tenants.get(name)
    errors = error.by_field if error else {}
    context = {
        "shell": shell(member),
        "row": detail.tenant,
        "here": f"{HOME}/{quote(name)}",
        "grant": await support.current(detail.tenant.id) if detail.tenant.id else None,
        "roles": ROLES,
        "form": form,
        "link": link,
        "errors": errors,
        "problem": error.detail if error and not errors else "",
    }
    return Template(
        "pages/tenant_support.html.j2",
        context=context,
        status_code=error.status if error else HTTP_200_OK,
        headers=_NO_STORE,
    )


class TenantSupportController(Controller):
    """Behind the staff login."""

    path = f"{HOME}/{{name:str}}/support"
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/")
    async def page(
        self,
        name: FromPath[str],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        support_access: NamedDependency[SupportAccess],
    ) -> Template:
        return await _page(name, member, tenants, support_access, ReasonForm())

    @post("/", status_code=HTTP_200_OK)
    async def enter(
        self,
        request: Request[Any, Any, Any],
        name: FromPath[str],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        support_access: NamedDependency[SupportAccess],
    ) -> Template:
        """Answers with the way in, as a link: no form of ours leads to a workspace."""
        form = await read_form_as(request, ReasonForm)
        try:
            link = await support_access.enter(name, form.reason, member)
        except (InvalidInputError, ConflictError) as error:
            return await _page(name, member, tenants, support_access, form, error)
        return await _page(name, member, tenants, support_access, form, link=link)
