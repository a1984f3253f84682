"""The staff's page about what the hourly comparison with the payment provider has found."""

from typing import Final

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.response import Template

from vivero_control.domain.billing.policies import Difference
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web.staff_shell import BILLING, shell

_WORDS: Final = {
    Difference.CHARGED_TWICE: "Two invoices for the same time",
    Difference.TWO_SUBSCRIPTIONS: "Two subscriptions at once",
    Difference.SUBSCRIPTION: "Our copy of a subscription was out of date",
    Difference.INVOICE: "Our copy of an invoice was out of date",
    Difference.ACCESS: "Plan or suspension did not follow the subscription",
    Difference.NO_WORKSPACE: "Paid, and the workspace is gone",
    Difference.BESIDE_CONTRACT: "A subscription is paid beside a contract",
}


class BillingController(Controller):
    """Behind the staff login."""

    path = BILLING
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="billing")
    async def table(self, member: NamedDependency[StaffView], billing: NamedDependency[BillingService]) -> Template:
        context = {
            "shell": shell(member, BILLING),
            "is_on": billing.is_on,
            "found": await billing.differences(),
            "words": _WORDS,
        }
        return Template("pages/billing.html.j2", context=context)
