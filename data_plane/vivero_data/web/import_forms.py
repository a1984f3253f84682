"""The form in which a person looks at an import's plan: what it shows, and what it says; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.cells import NUMERIC, TEMPORAL
from vivero_data.domain.imports.plan import ID
from vivero_data.domain.imports.schemas import ColumnOrder, ColumnPlan, ImportOrder, Mode, Plan
from vivero_data.lib.notation import Dates, Numbers
from vivero_data.web.forms import Form, sentence

LEFT_OUT: Final = "-"
_NUMBERS: Final = ((Numbers.COMMA, "1.234,50"), (Numbers.POINT, "1,234.50"))
_DATES: Final = (
    (Dates.DOTS, "31.12.2026"),
    (Dates.DAY_FIRST, "31/12/2026"),
    (Dates.MONTH_FIRST, "12/31/2026"),
    (Dates.ISO, "2026-12-31"),
)
_UNSAID: Final = {
    "numbers": "Choose how its numbers are written: each of them may be two.",
    "dates": "Choose how its dates are written: each of them may be two.",
    "field": "Choose a field, or leave the column out.",
}


class ColumnRow(msgspec.Struct, frozen=True):
    """One column in the form."""

    number: int
    name: str
    samples: tuple[str, ...]
    filled: int
    field: str
    """The chosen field, or the name of a new one; `LEFT_OUT`, or empty for none chosen."""
    type: FieldType
    notation: str
    notations: tuple[tuple[str, str], ...]
    error: str
    open: bool


def rows(plan: Plan, problem: InvalidInputError | None) -> list[ColumnRow]:
    """The plan's columns, with what is wrong with each once the form was sent."""
    errors: dict[str, FieldError] = {error.field: error for error in problem.errors} if problem else {}
    return [_row(number, column, errors) for number, column in enumerate(plan.columns)]


def _row(number: int, column: ColumnPlan, errors: Mapping[str, FieldError]) -> ColumnRow:
    error = errors.get(f"mapping.{column.name}")
    said = _UNSAID.get(column.open, sentence(error)) if error else ""
    notations, chosen = _notations(column)
    field = column.field or ("" if column.open == "field" else LEFT_OUT)
    return ColumnRow(
        number,
        column.name,
        column.samples,
        column.filled,
        field,
        column.type,
        chosen,
        notations,
        said,
        bool(column.open),
    )


def _notations(column: ColumnPlan) -> tuple[tuple[tuple[str, str], ...], str]:
    """The notations to choose from, and the chosen one."""
    if column.type in NUMERIC:
        return tuple((str(one), words) for one, words in _NUMBERS), str(column.notation.numbers or "")
    if column.type in TEMPORAL:
        return tuple((str(one), words) for one, words in _DATES), str(column.notation.dates or "")
    return (), ""


def other_errors(problem: InvalidInputError | None) -> list[str]:
    """What is wrong with the plan as a whole."""
    if problem is None:
        return []
    return [sentence(error) for error in problem.errors if error.field in {"mapping", "file"}]


def order_of(form: Form, plan: Plan, *, makes: bool) -> ImportOrder:
    """What the form says."""
    upsert = form.get("mode") == Mode.UPSERT
    return ImportOrder(
        mode=Mode.UPSERT if upsert else Mode.INSERT,
        key=(form.get("key") or None) if upsert else None,
        dry_run=form.get("action") == "dry_run",
        name=(form.get("name", "").strip() or None) if makes else None,
        mapping={
            column.name: order
            for number, column in enumerate(plan.columns)
            if (order := _order(form, number, makes=makes)) is not None
        },
    )


def _order(form: Form, number: int, *, makes: bool) -> ColumnOrder | None:
    field = form.get(f"field-{number}", "").strip()
    if makes:
        field = field if form.get(f"use-{number}") else LEFT_OUT
    if not field and not makes:
        return None
    notation = form.get(f"notation-{number}", "")
    kind = form.get(f"type-{number}", "")
    return ColumnOrder(
        field="" if field == LEFT_OUT else field or None,
        type=FieldType(kind) if kind in set(FieldType) else None,
        numbers=Numbers(notation) if notation in set(Numbers) else None,
        dates=Dates(notation) if notation in set(Dates) else None,
    )


def field_options(collection: Collection) -> list[tuple[str, str]]:
    """Where a column may go, in a collection that there is."""
    fields = [(field.name, field.name) for field in collection.fields]
    return [("", "Choose a field"), (LEFT_OUT, "Leave out"), *fields, (ID, "The record's number")]


def key_options(columns: Sequence[ColumnPlan]) -> list[tuple[str, str]]:
    """The fields that may tell which record a row is."""
    names = [column.field for column in columns if column.field and column.field != ID and column.type.kind.unique]
    known = [(name, name) for name in dict.fromkeys(names)]
    return [*known, (ID, "The record's number")] if any(column.field == ID for column in columns) else known
