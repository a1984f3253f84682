"""Names, numbers, dates and addresses of the world through the API's values, filters and cursors."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from support.world import ADDRESSES, DATES, MOMENTS, NAMES, NUMBERS
from unit.data_plane.builders import collection, field
from vivero_data.domain.collections.definition import check
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import NewCollection, NewField, parse, present
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.domain.files.names import content_disposition, safe_name
from vivero_data.domain.records import query
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.service import columns_for
from vivero_data.domain.records.where import parse_filters
from vivero_data.lib import cursors
from vivero_data.lib.json import decode, encode
from vivero_data.lib.notation import NotationError
from vivero_data.lib.numbers import typed_number
from vivero_data.web.listing import collection_href
from vivero_web.text import PERSON_MAX, name_problem, tidy

FORMS = ("NFC", "NFD")


def round_trip(kind: T, value: Any) -> None:  # noqa: ANN401  a field's value may be of any of its types
    """A value comes back as it was through JSON, a filter and a cursor."""
    one, things = field(kind), collection()
    stored = parse(one, value)
    printed = encode(present(one, stored))
    assert parse(one, decode(printed)) == stored
    text = decode(printed) if printed.startswith('"') else printed
    clause = parse_filters(things, [str(Filter(one.name, "eq", text))])[0]
    assert clause.params == (stored,)
    sort = query.parse_sort(things, one.name)
    cursor = cursors.encode(cursors.Cursor(sort.text, 7, cursors.as_text(stored)))
    assert query.after(sort, cursors.decode(cursor, sort.text)).params == (stored, stored, 7)


def test_the_world_is_large_enough() -> None:
    assert len({language.partition(",")[0] for language in NAMES}) >= 60
    assert len(NAMES) + len(NUMBERS) + len(DATES) + len(MOMENTS) + len(ADDRESSES) >= 200


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", NAMES)
def test_a_name_names_everything(language: str, form: Any) -> None:  # noqa: ANN401  one of unicodedata's literals
    name, typed = normalize("NFC", NAMES[language]), normalize(form, NAMES[language])
    new = NewCollection(typed, [NewField(typed, T.TEXT), NewField("C", T.CHOICE, choices=[typed])], description=typed)
    made = check(new)
    assert (made.name, made.fields[0].name, made.fields[1].choices) == (name, name, [name])
    assert name_problem(tidy(typed), PERSON_MAX) is None
    assert safe_name(f"{typed}.pdf") == f"{name}.pdf"
    assert unquote(content_disposition(f"{name}.pdf").rpartition("''")[2]) == f"{name}.pdf"
    assert unquote(collection_href(name)) == f"/collections/{name}"
    assert fold(typed) == fold(name) == fold(name.swapcase().swapcase() if name.isascii() else name)


def test_no_two_names_of_the_world_are_taken_for_one() -> None:
    assert len({fold(name) for name in NAMES.values()}) == len(NAMES)


@pytest.mark.parametrize("language", NAMES)
def test_a_record_is_named_by_any_field_and_holds_any_text(language: str) -> None:
    name = normalize("NFC", NAMES[language])
    things = collection(field(T.TEXT, 3, name=name))
    for given in (name, normalize("NFD", name)):
        assert columns_for(things, {given: given}, new=True) == {3: given}, "texts stay as they came"
    clause = parse_filters(things, [str(Filter(name, "contains", name))])[0]
    assert any(name in pattern for pattern in clause.params)
    for kind in (T.TEXT, T.CHOICE):
        round_trip_of_choice(kind, name)


def round_trip_of_choice(kind: T, name: str) -> None:
    one = field(kind, choices=(name,))
    assert present(one, parse(one, decode(encode(name)))) == name


@pytest.mark.parametrize(("typed", "number"), NUMBERS)
def test_a_number_as_people_write_it(typed: str, number: str | None) -> None:
    if number is None:
        with pytest.raises((NotationError, InvalidValueError)):
            parse(field(T.NUMBER), typed_number(typed))
        return
    assert parse(field(T.NUMBER), typed_number(typed)) == Decimal(number)
    round_trip(T.NUMBER, Decimal(number))


@pytest.mark.parametrize(("text", "day"), DATES)
def test_a_date_as_programs_write_it(text: str, day: date | None) -> None:
    _of_kind(T.DATE, text, day)


@pytest.mark.parametrize(("text", "moment"), MOMENTS)
def test_a_moment_as_programs_write_it(text: str, moment: datetime | None) -> None:
    _of_kind(T.DATETIME, text, moment)


@pytest.mark.parametrize(("text", "fits"), ADDRESSES)
def test_an_address_as_people_have_it(text: str, fits: bool) -> None:  # noqa: FBT001  a column of the table
    _of_kind(T.EMAIL, text, text if fits else None)


def _of_kind(kind: T, text: str, value: Any) -> None:  # noqa: ANN401  a field's value may be of any of its types
    if value is None:
        with pytest.raises(InvalidValueError):
            parse(field(kind), text)
    else:
        assert present(field(kind), parse(field(kind), text)) == value
        round_trip(kind, text)
