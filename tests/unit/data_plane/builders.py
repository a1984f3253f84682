"""Collections and fields to test with."""

from datetime import UTC, datetime
from typing import Any

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.options import NONE, Options, Result
from vivero_data.domain.field_types.registry import FieldType

OPTIONS = {
    FieldType.MONEY: Options(currency="EUR"),
    FieldType.LINK: Options(collection=1),
    FieldType.AUTONUMBER: Options(prefix="INV-", digits=5),
    FieldType.FORMULA: Options(formula="1 + 1", result=Result.NUMBER),
}
"""Of the types that need some."""

STORED = [kind for kind in FieldType if not kind.kind.virtual]


def field(kind: FieldType, number: int = 1, **changes: Any) -> Field:  # noqa: ANN401  any attribute
    given: dict[str, Any] = {
        "id": number,
        "column": number,
        "name": kind.value.title(),
        "type": kind,
        "required": False,
        "unique": False,
        "exact": False,
        "indexed": True,
        "default": None,
        "choices": ("red", "green") if kind.kind.has_choices else (),
        "options": OPTIONS.get(kind, NONE),
    }
    return Field(**{**given, **changes})


def collection(*fields: Field) -> Collection:
    every = fields or tuple(field(kind, number) for number, kind in enumerate(STORED, 10))
    return Collection(1, "Things", "", every, 0, datetime(2026, 1, 1, tzinfo=UTC))
