"""The fields of a collection: listed, added, changed with a look at what that does, put in order, deleted."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError
from vivero_web.fields import LARGEST
from vivero_web.text import tidy

from vivero_data.domain.collections.fields import FieldNotFoundError, FieldService
from vivero_data.domain.collections.schemas import (
    CONTENT_BYTES,
    Collection,
    CollectionChanges,
    Field,
    FieldChange,
    FieldChanges,
    NewField,
)
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.formulas.tree import written
from vivero_data.domain.formulas.values import NAMES
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.controllers.collections import TYPE_LABELS, UNIQUE_LABELS
from vivero_data.web.field_options import INPUTS, typed_options
from vivero_data.web.field_rows import FieldRow
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.listing import collection_href
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_CHANGE: Final = "change the fields of collections"


@get("/collections/{name:str}/fields")
async def collection_fields(visit: NamedDependency[Visit], collection: NamedDependency[Collection]) -> Html:
    return _list(visit, collection)


@post("/collections/{name:str}/settings")
async def change_collection(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
) -> Response[Any]:
    """Its name and description."""
    require(visit, Permission.MANAGE_COLLECTIONS, "change collections")
    form = await read_form(request)
    wanted = CollectionChanges(name=form.get("name", ""), description=form.get("description", ""))
    try:
        made = await fields.edit(visit.actor, collection.name, wanted)
    except FORM_ERRORS as error:
        return _list(visit, collection, form=form, problem=error)
    return done(fields_href(made.name), "collection-saved")


@post("/collections/{name:str}/order")
async def move_field(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
) -> Response[Any]:
    """One field up or down, by the buttons in its row."""
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    form = await read_form(request)
    ordered = moved([field.name for field in collection.fields], form.get("up", ""), form.get("down", ""))
    await fields.edit(visit.actor, collection.name, CollectionChanges(fields=ordered))
    return done(fields_href(collection.name))


@post("/collections/{name:str}/delete")
async def delete_collection(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    collections: NamedDependency[CollectionService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_COLLECTIONS, "delete collections")
    form = await read_form(request)
    if tidy(form.get("confirm", "")) != collection.name:
        message = f"Type {collection.name} to delete it."
        return _list(visit, collection, confirm=form.get("confirm", ""), refusal=message)
    entry = await collections.delete(visit.actor, collection.name)
    return done("/collections", "collection-deleted", entry=entry)


@get("/collections/{name:str}/new-field")
async def new_field(visit: NamedDependency[Visit], collection: NamedDependency[Collection]) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    return _form(visit, collection, None, FieldRow())


@post("/collections/{name:str}/new-field", request_max_body_size=CONTENT_BYTES)
async def add_field(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    row = typed_row(await read_form(request))
    try:
        made = await fields.add(visit.actor, collection.name, NewField(**_said(row)))
    except FORM_ERRORS as error:
        return _form(visit, collection, None, row, problem=error)
    return _done(collection, made, "field-added")


@post("/collections/{name:str}/formula")
async def try_formula(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
    field: Annotated[int, QueryParameter(ge=0, le=LARGEST)] = 0,
) -> Html:
    """What a formula gives, or where it is wrong, while it is typed: a part of the form."""
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    form = await read_form(request)
    trial = await fields.try_formula(visit.actor, collection.name, form.get("formula", ""), field)
    gives = NAMES[trial.field.options.result] if trial.field else ""
    return show(visit, "collections/formula_said.html.j2", {"trial": trial, "gives": gives})


@get("/collections/{name:str}/fields/{field_id:int}")
async def field_page(
    visit: NamedDependency[Visit], collection: NamedDependency[Collection], field_id: FromPath[int]
) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    field = _field(collection, field_id)
    return _form(visit, collection, field, row_of(field))


@post("/collections/{name:str}/fields/{field_id:int}", request_max_body_size=CONTENT_BYTES)
async def change_field(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
    field_id: FromPath[int],
) -> Response[Any]:
    """Change it; what costs values or rules is shown first, and done when it is confirmed."""
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    form = await read_form(request)
    field, row = _field(collection, field_id), typed_row(form)
    try:
        wanted = changes(field, row)
        foreseen = await fields.change(visit.actor, collection.name, field.name, wanted, preview=True)
        if needs_a_look(field, foreseen) and form.get("confirmed") != confirmation(foreseen):
            return _form(visit, collection, field, row, foreseen=foreseen)
        made = await fields.change(visit.actor, collection.name, field.name, wanted)
    except FORM_ERRORS as error:
        return _form(visit, collection, field, row, problem=error)
    return _done(collection, made, "field-saved")


@post("/collections/{name:str}/fields/{field_id:int}/delete")
async def delete_field(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    fields: NamedDependency[FieldService],
    field_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_COLLECTIONS, _CHANGE)
    field = _field(collection, field_id)
    try:
        made = await fields.delete(visit.actor, collection.name, field.name)
    except FORM_ERRORS as error:
        return _form(visit, collection, field, row_of(field), problem=error)
    return done(fields_href(collection.name), "field-deleted", entry=made.undo or 0)


def fields_href(name: str) -> str:
    """The page of a collection's fields."""
    return f"{collection_href(name)}/fields"


def moved(names: list[str], up: str, down: str) -> list[str]:
    """The names with one moved by one place; as they are if it is none of them, or at the end."""
    name, step = (up, -1) if up else (down, 1)
    ordered = list(names)
    if name in ordered:
        place = ordered.index(name)
        ordered.remove(name)
        ordered.insert(max(place + step, 0), name)
    return ordered


def typed_row(form: Mapping[str, str]) -> FieldRow:
    """A field as its form has it."""
    return FieldRow(
        name=form.get("name", ""),
        type=form.get("type", "text"),
        required="required" in form,
        unique=form.get("unique", ""),
        choices=form.get("choices", ""),
        options={name: form[name] for name in INPUTS if name in form},
    )


def row_of(field: Field) -> FieldRow:
    """A field as its form shows it at first."""
    options = msgspec.to_builtins(field.options)
    typed = {name: str(options[name]) for name in INPUTS if name in options}
    return FieldRow(
        name=field.name,
        type=field.type.value,
        required=field.required,
        unique=("exact" if field.exact or field.kind.exact is None else "alike") if field.unique else "",
        choices=", ".join(field.choices),
        options=typed | ({"coloured": "on"} if field.options.colours else {}),
    )


def changes(field: Field, row: FieldRow) -> FieldChanges:
    """What the form changes about a field.

    Raises:
        InvalidInputError: there is no such type.
    """
    before = row_of(field)
    said = {name: value for name, value in _said(row).items() if name in _CHANGED and value is not None}
    if row.choices == before.choices and row.type == before.type:
        said["choices"] = list(field.choices)  # one of them may have a comma
        if row.options == before.options:
            said["options"] = field.options
    return FieldChanges(**said)


_CHANGED: Final = frozenset(FieldChanges.__struct_fields__)


def _said(row: FieldRow) -> dict[str, Any]:
    if row.type not in {str(kind) for kind, _ in TYPE_LABELS}:
        raise InvalidInputError.of("type", f"is no type of field: {row.type[:20]}")
    kind = FieldType(row.type).kind
    choices = row.choice_list if kind.has_choices else []
    return {
        "name": row.name.strip(),
        "type": FieldType(row.type),
        "required": row.required,
        "unique": row.unique in {"exact", "alike"},
        "exact": row.unique == "exact" if row.unique and kind.exact is not None else None,
        "choices": choices,
        "options": typed_options(kind, choices, row.options),
    }


def needs_a_look(field: Field, foreseen: FieldChange) -> bool:
    """Whether somebody has to see what a change does before it is made."""
    after = foreseen.field or field
    lost = foreseen.will_become_empty or (foreseen.missing and after.required and not field.required)
    return bool(foreseen.records and (lost or after.type != field.type))


def confirmation(foreseen: FieldChange) -> str:
    """What a person confirms; something else in the form, or other values meanwhile, are shown again."""
    after = foreseen.field
    choices = "\n".join(after.choices) if after else ""
    said = f"{after.type if after else ''}.{foreseen.will_become_empty}.{foreseen.missing}.{choices}"
    return sha256(said.encode()).hexdigest()[:16]


def _field(collection: Collection, field_id: int) -> Field:
    for field in collection.fields:
        if field.id == field_id:
            return field
    raise FieldNotFoundError


def _done(collection: Collection, made: FieldChange, said: str) -> Response[Any]:
    if made.job:
        return done(f"/jobs/{made.job}")
    return done(fields_href(collection.name), said, entry=made.undo or 0)


def _list(  # noqa: PLR0913  one place composes the page in all its states
    visit: Visit,
    collection: Collection,
    *,
    form: Mapping[str, str] | None = None,
    problem: WebError | None = None,
    confirm: str = "",
    refusal: str = "",
) -> Html:
    context = {
        "collection": collection,
        "type_labels": dict(TYPE_LABELS),
        "form": form or {"name": collection.name, "description": collection.description},
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
        "confirm": confirm,
        "refusal": refusal,
    }
    status = problem.status if problem else 422 if refusal else 200
    return show(visit, "collections/fields.html.j2", context, status=status)


def _form(  # noqa: PLR0913  one place composes the form in all its states
    visit: Visit,
    collection: Collection,
    field: Field | None,
    row: FieldRow,
    *,
    foreseen: FieldChange | None = None,
    problem: WebError | None = None,
) -> Html:
    choosable = [
        (one, words)
        for one, words in TYPE_LABELS
        if not field or one == field.type or not (one.kind.computed or one.kind.refers or one.kind.uploaded)
    ]
    from vivero_data.domain.formulas.functions import FUNCTIONS  # noqa: PLC0415  an idle pod does not hold it

    context = {
        "collection": collection,
        "field": field,
        "names": [written(one.name) for one in collection.fields if one != field],
        "functions": FUNCTIONS,
        "row": row,
        "foreseen": foreseen,
        "confirmation": confirmation(foreseen) if foreseen else "",
        "type_labels": choosable,
        "labels": dict(TYPE_LABELS),
        "unique_labels": UNIQUE_LABELS,
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
    }
    return show(visit, "collections/field.html.j2", context, status=problem.status if problem else 200)
