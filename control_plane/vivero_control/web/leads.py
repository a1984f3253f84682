"""The staff's pages about leads: trials by their score, and one of them with the table of points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, WebError
from vivero_web.text import whole_number

from vivero_control.domain.leads.policies import BANDS, UNOWNED
from vivero_control.domain.leads.schemas import Calibration, LeadDetail, LeadQuery, Outcome, Owner
from vivero_control.domain.leads.service import LeadService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import presentation
from vivero_control.web.figures import VERDICTS, percent, share_words
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.staff_shell import LEADS, shell

PAGE_SIZE: Final = 50
LAST_PAGE: Final = 10_000
OUTCOMES: Final = {
    Outcome.OPEN: StatusLabel("Open", "neutral"),
    Outcome.PAID: StatusLabel("Has paid", "success"),
    Outcome.LOST: StatusLabel("Lost", "warning"),
}
ANY: Final = "any"
_LEAST: Final = tuple(str(least) for least, _ in BANDS)


class LeadFilter(Struct, frozen=True, kw_only=True):
    """The list's state, as the address has it. Anything unknown in it is ignored, not refused: addresses are shared."""

    q: str = ""
    outcome: str = Outcome.OPEN.value
    owner: str = ""
    least: str = "0"
    page: int = 1

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "LeadFilter":
        outcome, least = params.get("outcome", ""), params.get("least", "")
        return cls(
            q=params.get("q", "")[:200],
            outcome=outcome if outcome in {*Outcome, ANY} else cls().outcome,
            owner=params.get("owner", "")[:36],
            least=least if least in _LEAST else cls().least,
            page=min(whole_number(params.get("page", "")) or 1, LAST_PAGE),
        )

    def query(self) -> LeadQuery:
        return LeadQuery(
            search=self.q,
            outcome=None if self.outcome == ANY else Outcome(self.outcome),
            owner=self.owner,
            least=int(self.least),
            limit=PAGE_SIZE,
            offset=(self.page - 1) * PAGE_SIZE,
        )

    @property
    def is_set(self) -> bool:
        return self != LeadFilter()


class OwnerForm(Struct, frozen=True):
    """Whom a lead is given to, or UNOWNED."""

    staff_id: str = ""

    def chosen(self) -> UUID | None:
        """Raises InvalidInputError."""
        try:
            return None if self.staff_id == UNOWNED else UUID(self.staff_id)
        except ValueError:
            raise InvalidInputError.of("staff_id", "Choose somebody of the list.") from None


def band_words(least: int, most: int) -> str:
    return f"{least}\N{EN DASH}{most} points"


def calibration_words(found: Calibration) -> str:
    return (
        f"Trials whose outcome is known, by the score that they had {found.days} days after the signup, or a day before "
        f"they paid. The goal is {percent(found.goal)} of all trials; with fewer than {found.least_outcomes} outcomes, or "
        "while the goal is inside the interval, it is too early to tell."
    )


def owner_options(members: list[Owner], me: str) -> list[tuple[str, str]]:
    """For the filter: who looks after them."""
    mine = [(me, "Mine")] if me in {str(one.id) for one in members} else []
    others = [(str(one.id), one.email) for one in members if str(one.id) != me]
    return [
        ("", "Anybody\N{RIGHT SINGLE QUOTATION MARK}s"),
        *mine,
        (UNOWNED, "Nobody\N{RIGHT SINGLE QUOTATION MARK}s"),
        *others,
    ]


@dataclass(frozen=True, slots=True)
class OneLead:
    """The page of one lead; Litestar makes it from the services it names."""

    leads: NamedDependency[LeadService]
    member: NamedDependency[StaffView]

    async def render(self, signup_id: str, error: WebError | None = None, *, done: bool = False) -> Template:
        found: LeadDetail = await self.leads.get(signup_id)
        context: dict[str, Any] = {
            "shell": shell(self.member, LEADS),
            "here": f"{LEADS}/{found.lead.id}",
            "back": LEADS,
            "lead": found.lead,
            "table": found.table,
            "outcome": OUTCOMES[found.lead.outcome],
            "members": [(UNOWNED, "Nobody"), *((str(one.id), one.email) for one in await self.leads.members())],
            "nobody": UNOWNED,
            "error": error.by_field.get("staff_id", error.detail) if error else "",
            "done": done,
        }
        return Template("pages/lead.html.j2", context=context, status_code=error.status if error else 200)


class LeadsController(Controller):
    """Behind the staff login."""

    path = LEADS
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(OneLead, sync_to_thread=False),
    }

    @get("/", name="leads")
    async def table(
        self, request: Request[Any, Any, Any], member: NamedDependency[StaffView], leads: NamedDependency[LeadService]
    ) -> Template:
        wanted = LeadFilter.read(request.query_params)
        page, calibration = await leads.page(wanted.query()), await leads.calibration()
        address = str(request.url.with_replacements(scheme="", netloc=""))
        context: dict[str, Any] = {
            "shell": shell(member, LEADS),
            "here": LEADS,
            "wanted": wanted,
            "outcomes": [*((one.value, label.words) for one, label in OUTCOMES.items()), (ANY, "Any outcome")],
            "owners": owner_options(list(await leads.members()), member.id),
            "bands": [
                (str(least), f"{least} points or more" if least else "Any score") for least, _ in reversed(BANDS)
            ],
            "rows": page.items,
            "labels": OUTCOMES,
            "calibration": calibration,
            "calibration_words": calibration_words(calibration),
            "verdicts": VERDICTS,
            "band_words": band_words,
            "share_words": share_words,
            **presentation.pager(page, wanted.page, address),
        }
        return Template("pages/leads.html.j2", context=context)

    @get("/{signup_id:str}", name="lead")
    async def lead(
        self, request: Request[Any, Any, Any], signup_id: FromPath[str], shown: NamedDependency[OneLead]
    ) -> Template:
        return await shown.render(signup_id, done="done" in request.query_params)

    @post("/{signup_id:str}/owner", status_code=HTTP_303_SEE_OTHER)
    async def assign(
        self, request: Request[Any, Any, Any], signup_id: FromPath[str], shown: NamedDependency[OneLead]
    ) -> Response[Any]:
        form = await read_form_as(request, OwnerForm)
        try:
            await shown.leads.assign(signup_id, form.chosen(), shown.member.email)
        except InvalidInputError as error:
            return await shown.render(signup_id, error)
        return Redirect(f"{LEADS}/{signup_id}?done=owner", status_code=HTTP_303_SEE_OTHER)
