"""Many records at once: what was ticked in a table, or all that match, is changed, copied or deleted; and undone."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import CONTENT_BYTES, Collection, Field
from vivero_data.domain.records.bulk import AT_ONCE, Action, Bulk, Matching
from vivero_data.domain.records.selections import BulkService
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.views.service import ViewService
from vivero_data.web.forms import FORM_ERRORS, Form, field_errors
from vivero_data.web.inputs import record_values, typed_values
from vivero_data.web.list_state import ListState, shown_in
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.toolbar import load

_ROW: Final = "row-"
_SAID: Final = {Action.EDIT: "records-changed", Action.DUPLICATE: "records-copied", Action.DELETE: "records-deleted"}


class Selected(msgspec.Struct, frozen=True):
    """Which records, and what is to become of them; `count` is None where it is not known."""

    action: Action
    ids: tuple[int, ...]
    every: bool
    count: int | None


@post("/collections/{name:str}/selection", request_max_body_size=CONTENT_BYTES)
async def change_selection(  # noqa: PLR0913, PLR0917  the services of one page
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
    bulk: NamedDependency[BulkService],
) -> Response[Any]:
    """Asks what is to be done, and does it when the form says so."""
    require(visit, Permission.WRITE_RECORDS, "change records")
    form = await read_form(request)
    shown = shown_in(collection, form.get("shown", ""))
    state, _ = await load(visit.actor, collection, views, shown.items, request.cookies)
    every = bool(form.get("every"))
    ids = () if every else selected_ids(form)
    if form.get("action") not in set(Action) or not (ids or every):
        return done(str(shown))
    count: int | None = len(ids)
    if every:
        counted = await records.count(visit.actor, collection.name, state.query, exact=False)
        count = counted.count if counted.exact else None
    chosen = Selected(Action(form["action"]), ids, every, count)
    field = next((one for one in collection.fields if one.name == form.get("field")), None)
    if form.get("step") != "do" or (chosen.action is Action.EDIT and field is None):
        return _ask(visit, state, chosen, field)
    try:
        made = await bulk.start(visit.actor, collection.name, _order(visit, state, chosen, field, form))
    except FORM_ERRORS as error:
        return _ask(visit, state, chosen, field, form, problem=error)
    if made.job:
        return done(f"/jobs/{made.job}")
    return done(str(shown), _SAID[chosen.action], made.records, made.entry)


def selected_ids(form: Form) -> tuple[int, ...]:
    """The records that were ticked, each an input of its own."""
    numbers = (whole_number(name.removeprefix(_ROW)) for name in form if name.startswith(_ROW))
    return tuple(sorted({number for number in numbers if number}))[:AT_ONCE]


def _order(visit: Visit, state: ListState, chosen: Selected, field: Field | None, form: Form) -> Bulk:
    query = state.query
    value = record_values([field], form, visit.notation)[field.name] if field else None
    return Bulk(
        chosen.action,
        chosen.ids,
        Matching(query.filters, query.where, query.search),
        field.name if field and chosen.action is Action.EDIT else "",
        value,
    )


def _ask(  # noqa: PLR0913  one place composes the form in all its states
    visit: Visit,
    state: ListState,
    chosen: Selected,
    field: Field | None,
    form: Mapping[str, str] | None = None,
    *,
    problem: WebError | None = None,
) -> Response[Any]:
    errors = field_errors(problem) if problem else {}
    typed = typed_values([field], form)[field.name] if field and form else ""
    context = {
        "collection": state.collection,
        "chosen": chosen,
        "shown": state.here,
        "narrowed": state.narrowed,
        "field": field,
        "options": [
            ("", "Choose one"),
            *(
                (one.name, one.name)
                for one in state.collection.fields
                if not (one.unique or one.kind.computed or one.kind.uploaded)
            ),
        ],
        "typed": typed,
        "problem": problem,
        "error": errors.get(field.name, "") if field else "",
    }
    return show(visit, "records/selection.html.j2", context, status=problem.status if problem else 200)
