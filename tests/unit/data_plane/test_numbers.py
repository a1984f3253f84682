from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.strategies import VALUES
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.notation import NotationError
from vivero_data.lib.numbers import plain_number, typed_number, written

NUMBERS = VALUES[FieldType.NUMBER] | VALUES[FieldType.INTEGER]
GROUPS = st.sampled_from([".", ",", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f"])


@given(NUMBERS, st.booleans())
def test_what_we_print_we_read(number: Decimal | int, grouped: bool) -> None:  # noqa: FBT001  drawn
    assert typed_number(written(number, grouped=grouped)) == number


@given(NUMBERS)
def test_a_program_reads_what_python_prints(number: Decimal | int) -> None:
    assert plain_number(str(number)) == number


@given(VALUES[FieldType.NUMBER], GROUPS, st.sampled_from([".", ","]))
def test_every_countrys_way_is_read_or_refused_never_as_another_number(number: Decimal, group: str, mark: str) -> None:
    text = f"{number:,f}".translate(str.maketrans(",.", group + mark))
    if group == mark and "." in f"{number:f}":
        return
    with suppress(NotationError):
        assert typed_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234,50", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1.234.567", "1234567"),
        ("12,34,567.8", "1234567.8"),
        ("1\u202f234,5", "1234.5"),
        ("1'234.5", "1234.5"),
        ("1234,567", "1234.567"),
        ("0,123", "0.123"),
        ("12,5", "12.5"),
        ("\u22121,5", "-1.5"),
        ("\u0661\u0662\u066b\u0665", "12.5"),
        ("1e3", "1000"),
    ],
)
def test_what_can_only_mean_one_number(text: str, number: str) -> None:
    assert typed_number(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.345", " 999,999 "])
def test_what_may_mean_two_is_refused_with_two_that_are_sure(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        typed_number(text)
    whole, _, fraction = str(caught.value).removeprefix("may mean two numbers: write ").partition(", or ")
    digits = text.strip().replace(",", "").replace(".", "")
    assert typed_number(whole) == Decimal(digits)
    assert typed_number(fraction.removesuffix(" for the fraction")) == Decimal(digits) / 1000


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "1.2.3", "1,2,3", "1.23.456", "12,34,567,8", "1 2", "1_000", "22.11.2026", "NaN", "1e" + "9" * 30],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(NotationError, match="must be a number"):
        typed_number(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotationError):
        typed_number(text)
