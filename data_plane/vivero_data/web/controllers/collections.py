"""Collections: the list, the form for a new one, its fields, its deletion."""

import re
from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError

from vivero_data.domain.collections.schemas import (
    CONTENT_BYTES,
    CollectionQuery,
    NewCollection,
    NewField,
)
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.field_options import typed_options
from vivero_data.web.field_rows import MAX_ROWS, FieldRow, apply_action, first_rows, parse_rows
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.listing import address, collection_href, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_PLACE: Final = re.compile(r"^fields\[(\d{1,3})\]\.(?:options\.)?(\w+)$")
TYPE_LABELS: Final = tuple((one, one.kind.label) for one in FieldType)
UNIQUE_LABELS: Final = (
    ("", "Allowed"),
    ("exact", "Refused if exactly equal"),
    ("alike", "Refused if it reads alike"),
)


@get("/collections")
async def collection_list(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], collections: NamedDependency[CollectionService]
) -> Html:
    here = address("/collections", request.query_params.multi_items(), "q", "cursor", "back")
    search = here.get("q").strip()
    page = await collections.browse(visit.actor, CollectionQuery(cursor=here.get("cursor") or None, search=search))
    context = {"page": page, "search": search, "page_links": page_links(here, page.next_cursor)}
    return show(visit, "collections/list.html.j2", context)


@get("/new-collection")
async def new_collection(visit: NamedDependency[Visit]) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, "add collections")
    return _form(visit, {}, first_rows())


@post("/new-collection", request_max_body_size=CONTENT_BYTES)
async def create_collection(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], collections: NamedDependency[CollectionService]
) -> Response[Any]:
    require(visit, Permission.MANAGE_COLLECTIONS, "add collections")
    form = await read_form(request)
    rows = parse_rows(form)
    changed = apply_action(rows, form.get("action", ""))
    if changed is not None:
        return _form(visit, form, changed, focus=len(changed) - 1 if len(changed) > len(rows) else None)
    try:
        made = await collections.create(visit.actor, definition(form, rows))
    except FORM_ERRORS as error:
        return _form(visit, form, rows, problem=error)
    return done(collection_href(made.name), "collection-created")


def definition(form: dict[str, str], rows: list[FieldRow]) -> NewCollection:
    """The definition in the form; rows without a name are left out.

    Raises:
        InvalidInputError: no row has a name, or a type is unknown.
    """
    named = [row for row in rows if not row.blank]
    if not named:
        raise InvalidInputError.of("fields", "need at least one with a name")
    known = {str(kind) for kind, _ in TYPE_LABELS}
    unknown = next((row for row in named if row.type not in known), None)
    if unknown:
        raise InvalidInputError.of("fields", f"have no type {unknown.type}")
    fields = [
        NewField(
            name=row.name.strip(),
            type=FieldType(row.type),
            required=row.required,
            unique=row.unique in {"exact", "alike"},
            exact=row.unique == "exact" if row.unique and kind.exact is not None else None,
            choices=row.choice_list if kind.has_choices else [],
            options=typed_options(kind, row.choice_list, row.options),
        )
        for row, kind in ((row, FieldType(row.type).kind) for row in named)
    ]
    return NewCollection(
        name=form.get("name", "").strip(), description=form.get("description", "").strip(), fields=fields
    )


def row_errors(rows: list[FieldRow], errors: Mapping[str, str]) -> dict[int, str]:
    """The service's errors by row of the form; the service counts only rows with a name."""
    numbers = [number for number, row in enumerate(rows) if not row.blank]
    found: dict[int, str] = {}
    for place, message in errors.items():
        match = _PLACE.match(place)
        if match and int(match[1]) < len(numbers):
            said = message if match[2] == "name" else f"{match[2].capitalize()} {message[:1].lower()}{message[1:]}"
            found.setdefault(numbers[int(match[1])], said)
    return found


def _form(
    visit: Visit,
    form: dict[str, str],
    rows: list[FieldRow],
    *,
    problem: WebError | None = None,
    focus: int | None = None,
) -> Html:
    errors = field_errors(problem) if problem else {}
    context = {
        "form": form,
        "rows": rows,
        "full": len(rows) >= MAX_ROWS,
        "type_labels": TYPE_LABELS,
        "unique_labels": UNIQUE_LABELS,
        "problem": problem,
        "errors": errors,
        "row_errors": row_errors(rows, errors),
        "focus": focus,
    }
    return show(visit, "collections/new.html.j2", context, status=problem.status if problem else 200)
