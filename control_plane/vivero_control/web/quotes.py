"""The staff's pages about quotes: the list, a new one, one of them and what is done with it."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError, WebError

from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.contracts.quotes import QuoteService, quote_subject
from vivero_control.domain.contracts.schemas import QuoteState, Withdraw
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.staff.guards import session_seller, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import contract_forms, contract_lines, presentation, tenant_forms
from vivero_control.web.site import known
from vivero_control.web.staff_shell import CONTRACTS, QUOTES, shell

DONE: Final = {
    "made": "The draft is kept. Look it over, then send it.",
    "changed": "The draft is changed.",
    "sent": "The mail with the link is on its way.",
    "withdrawn": "It is withdrawn. Its link says so.",
}
_REFUSALS: Final = (InvalidInputError, ConflictError, UnavailableError)
_GOOD_FOR: Final = timedelta(days=30)
_SELLERS: Final = {"member": Provide(session_seller)}


def _page(name: str, member: StaffView, error: WebError | None = None, **context: object) -> Template:
    errors = error.by_field if error else {}
    given: dict[str, Any] = {
        "shell": shell(member, CONTRACTS),
        "here": QUOTES,
        "may_sell": member.role == "admin",
        "errors": errors,
        "problem": error.detail if error and not errors else "",
        **context,
    }
    return Template(f"pages/{name}.html.j2", context=given, status_code=error.status if error else HTTP_200_OK)


@dataclass(frozen=True, slots=True)
class QuotePages:
    """Renders the pages; Litestar makes it from the services it names."""

    quotes: NamedDependency[QuoteService]
    plans: NamedDependency[PlanService]
    audit: NamedDependency[AuditService]
    member: NamedDependency[StaffView]

    def form(self, typed: Mapping[str, str], error: WebError | None = None, number: int | None = None) -> Template:
        """Of a new quote, or of the draft of this number."""
        return _page(
            "quote_form",
            self.member,
            error,
            number=number,
            typed=typed,
            rows=contract_forms.rows(typed),
            plans=[(one.name, one.display_name) for one in known(self.plans.all) if one.trial_days is None],
            is_on=self.quotes.is_on,
        )

    async def one(self, number: int, error: WebError | None = None, done: str = "") -> Template:
        quote = await self.quotes.get(number)
        return _page(
            "quote",
            self.member,
            error,
            quote=quote,
            state=contract_lines.QUOTE_STATES[quote.state],
            price=contract_lines.price(quote.terms, quote.totals),
            limits=contract_lines.limits(quote.terms.limits),
            term=contract_lines.term(quote.terms.term_months),
            is_draft=quote.state is QuoteState.DRAFT,
            is_sent=quote.state is QuoteState.SENT,
            history=presentation.history(await self.audit.history(quote_subject(number))),
            done=DONE.get(done, ""),
        )

    async def apply(self, number: int, change: Awaitable[object], what: str) -> Response[Any]:
        """Do it and show the quote, or show it with the error."""
        try:
            await change
        except _REFUSALS as error:
            return await self.one(number, error)
        return Redirect(f"{QUOTES}/{number}?done={what}", status_code=HTTP_303_SEE_OTHER)


class QuotesController(Controller):
    """Behind the staff login."""

    path = QUOTES
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(QuotePages, sync_to_thread=False),
    }

    @get("/new", dependencies=_SELLERS, sync_to_thread=False)
    def new_page(
        self, request: Request[Any, Any, Any], shown: NamedDependency[QuotePages], clock: NamedDependency[Clock]
    ) -> Template:
        today = clock().date()
        typed = {
            "tenant": request.query_params.get("tenant", "")[:253],
            "starts_on": today.isoformat(),
            "valid_until": (today + _GOOD_FOR).isoformat(),
            "term_months": "12",
            "period_months": "12",
            "days_to_pay": "30",
        }
        return shown.form(typed)

    @post("/new", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def make(self, request: Request[Any, Any, Any], shown: NamedDependency[QuotePages]) -> Response[Any]:
        typed = await read_form(request)
        try:
            made = await shown.quotes.make(contract_forms.terms(typed), shown.member.email)
        except _REFUSALS as error:
            return shown.form(typed, error)
        return Redirect(f"{QUOTES}/{made.id}?done=made", status_code=HTTP_303_SEE_OTHER)

    @get("/{quote:int}", name="quote")
    async def one(
        self, request: Request[Any, Any, Any], quote: FromPath[int], shown: NamedDependency[QuotePages]
    ) -> Template:
        return await shown.one(quote, done=request.query_params.get("done", ""))

    @get("/{quote:int}/edit", dependencies=_SELLERS)
    async def edit_page(self, quote: FromPath[int], shown: NamedDependency[QuotePages]) -> Template:
        return shown.form(contract_forms.typed((await shown.quotes.get(quote)).terms), number=quote)

    @post("/{quote:int}/edit", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def edit(
        self, request: Request[Any, Any, Any], quote: FromPath[int], shown: NamedDependency[QuotePages]
    ) -> Response[Any]:
        typed = await read_form(request)
        try:
            await shown.quotes.change(quote, contract_forms.terms(typed), shown.member.email)
        except _REFUSALS as error:
            return shown.form(typed, error, quote)
        return Redirect(f"{QUOTES}/{quote}?done=changed", status_code=HTTP_303_SEE_OTHER)

    @post("/{quote:int}/send", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def send(self, quote: FromPath[int], shown: NamedDependency[QuotePages]) -> Response[Any]:
        return await shown.apply(quote, shown.quotes.send(quote, shown.member.email), "sent")

    @post("/{quote:int}/withdraw", status_code=HTTP_303_SEE_OTHER, dependencies=_SELLERS)
    async def withdraw(
        self, request: Request[Any, Any, Any], quote: FromPath[int], shown: NamedDependency[QuotePages]
    ) -> Response[Any]:
        why = (await read_form(request)).get("reason", "").strip()
        if errors := tenant_forms.reason_errors(why):
            return await shown.one(quote, InvalidInputError.of_all(errors))
        change = shown.quotes.withdraw(quote, Withdraw(reason=why), shown.member.email)
        return await shown.apply(quote, change, "withdrawn")
