"""Where the columns of a file go: the file's own names, unless a mapping says otherwise; pure."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy, unseen

from vivero_data.domain.collections.columns import MAX_ROW_BYTES, row_bytes
from vivero_data.domain.collections.definition import RESERVED
from vivero_data.domain.collections.names import MAX_NAME, fold
from vivero_data.domain.collections.schemas import MAX_FIELDS, Collection, Field, NewCollection, NewField
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.cells import NUMERIC, TEMPORAL
from vivero_data.domain.imports.schemas import MAPPING_BYTES, ColumnOrder, ColumnPlan, Guessed, Mapping, Plan, Reading
from vivero_data.lib.json import decode
from vivero_data.lib.notation import Notation

ID: Final = "id"
_CURRENCY: Final = "EUR"  # of amounts without one
_INDEXED: Final = 8  # fields of a new collection: each index makes every row slower to write


def parse_mapping(text: str) -> Mapping:
    """The mapping of a form.

    Raises:
        InvalidInputError: it is no such JSON.
    """
    if not text.strip():
        return {}
    if len(text.encode()) > MAPPING_BYTES:
        raise InvalidInputError.of("mapping", f"must have at most {MAPPING_BYTES:,} bytes")
    try:
        return parsed_mapping(decode(text))
    except (msgspec.MsgspecError, RecursionError) as error:
        message = 'must be a JSON object such as {"Price": "Amount", "Notes": null, "Day": {"dates": "29/11/2026"}}'
        raise InvalidInputError.of("mapping", f"{message}: {error}") from error


def parsed_mapping(said: Any) -> Mapping:  # noqa: ANN401  any JSON
    """Raises msgspec.ValidationError for what is no mapping."""
    return msgspec.convert(said, Mapping)


def order_of(mapping: Mapping, column: str) -> ColumnOrder | None:
    """What the mapping says of a column; None if nothing."""
    named = {fold(name): said for name, said in mapping.items()}
    if fold(column) not in named:
        return None
    said = named[fold(column)]
    return said if isinstance(said, ColumnOrder) else ColumnOrder(field=said if said is not None else "")


def header(cells: Sequence[str]) -> list[str]:
    """A name for every column, each another."""
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, 1):
        hidden = set(unseen(cell))
        clean = tidy("".join(" " if place in hidden else char for place, char in enumerate(cell)))
        name = base = " ".join(clean.split())[: MAX_NAME - 5].strip().lstrip("-").strip() or f"Column {number}"
        again = 2
        while fold(name) in taken:
            name, again = f"{base} {again}", again + 1
        taken.add(fold(name))
        names.append(name)
    return names


def plan_of(reading: Reading, mapping: Mapping, collection: Collection | None) -> Plan:
    """Where the columns go: into a collection, or one that is to be made."""
    columns = (
        new_columns(reading.columns, mapping)
        if collection is None
        else fitted_columns(reading.columns, mapping, collection)
    )
    return Plan(reading.kind, reading.encoding, reading.delimiter, columns, reading.first)


def in_zone(columns: Sequence[ColumnPlan], zone: str) -> tuple[ColumnPlan, ...]:
    """The columns with times of this time zone, where cells name none."""
    zoned = ((column, msgspec.structs.replace(column.notation, zone=zone)) for column in columns)
    return tuple(msgspec.structs.replace(column, notation=notation) for column, notation in zoned)


def new_columns(guesses: Sequence[Guessed], mapping: Mapping) -> tuple[ColumnPlan, ...]:
    """The columns of a collection that is to be made."""
    return tuple(_new_column(guess, order_of(mapping, guess.name)) for guess in guesses)


def _new_column(guess: Guessed, order: ColumnOrder | None) -> ColumnPlan:
    order = order or ColumnOrder()
    kind = order.type or guess.type
    field: str | None = guess.name if order.field is None else order.field or None
    if field and fold(field) in RESERVED:
        field = f"Imported {field}"
    plan = _planned(guess, order, field, kind)
    if kind is FieldType.MONEY:
        return msgspec.structs.replace(plan, currency=guess.currency or _CURRENCY)
    return msgspec.structs.replace(plan, choices=guess.choices) if kind is FieldType.CHOICE else plan


def fitted_columns(guesses: Sequence[Guessed], mapping: Mapping, collection: Collection) -> tuple[ColumnPlan, ...]:
    """The columns with the fields of a collection; `open` is `field` where none has the name."""
    fields = {fold(field.name): field for field in collection.fields}
    return tuple(_fitted(guess, order_of(mapping, guess.name), fields) for guess in guesses)


def _fitted(guess: Guessed, order: ColumnOrder | None, fields: AnyMapping[str, Field]) -> ColumnPlan:
    wanted = order.field if order and order.field is not None else guess.name
    field = fields.get(fold(wanted))
    if field is not None and is_importable(field.type):
        return _planned(guess, order or ColumnOrder(), field.name, field.type)
    if fold(wanted) == ID:
        return _planned(guess, ColumnOrder(), ID, FieldType.INTEGER)
    # What the workspace writes itself comes back in its own exports, and is left as it is.
    left_out = not wanted or fold(wanted) in RESERVED or field is not None
    plan = _planned(guess, ColumnOrder(), None, guess.type)
    return msgspec.structs.replace(plan, open="" if left_out else "field")


def is_importable(kind: FieldType) -> bool:
    """Whether cells can become values of such a field: the workspace writes some itself, and files are uploaded."""
    return not (kind.kind.computed or kind.kind.uploaded)


def _planned(guess: Guessed, order: ColumnOrder, field: str | None, kind: FieldType) -> ColumnPlan:
    notation = Notation(order.numbers or guess.notation.numbers, order.dates or guess.notation.dates)
    left = _left_open(guess, notation, kind) if field else ""
    return ColumnPlan(guess.name, field, kind, notation, guess.filled, guess.samples, open=left)


def _left_open(guess: Guessed, notation: Notation, kind: FieldType) -> str:
    if kind in NUMERIC and guess.open == "numbers" and notation.numbers is None:
        return "numbers"
    return "dates" if kind in TEMPORAL and guess.open == "dates" and notation.dates is None else ""


_OPEN: Final = {
    "numbers": 'may be two numbers, as {sample} may: say in mapping {{"numbers": "1.234,50"}} or {{"numbers": "1,234.50"}}',
    "dates": 'may be two dates, as {sample} may: say in mapping {{"dates": "29/11/2026"}} or {{"dates": "11/29/2026"}}',
    "field": "is no field of this collection: name one in mapping, or null to leave the column out",
}


def check(columns: Sequence[ColumnPlan], key: str | None) -> None:
    """Refuse a plan that nobody can carry out.

    Raises:
        InvalidInputError: naming every column that is not decided, or two for one field.
    """
    errors = [
        FieldError(f"mapping.{column.name}", _OPEN[column.open].format(sample=(column.samples or ("",))[0][:40]))
        for column in columns
        if column.open
    ]
    errors += [
        FieldError(f"mapping.{column.name}", f"cannot become {column.type.kind.label.lower()}")
        for column in columns
        if column.field and not is_importable(column.type)
    ]
    used = [column.field for column in columns if column.field]
    errors += [
        FieldError("mapping", f"has two columns for {name}") for name in {one for one in used if used.count(one) > 1}
    ]
    if not [name for name in used if name != ID]:
        errors.append(FieldError("mapping", "leaves no column"))
    if key is not None and fold(key) not in {fold(name) for name in used}:
        errors.append(FieldError("key", f"is in no column: {key} must be one of the fields that are imported"))
    if errors:
        raise InvalidInputError.of_all(errors[:50])


def definition(name: str, columns: Sequence[ColumnPlan], file: str) -> NewCollection:
    """The collection that the columns make."""
    kept = [column for column in columns if column.field]
    if len(kept) > MAX_FIELDS:
        raise InvalidInputError.of("file", f"has {len(kept):,} columns, and a collection at most {MAX_FIELDS} fields")
    types = [column.type for column in kept]
    while row_bytes(one.kind for one in types) > MAX_ROW_BYTES:  # the widest texts go beside the row
        widest = max(range(len(types)), key=lambda place: types[place].kind.characters or 0)
        types[widest] = FieldType.LONG_TEXT
    indexed = 0
    fields = []
    for column, kind in zip(kept, types, strict=True):
        sortable = kind.kind.sortable and indexed < _INDEXED
        indexed += sortable
        choices = list(column.choices) if kind.kind.has_choices else []
        options = Options(currency=column.currency) if kind is FieldType.MONEY else Options()
        fields.append(NewField(column.field or "", kind, indexed=sortable, choices=choices, options=options))
    return NewCollection(name, fields, f"Imported from {file}."[:500])
