"""The staff's pages about what a customer costs: by channel, by month, and the table of costs that admins paste."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, NotFoundError

from vivero_control.domain.acquisition import table
from vivero_control.domain.acquisition.policies import MONTHS
from vivero_control.domain.acquisition.schemas import MOST, CostChange, NewCosts
from vivero_control.domain.acquisition.service import Acquisition
from vivero_control.domain.staff import policies
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web.billing_lines import money
from vivero_control.web.staff_shell import ACQUISITION, FIGURES, shell

COSTS: Final = f"{ACQUISITION}/costs"
EXAMPLE: Final = "month,channel,amount,currency\n2026-11,google,1250.00,EUR\n2026-11,linkedin.com,800.00,EUR"


def month_words(month: date) -> str:
    return f"{month:%b %Y}"


def _month(text: str) -> date:
    """Of an address. Raises NotFoundError."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise NotFoundError("There is no such month.") from None


@dataclass(frozen=True, slots=True)
class AcquisitionPages:
    """What the pages need; Litestar makes it from the services it names."""

    acquisition: NamedDependency[Acquisition]
    member: NamedDependency[StaffView]

    def show(self, page: str, status: int = 200, **context: object) -> Template:
        frame: dict[str, Any] = {
            "shell": shell(self.member, FIGURES),
            "here": ACQUISITION,
            "money": money,
            "month_words": month_words,
            **context,
        }
        return Template(f"pages/{page}.html.j2", context=frame, status_code=status)

    def form(
        self, typed: str, error: InvalidInputError | None = None, changes: tuple[CostChange, ...] | None = None
    ) -> Template:
        """`changes`: what the table would change, once it was read; None before."""
        return self.show(
            "channel_costs",
            error.status if error else 200,
            back=ACQUISITION,
            action=COSTS,
            typed=typed,
            example=EXAMPLE,
            most=MOST,
            problems=[one.message for one in error.errors] if error else [],
            changes=changes,
        )


class AcquisitionController(Controller):
    """Behind the staff login; costs are for admins to say."""

    path = ACQUISITION
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(AcquisitionPages, sync_to_thread=False),
    }

    @get("/")
    async def page(self, request: Request[Any, Any, Any], shown: NamedDependency[AcquisitionPages]) -> Template:
        return shown.show(
            "acquisition",
            view=await shown.acquisition.view(),
            back=FIGURES,
            months_shown=MONTHS,
            may_enter=shown.member.role == "admin",
            said="said" in request.query_params,
        )

    @get("/costs")
    async def costs_page(self, shown: NamedDependency[AcquisitionPages]) -> Template:
        policies.require_admin(shown.member, policies.ENTER_COSTS)
        return shown.form("")

    @post("/costs", status_code=HTTP_303_SEE_OTHER)
    async def put(self, request: Request[Any, Any, Any], shown: NamedDependency[AcquisitionPages]) -> Response[Any]:
        """First it says what would change; then, with `confirmed`, it is changed."""
        policies.require_admin(shown.member, policies.ENTER_COSTS)
        typed = await read_form(request)
        text = typed.get(table.FIELD, "")
        try:
            costs = NewCosts(costs=table.read(text))
            preview = await shown.acquisition.preview(costs)
        except InvalidInputError as error:
            return shown.form(text, error)
        if "confirmed" not in typed:
            return shown.form(table.written(costs.costs), changes=preview.changes)
        await shown.acquisition.put(costs, shown.member)
        return Redirect(f"{ACQUISITION}?said", status_code=HTTP_303_SEE_OTHER)

    @get("/{month:str}")
    async def signups(
        self, request: Request[Any, Any, Any], month: FromPath[str], shown: NamedDependency[AcquisitionPages]
    ) -> Template:
        """Who signed up in a month and came by the channel of the query."""
        channel, of = request.query_params.get("channel", ""), _month(month)
        return shown.show(
            "figure_rows",
            title=f"Signups by {channel}",
            found=await shown.acquisition.signups(of, channel),
            of_customers=False,
            span=f"In {month_words(of)}.",
            place="What customers cost",
        )
