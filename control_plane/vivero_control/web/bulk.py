"""The staff's page about an order for several tenants: what it would do to each, then what it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from litestar import Controller, Request, post
from litestar.di import NamedDependency, Provide
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK
from msgspec import convert, structs
from vivero_web.bodies import read_form
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.bulk import (
    MOST,
    BulkAction,
    BulkOrder,
    BulkOrders,
    BulkResult,
    Order,
    Outcome,
    Target,
)
from vivero_control.web import presentation, tenant_forms
from vivero_control.web.staff_shell import HOME, shell
from vivero_control.web.tenant_forms import ActionForm

BULK: Final = "/staff/bulk"
CHOSEN: Final = "tenant."
"""Begins the name of a field that chooses a tenant; its value is the generation, once that was seen."""
WORDS: Final = {
    BulkAction.SUSPEND: ("Suspend", "suspended"),
    BulkAction.RESUME: ("Resume", "resumed"),
    BulkAction.EXTEND: ("Extend the trials of", "extended"),
}


def chosen(typed: Mapping[str, str]) -> list[Target]:
    """Raises InvalidInputError for none, and for more than a page has."""
    found = [
        Target(name=name.removeprefix(CHOSEN), generation=whole_number(value))
        for name, value in typed.items()
        if name.startswith(CHOSEN)
    ]
    if not 0 < len(found) <= MOST:
        raise InvalidInputError.of("tenants", f"Choose at least one tenant, and at most {MOST}.")
    return found


def action_in(typed: Mapping[str, str]) -> BulkAction:
    """Raises InvalidInputError."""
    if typed.get("action") not in set(BulkAction):
        raise InvalidInputError.of("action", "Choose what is to be done.")
    return BulkAction(typed["action"])


def proposed(action: BulkAction, form: ActionForm, now: datetime) -> Order:
    """What a preview asks, also before anything was typed; the form then has the end of trials that it proposes."""
    end = tenant_forms.last_moment(form.trial_ends_on) or presentation.proposed_end(now, now)
    if not form.trial_ends_on:
        form.trial_ends_on = end.date().isoformat()
    return Order(action=action, reason=form.reason, trial_ends_at=end)


def order(action: BulkAction, form: ActionForm) -> Order:
    """What was typed, by the rules of an order for one. Raises InvalidInputError."""
    made = Order(action=action, reason=form.reason.strip())
    if action is BulkAction.SUSPEND:
        one = tenant_forms.suspend(form)
        return structs.replace(made, kind=one.kind, message=one.message)
    if action is BulkAction.EXTEND:
        return structs.replace(made, trial_ends_at=tenant_forms.extend_trial(form).trial_ends_at)
    tenant_forms.resume(form)
    return made


class BulkController(Controller):
    """Behind the staff login."""

    path = BULK
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @post("/", status_code=HTTP_200_OK)
    async def give(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        bulk: NamedDependency[BulkOrders],
        clock: NamedDependency[Clock],
    ) -> Template:
        """A preview, until the order is confirmed. Sent again, it is refused by each: they have changed since."""
        typed = await read_form(request)
        form = convert(typed, ActionForm)
        action, targets = action_in(typed), chosen(typed)
        errors: Mapping[str, str] = {}
        if "confirmed" in typed:
            try:
                given = BulkOrder(**structs.asdict(order(action, form)), tenants=targets)
                result = await bulk.give(given, member.email)
                return _page(member, action, result, form, errors)
            except InvalidInputError as error:
                errors = error.by_field
        looked_at = BulkOrder(**structs.asdict(proposed(action, form, clock())), tenants=targets, preview=True)
        result = await bulk.give(looked_at, member.email)
        return _page(member, action, result, form, errors)


def _page(
    member: StaffView, action: BulkAction, result: BulkResult, form: ActionForm, errors: Mapping[str, str]
) -> Template:
    context: dict[str, Any] = {
        "shell": shell(member),
        "here": BULK,
        "back": HOME,
        "action": action,
        "words": WORDS[action],
        "possible": result.of(Outcome.POSSIBLE),
        "done": result.of(Outcome.DONE),
        "refused": result.of(Outcome.REFUSED),
        "form": form,
        "errors": errors,
        "reasons": [(str(reason), said) for reason, said in presentation.REASONS.items()],
    }
    return Template("pages/bulk.html.j2", context=context, status_code=422 if errors else HTTP_200_OK)
