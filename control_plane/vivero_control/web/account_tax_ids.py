"""The page on which the owner of a workspace sees and changes the company's tax ids, which stand on invoices."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import WebError

from vivero_control.domain.billing.provider import TAX_ID_KINDS
from vivero_control.domain.billing.tax_ids import VALUE_MAX, TaxIds
from vivero_control.web.account_plan import SHOWN, PlanPage
from vivero_control.web.account_shell import REFUSALS, Portal
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.site import ACCOUNT

PAGE: Final = f"{ACCOUNT}/tax-ids"
_STATES: Final = {
    "verified": StatusLabel("Found in the register", "success"),
    "unverified": StatusLabel("Not found in the register", "warning"),
    "pending": StatusLabel("Is looked up", "neutral"),
    "unavailable": StatusLabel("The register does not answer", "neutral"),
}
"""What came of the provider's look; of other kinds of numbers it has no register."""
_DONE: Final = {"added": "The tax id is added", "removed": "The tax id is removed"}


class TaxIdForm(Struct, kw_only=True):
    """The form's fields as typed."""

    kind: str = "eu_vat"
    value: str = ""


class RemoveForm(Struct, kw_only=True):
    """The provider's name of the one that is removed."""

    id: str = ""


class AccountTaxIdsController(Controller):
    """Added and removed; what was done is said on the page."""

    path = PAGE
    include_in_schema = False
    dependencies = SHOWN

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        tax_ids: NamedDependency[TaxIds],
    ) -> Template:
        done = _DONE.get(request.query_params.get("done", ""), "")
        return await _page(shown, portal, tax_ids, TaxIdForm(), done=done)

    @post("/", status_code=HTTP_303_SEE_OTHER)
    async def add(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        tax_ids: NamedDependency[TaxIds],
    ) -> Redirect | Template:
        form = await read_form_as(request, TaxIdForm)
        try:
            await tax_ids.add(portal.visit.tenant, form.kind, form.value, portal.visit.actor)
        except REFUSALS as error:
            return await _page(shown, portal, tax_ids, form, error)
        return Redirect(f"{PAGE}?done=added", status_code=HTTP_303_SEE_OTHER)

    @post("/remove", status_code=HTTP_303_SEE_OTHER)
    async def remove(
        self,
        request: Request[Any, Any, Any],
        shown: NamedDependency[PlanPage],
        portal: NamedDependency[Portal],
        tax_ids: NamedDependency[TaxIds],
    ) -> Redirect | Template:
        form = await read_form_as(request, RemoveForm)
        try:
            await tax_ids.remove(portal.visit.tenant, form.id, portal.visit.actor)
        except REFUSALS as error:
            return await _page(shown, portal, tax_ids, TaxIdForm(), error)
        return Redirect(f"{PAGE}?done=removed", status_code=HTTP_303_SEE_OTHER)


async def _page(  # noqa: PLR0913  what the page is made of
    shown: PlanPage,
    portal: Portal,
    tax_ids: TaxIds,
    form: TaxIdForm,
    error: WebError | None = None,
    *,
    done: str = "",
) -> Template:
    """The page of the plan, with the reason, where the provider does not say which there are."""
    try:
        found = await tax_ids.all(portal.visit.tenant)
    except REFUSALS as why:
        return await shown.render(error=error or why)
    return portal.page(
        "account_tax_ids",
        "/plan",
        error,
        tax_ids=[(one, TAX_ID_KINDS.get(one.kind, one.kind), _STATES.get(one.state)) for one in found],
        kinds=list(TAX_ID_KINDS.items()),
        value_max=VALUE_MAX,
        form=form,
        done=done,
    )
