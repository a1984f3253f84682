"""What becomes of a value when its field gets another type, and when that is undone."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import field
from unit.data_plane.strategies import VALUES
from vivero_data.domain.collections.conversion import converted, from_text, restored
from vivero_data.domain.collections.schemas import Field, parse
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.lib.notation import Notation, Numbers


@pytest.mark.parametrize(
    ("old", "new", "stored", "made"),
    [
        (T.TEXT, T.NUMBER, "12.5", Decimal("12.5")),
        (T.TEXT, T.NUMBER, "1.234,50", Decimal("1234.5")),
        (T.TEXT, T.INTEGER, " 7 ", 7),
        (T.TEXT, T.BOOLEAN, "Yes", True),
        (T.TEXT, T.BOOLEAN, "false", False),
        (T.TEXT, T.DATE, "2026-11-29", date(2026, 11, 29)),
        (T.TEXT, T.EMAIL, " ada@example.com ", "ada@example.com"),
        (T.TEXT, T.CHOICE, "red", "red"),
        (T.TEXT, T.CHOICES, "green, red", '["red","green"]'),
        (T.CHOICES, T.TEXT, '["red","green"]', "red, green"),
        (T.TEXT, T.NUMBER, "  ", None),
        (T.NUMBER, T.TEXT, Decimal("12.50000000"), "12.5"),
        (T.NUMBER, T.INTEGER, Decimal("100.00000000"), 100),
        (T.INTEGER, T.TEXT, -3, "-3"),
        (T.INTEGER, T.BOOLEAN, 1, True),
        (T.BOOLEAN, T.TEXT, 0, "no"),
        (T.BOOLEAN, T.INTEGER, 1, 1),
        (T.DATE, T.TEXT, date(2026, 1, 2), "2026-01-02"),
        (T.DATE, T.DATETIME, date(2026, 1, 2), datetime(2026, 1, 2)),  # noqa: DTZ001  as the database has it
        (T.DATETIME, T.DATE, datetime(2026, 1, 2, 23, 59), date(2026, 1, 2)),  # noqa: DTZ001  as above
        (T.DATETIME, T.TEXT, datetime(2026, 1, 2, 3, 4, 5, 6), "2026-01-02T03:04:05.000006Z"),  # noqa: DTZ001  as above
        (T.LONG_TEXT, T.TEXT, "one", "one"),
        (T.TEXT, T.DATE, None, None),
    ],
)
def test_a_value_is_converted_as_people_read_it(old: T, new: T, stored: Any, made: Any) -> None:  # noqa: ANN401  columns' values
    result = converted(field(old), field(new), stored)
    assert (result, type(result)) == (made, type(made))


@pytest.mark.parametrize(
    ("old", "new", "stored"),
    [
        (T.TEXT, T.NUMBER, "about ten"),
        (T.TEXT, T.NUMBER, "1.234"),  # may mean two numbers
        (T.NUMBER, T.INTEGER, Decimal("1.5")),
        (T.INTEGER, T.BOOLEAN, 2),
        (T.LONG_TEXT, T.TEXT, "one\ntwo"),
        (T.LONG_TEXT, T.TEXT, "x" * 256),
        (T.TEXT, T.CHOICE, "blue"),
        (T.BOOLEAN, T.DATE, 1),
    ],
)
def test_what_a_type_cannot_hold_is_said(old: T, new: T, stored: Any) -> None:  # noqa: ANN401  as above
    with pytest.raises(InvalidValueError, match=r"must|may mean"):
        converted(field(old), field(new), stored)


KINDS = st.sampled_from([kind for kind in T if kind in VALUES])


@given(st.data(), KINDS, KINDS)
def test_undoing_gives_every_value_back_that_nobody_changed(data: st.DataObject, old: T, new: T) -> None:
    before, after = field(old), field(new)
    was = column_value(before, data.draw(VALUES[old]))
    try:
        made = converted(before, after, was)
    except InvalidValueError:
        made = None
    assert restored(before, after, was, made) == was


@given(st.data(), KINDS)
def test_a_value_written_since_is_converted_back(data: st.DataObject, new: T) -> None:
    before, after = field(T.LONG_TEXT), field(new)
    since = column_value(after, data.draw(VALUES[new]))
    assert restored(before, after, None, since) == converted(after, before, since)


def test_texts_are_read_in_the_notation_of_the_workspace() -> None:
    text, number = field(T.TEXT), field(T.NUMBER)
    assert converted(text, number, "1.234", Notation(Numbers.COMMA)) == 1234
    assert converted(text, number, "1.234", Notation(Numbers.POINT)) == Decimal("1.234")
    assert restored(text, number, "1.234", Decimal(1234), Notation(Numbers.COMMA)) == "1.234"


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        (T.NUMBER, "12.50000000", Decimal("12.5")),
        (T.BOOLEAN, "0", False),
        (T.DATETIME, "2026-01-02 03:04:05.000006", datetime(2026, 1, 2, 3, 4, 5, 6)),  # noqa: DTZ001  as above
        (T.TEXT, "🌱", "🌱"),
        (T.DATE, None, None),
    ],
)
def test_a_row_in_the_trash_is_read_again(kind: T, text: str | None, stored: Any) -> None:  # noqa: ANN401  as above
    assert from_text(field(kind), text) == stored


def column_value(one: Field, value: Any) -> Any:  # noqa: ANN401  a field's values
    return parse(one, value.isoformat() if isinstance(value, date) else value)
