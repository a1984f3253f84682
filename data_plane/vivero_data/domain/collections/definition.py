"""Validation of a collection's definition: every rule about names, types and sizes; pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import MAX_ROW_BYTES, row_bytes
from vivero_data.domain.collections.conversion import converted
from vivero_data.domain.collections.names import fold, name_problem, path_problem, text_problem
from vivero_data.domain.collections.schemas import (
    MAX_CHOICES,
    MAX_DESCRIPTION,
    MAX_FIELDS,
    Collection,
    CollectionChanges,
    Field,
    FieldChanges,
    NewCollection,
    NewField,
    parse,
    present,
)
from vivero_data.domain.field_types.choice import Choice
from vivero_data.domain.field_types.kind import InvalidValueError

_NOT_YOURS: Final = "is not for what the workspace writes itself"
_UPLOADED: Final = "is not for files, which are added to a record that is there"
RESERVED: Final = frozenset({"id", "version", "created_at", "updated_at"})


def check(new: NewCollection) -> NewCollection:
    """The definition with its texts tidied.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    new = msgspec.structs.replace(
        new, name=tidy(new.name), description=new.description.strip(), fields=[_tidy_field(f) for f in new.fields]
    )
    errors = [
        *_errors("name", name_problem(new.name) or path_problem(new.name)),
        *_errors("description", text_problem(new.description, MAX_DESCRIPTION)),
        *_errors("fields", _fields_problem(new.fields)),
    ]
    for index, field in enumerate(new.fields[:MAX_FIELDS]):
        errors += _field_errors(f"fields[{index}].", field)
    if errors:
        raise InvalidInputError.of_all(errors)
    return new


def check_field(collection: Collection, new: NewField) -> NewField:
    """A field to add to a collection, its texts tidied.

    Raises:
        InvalidInputError: naming everything at fault.
    """
    new = _tidy_field(new)
    errors = _field_errors("", new)
    others = [as_new(field) for field in collection.fields]
    if len(others) >= MAX_FIELDS:
        errors += _errors("name", f"is one too many: a collection has at most {MAX_FIELDS} fields")
    return _checked(new, errors, others)


def changed(collection: Collection, field: Field, wanted: FieldChanges) -> Field:
    """A field with changes, still in its column. What is not said follows from a new type.

    Raises:
        InvalidInputError: naming everything at fault.
    """
    said = {name: getattr(wanted, name) for name in FieldChanges.__struct_fields__}
    said = {name: value for name, value in said.items() if value is not msgspec.UNSET}
    new = as_new(field)
    if said.get("type", field.type) != field.type:
        new = NewField(field.name, said["type"], required=field.required, unique=field.unique)
        said.setdefault("default", _converted_default(field, said))
    new = _tidy_field(msgspec.structs.replace(new, **said))
    errors = _field_errors("", new)
    if new.kind.refers and new.type != field.type:
        errors += _errors("type", "leads to something else in the workspace; add a new field for it")
    elif new.options.collection != field.options.collection and new.type == field.type:
        errors += _errors("options.collection", "stays the same; add a new field that leads to another collection")
    if new.kind.uploaded and new.type != field.type:
        errors += _errors("type", "holds files; add a new field for it")
    if new.kind.computed and new.type != field.type:
        errors += _errors("type", "is written by the workspace itself; add a new field for it")
    new = _checked(new, errors, [as_new(one) for one in collection.fields if one.id != field.id])
    return msgspec.structs.replace(as_field(new, field.id), column=field.column)


def moves(before: Field, after: Field) -> bool:
    """Whether the values need another column: they change form, some may not stay, or are compared otherwise."""
    fewer = before.type == after.type and not set(before.choices) <= set(after.choices)
    compared = before.unique and after.unique and before.exact != after.exact
    return before.holds != after.holds or before.type != after.type or fewer or compared


def edited(collection: Collection, wanted: CollectionChanges) -> Collection:
    """A collection with changes.

    Raises:
        InvalidInputError: naming everything at fault.
    """
    name = collection.name if wanted.name is msgspec.UNSET else tidy(wanted.name)
    description = collection.description if wanted.description is msgspec.UNSET else wanted.description.strip()
    by_name = {fold(field.name): field for field in collection.fields}
    order = list(by_name) if wanted.fields is msgspec.UNSET else [fold(one) for one in wanted.fields]
    whole = sorted(order) == sorted(by_name)
    errors = [
        *_errors("name", name_problem(name) or path_problem(name)),
        *_errors("description", text_problem(description, MAX_DESCRIPTION)),
        *_errors("fields", None if whole else "must name each field of the collection once"),
    ]
    if errors:
        raise InvalidInputError.of_all(errors)
    fields = tuple(by_name[one] for one in order)
    return msgspec.structs.replace(collection, name=name, description=description, fields=fields)


def as_new(field: Field) -> NewField:
    """A field as it might be defined anew."""
    said = {name: getattr(field, name) for name in NewField.__struct_fields__}
    said |= {"exact": None if field.kind.exact is None else field.exact, "choices": list(field.choices)}
    return NewField(**said)


def _checked(new: NewField, errors: list[FieldError], others: list[NewField]) -> NewField:
    if any(fold(one.name) == fold(new.name) for one in others):
        errors += _errors("name", "is the name of another field")
    if row_bytes(one.kind for one in (*others, new)) > MAX_ROW_BYTES:
        errors += _errors("type", "leaves no room in the records of this collection; make it long_text")
    if errors:
        raise InvalidInputError.of_all(errors)
    return new


def _converted_default(field: Field, said: Mapping[str, Any]) -> Any:  # noqa: ANN401  a field's value
    """What a new type makes of the default; none if it cannot hold it."""
    if field.default is None:
        return None
    new = as_field(NewField(field.name, said["type"], choices=said.get("choices", [])), field.id)
    try:
        made = converted(field, new, parse(field, field.default))
    except InvalidValueError:
        return None
    return None if made is None else msgspec.to_builtins(present(new, made), builtin_types=(Decimal,))


def as_field(new: NewField, field_id: int) -> Field:
    """The field as it will be stored."""
    return Field(
        id=field_id,
        column=field_id,
        name=new.name,
        type=new.type,
        required=new.required,
        unique=new.unique,
        exact=bool(new.kind.exact) if new.exact is None else new.exact,
        indexed=(new.indexed or new.unique) and new.kind.sortable,
        default=new.default,
        choices=tuple(new.choices),
        options=new.options,
    )


def _tidy_field(field: NewField) -> NewField:
    colours = {tidy(choice): colour for choice, colour in field.options.colours.items()}
    options = msgspec.structs.replace(field.options, colours=colours)
    choices = [tidy(choice) for choice in field.choices]
    return msgspec.structs.replace(field, name=tidy(field.name), choices=choices, options=options)


def _errors(field: str, problem: str | None) -> list[FieldError]:
    return [FieldError(field, problem)] if problem else []


def _fields_problem(fields: list[NewField]) -> str | None:
    if not fields:
        return "must have at least one field"
    if len(fields) > MAX_FIELDS:
        return f"must have at most {MAX_FIELDS} fields"
    if len({fold(field.name) for field in fields}) < len(fields):
        return "must have different names"
    if row_bytes(field.kind for field in fields) > MAX_ROW_BYTES:
        return "take too much room together; make some of them long_text"
    return None


def _field_errors(place: str, field: NewField) -> list[FieldError]:
    name = name_problem(field.name)
    if not name and fold(field.name) in RESERVED:
        name = "is a name that every record has already"
    errors = [*_errors(f"{place}name", name), *_errors(f"{place}choices", _choices_problem(field))]
    errors += [FieldError(f"{place}options.{name}", problem) for name, problem in _option_problems(field).items()]
    unfit = _NOT_YOURS if field.kind.computed else _UPLOADED if field.kind.uploaded else None
    errors += _errors(f"{place}required", unfit if field.required else None)
    errors += _errors(f"{place}default", unfit if field.default is not None else None)
    if field.unique and not field.kind.unique:
        errors += _errors(f"{place}unique", f"is not possible for {field.type.value}")
    if field.exact is not None and field.kind.exact is None:
        errors += _errors(f"{place}exact", "is only for texts; others are compared exactly")
    if field.default is not None and not errors:
        try:
            parse(as_field(field, 0), field.default)
        except InvalidValueError as error:
            errors += _errors(f"{place}default", str(error))
    return errors


def _option_problems(field: NewField) -> dict[str, str]:
    """What is wrong with the options of a field, by their names."""
    kind, said = field.kind, msgspec.to_builtins(field.options)
    unfit = {name: f"is not for {field.type.value}" for name in said if name not in kind.takes}
    strangers = [choice for choice in field.options.colours if choice not in field.choices]
    if "colours" in kind.takes and strangers:
        unfit["colours"] = f"has {strangers[0][:64]}, which is none of the choices"
    return {**kind.problems(field), **unfit}


def _choices_problem(field: NewField) -> str | None:
    if not field.kind.has_choices:
        return "are only for choice fields" if field.choices else None
    if not 1 <= len(field.choices) <= MAX_CHOICES:
        return f"must be 1 to {MAX_CHOICES}"
    if len({fold(choice) for choice in field.choices}) < len(field.choices):
        return "must be different"
    if not all(field.choices):
        return "must not be empty"
    problems = (text_problem(choice, Choice.characters) for choice in field.choices)
    return next((problem for problem in problems if problem), None)
