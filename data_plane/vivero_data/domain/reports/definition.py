"""Rules of a report's definition, and its stored form, which names fields by their numbers; pure."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.names import name_problem, text_problem
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.filters import as_json, parse_tree, renamed
from vivero_data.domain.records.query import Column, column_of
from vivero_data.domain.records.where import compiled
from vivero_data.domain.reports.schemas import MAX_DESCRIPTION, Definition, Function, Grouping, Kind, Measure

GROUPINGS: Final = {
    Kind.TABLE: (0, 2),
    Kind.BAR: (1, 2),
    Kind.STACKED_BAR: (2, 2),
    Kind.LINE: (1, 2),
    Kind.AREA: (1, 2),
    Kind.PIE: (1, 1),
    Kind.NUMBER: (0, 0),
    Kind.PIVOT: (2, 2),
}
"""How few and how many groupings a kind can show."""


class Stored(msgspec.Struct, frozen=True):
    """A definition whose fields are numbers as text; `names` are those that the fields had when it was saved."""

    definition: Definition
    names: dict[str, str]


def check_names(name: str, description: str) -> None:
    """Check the words of a report or dashboard.

    Raises:
        InvalidInputError: naming every one at fault.
    """
    problems = {"name": name_problem(name), "description": text_problem(description, MAX_DESCRIPTION)}
    errors = [FieldError(place, problem) for place, problem in problems.items() if problem]
    if errors:
        raise InvalidInputError.of_all(errors)


def check(collection: Collection, definition: Definition) -> None:
    """Check that the definition fits the collection.

    Raises:
        InvalidInputError: naming every place at fault.
    """
    errors = [FieldError(place, problem) for place, problem in _problems(collection, definition) if problem]
    if errors:
        raise InvalidInputError.of_all(errors)
    if definition.where is not None:
        compiled(collection, parse_tree(definition.where))


def _problems(collection: Collection, definition: Definition) -> Iterator[tuple[str, str | None]]:
    least, most = GROUPINGS[definition.kind]
    if not least <= len(definition.group_by) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        yield "group_by", f"must be {count} for {definition.kind.value.replace('_', ' ')}"
    for index, grouping in enumerate(definition.group_by):
        column = column_of(collection, grouping.field)
        if column is None:
            yield f"group_by[{index}].field", f"names no field of {collection.name}"
        else:
            yield f"group_by[{index}].field", _ungroupable(column)
            yield f"group_by[{index}].by", _period_problem(column, grouping)
    if len({(tidy(one.field), one.by) for one in definition.group_by}) < len(definition.group_by):
        yield "group_by", "must be different"
    for index, measure in enumerate(definition.measures):
        yield f"measures[{index}].field", _measure_problem(collection, measure)


def _ungroupable(column: Column) -> str | None:
    kind = column.field.kind
    return None if kind.sortable else f"cannot be {column.field.name}, a {kind.label.lower()}"


def _period_problem(column: Column, grouping: Grouping) -> str | None:
    if column.field.kind.dated:
        return None if grouping.by else "must say by which period"
    return "is only for dates and times" if grouping.by else None


def _measure_problem(collection: Collection, measure: Measure) -> str | None:
    if measure.field is None:
        return None if measure.function is Function.COUNT else "must name a number"
    column = column_of(collection, measure.field)
    if column is None:
        return f"names no field of {collection.name}"
    kind = column.field.kind
    if kind.summable or (measure.function is Function.COUNT and not kind.virtual):
        return None
    return f"cannot be {column.field.name}, a {kind.label.lower()}"


def stored_form(collection: Collection, definition: Definition) -> Stored:
    """The definition by numbers; it was checked."""
    numbers = {field.name: str(field.id) for field in collection.fields}
    used: dict[str, str] = {}

    def number(name: str) -> str:
        known = numbers.get(tidy(name))
        if known is None:
            return tidy(name)  # one of the columns that every record has
        used[known] = tidy(name)
        return known

    return Stored(_mapped(definition, number), used)


def named_form(collection: Collection, stored: Stored) -> tuple[Definition, list[str]]:
    """The definition by today's names, and the last known names of the fields that are gone."""
    names = {str(field.id): field.name for field in collection.fields}
    gone: dict[str, str] = {}

    def name(number: str) -> str:
        if not number.isdecimal():
            return number
        if number not in names:
            gone[number] = stored.names.get(number, number)
        return names.get(number, stored.names.get(number, number))

    return _mapped(stored.definition, name), list(gone.values())


def last_known(stored: Stored) -> Definition:
    """The definition by the names of when it was saved, for when its collection is gone."""
    return _mapped(stored.definition, lambda number: stored.names.get(number, number))


def _mapped(definition: Definition, rename: Callable[[str], str]) -> Definition:
    where = as_json(renamed(parse_tree(definition.where), rename)) if definition.where is not None else None
    return msgspec.structs.replace(
        definition,
        where=where,
        group_by=tuple(msgspec.structs.replace(one, field=rename(one.field)) for one in definition.group_by),
        measures=tuple(
            msgspec.structs.replace(one, field=rename(one.field)) if one.field is not None else one
            for one in definition.measures
        ),
    )
