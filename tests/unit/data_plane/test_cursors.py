import base64
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.lib import cursors
from vivero_data.lib.cursors import Cursor
from vivero_web.errors import InvalidInputError

CURSORS = st.builds(
    Cursor, sort=st.text(max_size=65), id=st.integers(0, 2**63 - 1), value=st.none() | st.text(max_size=500)
)


@given(CURSORS)
def test_what_goes_out_comes_back(cursor: Cursor) -> None:
    text = cursors.encode(cursor)
    assert text.isascii()
    assert not set(text) & set("+/=&?# ")
    assert cursors.decode(text, cursor.sort) == cursor


@given(st.text(max_size=200))
def test_strangers_are_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        cursors.decode(text, "x")
    assert caught.value.errors[0].field == "cursor"


@given(st.binary(max_size=200))
def test_strange_bytes_are_refused_in_words(raw: bytes) -> None:
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(InvalidInputError):
        cursors.decode(text, "\0")


def test_a_cursor_is_for_one_order() -> None:
    text = cursors.encode(Cursor("name", 3, "a"))
    with pytest.raises(InvalidInputError, match="another sort"):
        cursors.decode(text, "-name")


@pytest.mark.parametrize("number", [-1, 2**63])
def test_an_id_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(InvalidInputError):
        cursors.decode(cursors.encode(Cursor("", number)), "")


def test_an_endless_cursor_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        cursors.decode("a" * 5000, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6), "2026-01-02T03:04:05.000006"),  # noqa: DTZ001  as the database returns it
    ],
)
def test_values_travel_as_text(value: object, text: str | None) -> None:
    assert cursors.as_text(value) == text
