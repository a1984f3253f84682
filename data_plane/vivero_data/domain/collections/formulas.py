"""The formulas of a collection: what they refer to, in which order they are calculated, and their SQL; pure.

The language itself is imported where a formula is read: a pod that is idle, or has none, does not hold it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.long_text import LENGTH
from vivero_data.domain.field_types.options import Result
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.formulas.tree import FormulaError, Reference, references

if TYPE_CHECKING:
    from vivero_data.domain.formulas.compiler import Formula
    from vivero_data.domain.formulas.values import Piece

_HOLDS: Final[Mapping[FieldType, Result]] = {
    **{FieldType(one): one for one in Result},
    **dict.fromkeys((FieldType.INTEGER, FieldType.MONEY, FieldType.AUTONUMBER), Result.NUMBER),
    **dict.fromkeys((FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.URL, FieldType.CHOICE), Result.TEXT),
}
"""What a formula takes the values of a field for; it cannot use those of other types."""
_WHOLE: Final = frozenset({FieldType.INTEGER, FieldType.AUTONUMBER})


class _Operand(msgspec.Struct, frozen=True):
    """A field as a formula sees it."""

    name: str
    column: str
    holds: FieldType
    longest: int


class FormulasError(ConflictError):
    """A change of fields would leave formulas that do not work."""

    def __init__(self, broken: Sequence[tuple[Field, str]]) -> None:
        said = "; ".join(f"{field.name}: {problem}" for field, problem in broken)
        super().__init__(f"Formulas would not work any more; change or delete them first. {said}"[:500])


def is_formula(field: Field) -> bool:
    return field.type is FieldType.FORMULA


def defined(field: Field, others: Iterable[Field], place: str = "") -> Field:
    """As `resolved`.

    Raises:
        InvalidInputError: the text is no formula over the other fields, or leads back to itself.
    """
    try:
        return resolved(field, others)
    except FormulaError as error:
        raise InvalidInputError.of(f"{place}options.formula", error.said) from error


def resolved(field: Field, others: Iterable[Field]) -> Field:
    """A formula field with what follows from its text: the fields that it names, and the type of its values.

    Raises:
        FormulaError: the text is no formula over the other fields, or leads back to itself.
    """
    from vivero_data.domain.formulas.reader import read  # noqa: PLC0415  not needed to serve

    by_name = {fold(one.name): one for one in others if one.id != field.id}
    named = {one.name: one for one in references(read(field.options.formula))}
    known = {name: by_name[fold(name)].id for name in named if fold(name) in by_name}
    formula = _compiled(field.options.formula, _operands(known, by_name.values()))
    circle = [name for name, number in known.items() if field.id in behind(number, by_name.values())]
    if circle:
        raise FormulaError(named[circle[0]].at, f"{circle[0]} is calculated from this field itself")
    options = msgspec.structs.replace(field.options, fields=known, result=formula.result)
    return msgspec.structs.replace(field, options=options)


def all_defined(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields of a new collection; a formula may name formulas before it, and every other field.

    Raises:
        InvalidInputError: see `defined`.
    """
    found = [field for field in fields if not is_formula(field)]
    for place, field in enumerate(fields):
        if is_formula(field):
            found.append(defined(field, found, f"fields[{place}]."))
    return tuple(sorted(found, key=lambda one: one.id))


def broken(fields: Sequence[Field]) -> list[tuple[Field, str]]:
    """The formulas that do not work with these fields, or would have another type, and why."""
    return [(field, problem) for field in fields if is_formula(field) and (problem := _problem(field, fields))]


def check(fields: Sequence[Field]) -> None:
    """Raises FormulasError if one of the formulas would not work."""
    found = broken(fields)
    if found:
        raise FormulasError(found)


def with_field(fields: Iterable[Field], changed: Field) -> list[Field]:
    """The fields with one of them changed."""
    return [changed if one.id == changed.id else one for one in fields]


def users(fields: Sequence[Field], number: int) -> list[Field]:
    """The formulas that are calculated from a field, also through others."""
    return [
        field for field in fields if is_formula(field) and field.id != number and number in behind(field.id, fields)
    ]


def behind(number: int, fields: Iterable[Field]) -> set[int]:
    """All fields that a field is calculated from, and itself."""
    by_id = {field.id: field for field in fields}
    found, todo = {number}, [number]
    while todo:
        field = by_id.get(todo.pop())
        new = set(field.options.fields.values()) - found if field else set()
        found |= new
        todo += new
    return found


def expression(field: Field, fields: Sequence[Field]) -> str:
    """The SQL of a formula over the columns of these fields."""
    return _formula(field, fields).sql


def assignments(fields: Sequence[Field]) -> list[tuple[str, str]]:
    """The column of each formula and its expression, each behind those that it is calculated from."""
    formulas = [field for field in fields if is_formula(field)]
    formulas.sort(key=lambda one: len(behind(one.id, formulas)))
    return [(column_name(field), expression(field, fields)) for field in formulas]


def named_now(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields, their formulas with the names that fields have now."""
    names = {field.id: field.name for field in fields}
    return tuple(_renamed(field, names) if field.options.fields else field for field in fields)


def _renamed(field: Field, names: Mapping[int, str]) -> Field:
    said = field.options.fields
    new = {old: names.get(number, old) for old, number in said.items()}
    new = {old: name for old, name in new.items() if fold(name) != fold(old)}
    if not new:
        return field
    from vivero_data.domain.formulas.reader import renamed  # noqa: PLC0415  not needed to serve

    options = msgspec.structs.replace(
        field.options,
        formula=renamed(field.options.formula, new),
        fields={new.get(old, old): number for old, number in said.items()},
    )
    return msgspec.structs.replace(field, options=options)


def _problem(field: Field, fields: Sequence[Field]) -> str | None:
    try:
        formula = _formula(field, fields)
    except FormulaError as error:
        return error.said
    said = field.options.result
    return None if formula.result is said else f"it would give {formula.result} instead of {said}"


def _formula(field: Field, fields: Iterable[Field]) -> "Formula":
    return _compiled(field.options.formula, _operands(field.options.fields, fields))


def _operands(known: Mapping[str, int], fields: Iterable[Field]) -> tuple[_Operand, ...]:
    by_id = {field.id: field for field in fields}
    found = [(name, by_id[number]) for name, number in known.items() if number in by_id]
    return tuple(_Operand(name, column_name(one), one.holds, one.kind.characters or LENGTH) for name, one in found)


@lru_cache(maxsize=256)
def _compiled(text: str, operands: tuple[_Operand, ...]) -> "Formula":
    from vivero_data.domain.formulas import compiler  # noqa: PLC0415  not needed to serve
    from vivero_data.domain.formulas.reader import read  # noqa: PLC0415  as above

    by_name = {one.name: one for one in operands}

    def scope(reference: Reference) -> "Piece":
        operand = by_name.get(reference.name)
        if operand is None:
            raise FormulaError(reference.at, f"There is no field named {reference.name[:64]}")
        holds = _HOLDS.get(operand.holds)
        if holds is None:
            label = operand.holds.kind.label.lower()
            raise FormulaError(reference.at, f"{operand.name} is of the type {label}, which a formula cannot use")
        return compiler.column(reference.at, operand.column, holds, operand.longest, whole=operand.holds in _WHOLE)

    return compiler.compiled(read(text), scope)
