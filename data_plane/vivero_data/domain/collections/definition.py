"""Whether a collection can be defined so: every rule about names, types and sizes; pure."""

import re
import unicodedata
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.domain.collections.columns import CHOICE_LENGTH, MAX_ROW_BYTES, row_bytes
from vivero_data.domain.collections.schemas import Field, FieldType, NewCollection, NewField
from vivero_data.domain.records.values import UnfitValueError, parse

MAX_FIELDS: Final = 50
MAX_CHOICES: Final = 100
_MAX_NAME: Final = 64
_MAX_DESCRIPTION: Final = 500
_NAME: Final = re.compile(r"[^\W\d_][\w -]*")
_FORBIDDEN: Final = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
)  # control, direction, surrogates, private, separators
RESERVED: Final = frozenset({"id", "version", "created_at", "updated_at"})


def tidy(text: str) -> str:
    """A name as it is stored: composed characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def name_problem(name: str) -> str | None:
    """What is wrong with a collection's or field's name."""
    if not name:
        return "must not be empty"
    if len(name) > _MAX_NAME:
        return f"must have at most {_MAX_NAME} characters"
    if not _NAME.fullmatch(name):
        return "must begin with a letter and have only letters, digits, spaces, _ and -"
    return None


def check(new: NewCollection) -> NewCollection:
    """The definition with its texts tidied.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    new = msgspec.structs.replace(
        new, name=tidy(new.name), description=new.description.strip(), fields=[_tidy_field(f) for f in new.fields]
    )
    errors = [
        *_errors("name", name_problem(new.name)),
        *_errors("description", _text_problem(new.description, _MAX_DESCRIPTION)),
        *_errors("fields", _fields_problem(new.fields)),
    ]
    for index, field in enumerate(new.fields[:MAX_FIELDS]):
        errors += _field_errors(f"fields[{index}]", field)
    if errors:
        raise InvalidInputError.of_all(errors)
    return new


def as_field(new: NewField, field_id: int) -> Field:
    """The field as it will be stored."""
    return Field(
        id=field_id,
        name=new.name,
        type=new.type,
        required=new.required,
        unique=new.unique,
        indexed=(new.indexed or new.unique) and new.type is not FieldType.LONG_TEXT,
        default=new.default,
        choices=tuple(new.choices),
    )


def _tidy_field(field: NewField) -> NewField:
    return msgspec.structs.replace(field, name=tidy(field.name), choices=[tidy(choice) for choice in field.choices])


def _errors(field: str, problem: str | None) -> list[FieldError]:
    return [FieldError(field, problem)] if problem else []


def _text_problem(text: str, longest: int) -> str | None:
    if len(text) > longest:
        return f"must have at most {longest} characters"
    if any(unicodedata.category(char) in _FORBIDDEN and char not in "\n\t" for char in text):
        return "must not have control or direction characters"
    return None


def _fields_problem(fields: list[NewField]) -> str | None:
    if not fields:
        return "must have at least one field"
    if len(fields) > MAX_FIELDS:
        return f"must have at most {MAX_FIELDS} fields"
    folded = [field.name.casefold() for field in fields]
    if len(set(folded)) < len(folded):
        return "must have different names"
    if row_bytes(field.type for field in fields) > MAX_ROW_BYTES:
        return "take too much room together; make some of them long_text"
    return None


def _field_errors(place: str, field: NewField) -> list[FieldError]:
    name = name_problem(field.name)
    if not name and field.name.casefold() in RESERVED:
        name = "is a name that every record has already"
    errors = [*_errors(f"{place}.name", name), *_errors(f"{place}.choices", _choices_problem(field))]
    if field.unique and field.type in {FieldType.LONG_TEXT, FieldType.BOOLEAN}:
        errors += _errors(f"{place}.unique", f"is not possible for {field.type.value}")
    if field.default is not None and not errors:
        try:
            parse(as_field(field, 0), field.default)
        except UnfitValueError as error:
            errors += _errors(f"{place}.default", str(error))
    return errors


def _choices_problem(field: NewField) -> str | None:
    if field.type is not FieldType.CHOICE:
        return "are only for choice fields" if field.choices else None
    if not 1 <= len(field.choices) <= MAX_CHOICES:
        return f"must be 1 to {MAX_CHOICES}"
    if len({choice.casefold() for choice in field.choices}) < len(field.choices):
        return "must be different"
    if not all(field.choices):
        return "must not be empty"
    problems = (_text_problem(choice, CHOICE_LENGTH) for choice in field.choices)
    return next((problem for problem in problems if problem), None)
