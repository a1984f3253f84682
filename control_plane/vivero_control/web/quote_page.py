"""The customer's page of a quote, behind the mailed link: looked at, accepted or declined.

The link's secret is in no address that a server sees: the page posts it, and keeps it in its forms.
"""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, LinkSpentError, WebError
from vivero_web.links import secret_in
from vivero_web.rate_limit import SECRETS, Counted

from vivero_control.domain.contracts.jobs import PAGE
from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import Acceptance, QuoteState, QuoteView
from vivero_control.settings import Settings
from vivero_control.web import contract_lines
from vivero_control.web.site import form_page

_REFUSALS: Final = (InvalidInputError, ConflictError)


class QuoteForm(Struct, kw_only=True):
    """The forms' fields as typed."""

    code: str = ""
    name: str = ""
    order_number: str = ""
    agrees: str = ""
    terms: str = ""
    reason: str = ""

    def __repr__(self) -> str:
        """Without the code: a repr ends in logs."""
        return "QuoteForm(…)"


def _open_page(settings: Settings, error: WebError | None = None, code: str = "") -> Template:
    return form_page("quote_open", settings, error, code=code)


def _page(settings: Settings, quote: QuoteView, form: QuoteForm, error: WebError | None = None) -> Template:
    return form_page(
        "quote_shown",
        settings,
        error,
        quote=quote,
        headline=contract_lines.headline(quote),
        price=contract_lines.price(quote.terms, quote.totals),
        limits=contract_lines.limits(quote.terms.limits),
        term=contract_lines.term(quote.terms.term_months),
        is_open=quote.state is QuoteState.SENT,
        form=form,
        terms_version=TERMS_VERSION,
    )


class QuotePageController(Controller):
    """For who has the link."""

    path = PAGE
    include_in_schema = False

    @get("/", sync_to_thread=False)
    def page(self, quotes: NamedDependency[QuoteService], settings: NamedDependency[Settings]) -> Template:
        quotes.check_on()
        return _open_page(settings)

    @post("/", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def open(
        self,
        request: Request[Any, Any, Any],
        quotes: NamedDependency[QuoteService],
        settings: NamedDependency[Settings],
    ) -> Template:
        form = await read_form_as(request, QuoteForm)
        form.code = secret_in(form.code)
        try:
            return _page(settings, await quotes.opened(form.code), form)
        except LinkSpentError as error:
            return _open_page(settings, error, form.code)

    @post("/accept", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def accept(
        self,
        request: Request[Any, Any, Any],
        quotes: NamedDependency[QuoteService],
        settings: NamedDependency[Settings],
    ) -> Template:
        form = await read_form_as(request, QuoteForm)
        said = Acceptance(name=form.name, order_number=form.order_number, agrees=bool(form.agrees), terms=form.terms)
        try:
            return _page(settings, await quotes.accept(form.code, said), form)
        except LinkSpentError as error:
            return _open_page(settings, error, form.code)
        except _REFUSALS as error:
            return _page(settings, await quotes.opened(form.code), form, error)

    @post("/decline", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def decline(
        self,
        request: Request[Any, Any, Any],
        quotes: NamedDependency[QuoteService],
        settings: NamedDependency[Settings],
    ) -> Template:
        form = await read_form_as(request, QuoteForm)
        try:
            return _page(settings, await quotes.decline(form.code, form.reason), form)
        except LinkSpentError as error:
            return _open_page(settings, error, form.code)
        except _REFUSALS as error:
            return _page(settings, await quotes.opened(form.code), form, error)
