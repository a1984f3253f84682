"""Values of every field type, as records have them, and names of the world."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.field_types.registry import FieldType

_SIGNS = st.characters(exclude_categories=["Cc", "Cs"])
_WORD = st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12)
_FILE_ID = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26)
_LARGEST = Decimal("9999999999999999.99999999")

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: st.text(_SIGNS, min_size=1, max_size=60),
    FieldType.LONG_TEXT: st.text(_SIGNS | st.sampled_from("\n\r\t "), min_size=1, max_size=60)
    | st.sampled_from(["\r\n", "\na", "a\r\nb\rc\nd", "\n\n"]),
    FieldType.NUMBER: st.decimals(-_LARGEST, _LARGEST, places=8)
    | st.decimals(-2000, 2000, places=3)
    | st.sampled_from([_LARGEST, -_LARGEST, Decimal("99999999999999.99"), Decimal("1E-8"), Decimal("1.234")]),
    FieldType.INTEGER: st.integers(-(2**63), 2**63 - 1) | st.integers(-9999, 9999),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(date(1000, 1, 1)),
    FieldType.DATETIME: st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  bounds are naive
    FieldType.CHOICE: st.sampled_from(["red", "green"]),
    FieldType.EMAIL: st.builds("{}@{}.example".format, _WORD, _WORD),
    FieldType.URL: st.builds("https://{}.example/{}?q={}".format, _WORD, _WORD, _WORD),
    FieldType.LINK: st.integers(1, 2**63 - 1) | st.integers(1, 99),
    FieldType.PERSON: st.integers(1, 2**63 - 1) | st.integers(1, 99),
    FieldType.AUTONUMBER: (st.integers(1, 2**63 - 1) | st.integers(1, 99)).map("INV-{:05}".format),
    FieldType.FORMULA: st.decimals(-_LARGEST, _LARGEST, places=8) | st.decimals(-2000, 2000, places=3),
    FieldType.CHOICES: st.sampled_from([["red"], ["green"], ["red", "green"]]),
    FieldType.FILE: st.lists(
        st.builds(RecordFile, _FILE_ID, _WORD, st.integers(0, 2**40), st.sampled_from(["image/png", "text/plain"])),
        min_size=1,
        max_size=3,
        unique_by=lambda file: file.id,
    ),
    FieldType.MONEY: st.decimals(Decimal("-9999999999999999.99"), Decimal("9999999999999999.99"), places=2)
    | st.decimals(-2000, 2000, places=2),
}
TYPED = st.sampled_from([kind for kind in FieldType if not kind.kind.virtual]).flatmap(
    lambda kind: st.tuples(st.just(kind), VALUES[kind])
)
SPELLED = TYPED.filter(lambda pair: not pair[0].kind.uploaded)
"""What a text says in full."""
WRITABLE = TYPED.filter(lambda pair: not (pair[0].kind.computed or pair[0].kind.uploaded))
"""What people can type."""
