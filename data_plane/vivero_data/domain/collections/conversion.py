"""A value of one field as a value of another: what a change of type does to each record; pure."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from vivero_data.domain.collections.schemas import Field, parse, present
from vivero_data.domain.field_types.kind import AmbiguousInput, InvalidValueError, Operator
from vivero_data.lib.notation import UNSET, Notation

Value = Any
"""A column's value, or what services have; each function says which."""


def converted(old: Field, new: Field, stored: Value, notation: Notation = UNSET) -> Value:
    """A value of the old field's column as one of the new field's; texts are read in a notation.

    Raises:
        InvalidValueError: there is none; the message says what the new field expects.
    """
    if stored is None:
        return None
    refusal = InvalidValueError("is nothing that it can hold")
    for first, spelled in enumerate(_spellings(present(old, stored), new, notation)):
        if spelled == "":
            return None
        try:
            return parse(new, spelled)
        except InvalidValueError as error:
            refusal = refusal if first else error
    raise refusal


def restored(old: Field, new: Field, was: Value, stored: Value, notation: Notation = UNSET) -> Value:
    """The old field's value again: what it was if the new field's value was only made from it, else what became of it.

    Raises:
        InvalidValueError: the new field's value was written since, and the old field cannot hold it.
    """
    try:
        made = present(new, converted(old, new, was, notation))
    except InvalidValueError:
        made = None
    return was if made == present(new, stored) else converted(new, old, stored, notation)


def from_text(field: Field, text: str | None) -> Value:
    """A column's value from the text that the database writes it as."""
    return None if text is None else parse(field, field.kind.from_cursor(text))


def _spellings(value: Value, new: Field, notation: Notation) -> Iterator[Value]:
    """The value as services have it, in the ways in which another type may understand it, the most exact first."""
    match value:
        case bool():
            yield from (value, "yes" if value else "no", int(value))
        case int() | Decimal():
            yield from (value, f"{Decimal(value):f}")
            if value in {0, 1}:
                yield bool(value)
        case datetime():
            yield from (value.isoformat().replace("+00:00", "Z"), value.date().isoformat())
        case date():
            yield from (value.isoformat(), f"{value.isoformat()}T00:00:00Z")
        case str():
            if Operator.CONTAINS in new.kind.operators:
                yield from (value, value.strip())
                return
            read = new.kind.read_condition(value, notation)
            yield "" if read is None else read
            if not isinstance(read, AmbiguousInput):  # of what has two meanings, none is taken
                yield value
        case list():
            yield from (value, ", ".join(map(str, value)))
        case _:
            yield value
