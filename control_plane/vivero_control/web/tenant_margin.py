"""The console's page of what one tenant costs and brings."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from vivero_ui.filters import bytes_

from vivero_control.domain.margins.schemas import CostOf, CostPart, RevenueOf
from vivero_control.domain.margins.service import CostsUnknownError, Margins
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web.billing_lines import money
from vivero_control.web.staff_shell import HOME, shell

PARTS: Final = {CostOf.WORKSPACE: "The workspace runs", CostOf.STORAGE: "Records and files"}
REVENUES: Final = {
    RevenueOf.CONTRACT: "Contract",
    RevenueOf.SUBSCRIPTION: "Subscription",
    RevenueOf.NOTHING: "Nothing is paid",
}


def quantity(part: CostPart) -> str:
    if part.quantity is None:
        return "The workspace does not say it now"
    if part.of is CostOf.STORAGE:
        return bytes_(part.quantity)
    return "Yes" if part.quantity else "No, it is suspended"


def share_words(share: float) -> str:
    """To a tenth: most margins are close to the whole."""
    return f"{share * 100:.1f}\N{NO-BREAK SPACE}%"


class TenantMarginController(Controller):
    """Behind the staff login."""

    path = f"{HOME}/{{name:str}}/margin"
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="tenant-margin")
    async def page(
        self,
        name: FromPath[str],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        margins: NamedDependency[Margins],
    ) -> Template:
        tenant = (await tenants.get(name)).tenant
        try:
            found = await margins.of(name)
        except CostsUnknownError:
            found = None
        context: dict[str, Any] = {
            "shell": shell(member),
            "here": f"{HOME}/{quote(name)}",
            "tenant": tenant,
            "found": found,
            "parts": PARTS,
            "quantity": quantity,
            "revenue": REVENUES[found.revenue_of] if found else "",
            "money": money,
            "share_words": share_words,
        }
        return Template("pages/tenant_margin.html.j2", context=context)
