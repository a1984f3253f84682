"""/api/v1/leads, for staff."""

from typing import Annotated

from litestar import Controller, get, put
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.leads.schemas import (
    LARGEST_SCORE,
    Assignment,
    Calibration,
    LeadDetail,
    LeadQuery,
    LeadRow,
    Outcome,
)
from vivero_control.domain.leads.service import LeadService
from vivero_control.domain.signups.controllers import SignupId
from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.schemas import Page

PAGE_MAX = 200


def lead_query(  # noqa: PLR0913  one parameter of the address each
    *,
    search: Annotated[str, QueryParameter(max_length=200, description="Part of company, address or slug.")] = "",
    outcome: Annotated[
        str,
        QueryParameter(description="What has become of it; empty: any.", schema_extra={"enum": ["", *Outcome]}),
    ] = "open",
    owner: Annotated[
        str, QueryParameter(max_length=36, description="Id of a staff member; `none`: nobody's; empty: any.")
    ] = "",
    least: Annotated[int, QueryParameter(ge=0, le=LARGEST_SCORE, description="The lowest score.")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many a page has at most.")] = 50,
    offset: Annotated[int, QueryParameter(ge=0, le=10_000_000, description="How many come before the page.")] = 0,
) -> LeadQuery:
    return LeadQuery(
        search=search,
        outcome=said("outcome", outcome, Outcome, f"one of {', '.join(Outcome)}"),
        owner=owner,
        least=least,
        limit=limit,
        offset=offset,
    )


class LeadController(Controller):
    """Trials by how promising they are."""

    path = "/leads"
    tags = ("Leads",)
    opt = writes(Scope.MANAGE_LEADS)

    @get(
        summary="Trials of the last twelve weeks, the highest score first",
        dependencies={"wanted": Provide(lead_query, sync_to_thread=False)},
    )
    async def list_leads(
        self, leads: NamedDependency[LeadService], wanted: NamedDependency[LeadQuery]
    ) -> Page[LeadRow]:
        return await leads.page(wanted)

    @get("/calibration", summary="What the score was worth so far")
    async def get_lead_calibration(self, leads: NamedDependency[LeadService]) -> Calibration:
        return await leads.calibration()

    @get("/{signup_id:str}", summary="One of them, with the whole table of points")
    async def get_lead(self, leads: NamedDependency[LeadService], signup_id: SignupId) -> LeadDetail:
        return await leads.get(signup_id)

    @put("/{signup_id:str}/owner", summary="Say who looks after it")
    @raises(InvalidInputError)
    async def assign_lead(
        self,
        request: StaffRequest,
        leads: NamedDependency[LeadService],
        signup_id: SignupId,
        data: JSONBody[Assignment],
    ) -> LeadDetail:
        """It is in the audit log; they are not mailed."""
        return await leads.assign(signup_id, data.staff_id, request.user.email)
