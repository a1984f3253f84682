from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import field
from vivero_data.domain.collections import columns
from vivero_data.domain.collections.definition import as_field, check, name_problem, tidy
from vivero_data.domain.collections.schemas import FieldType as T
from vivero_data.domain.collections.schemas import NewCollection, NewField
from vivero_web.errors import InvalidInputError

NAME = NewField("Name", T.TEXT)


def problems(collection: NewCollection) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        check(collection)
    return {error.field: error.message for error in caught.value.errors}


@pytest.mark.parametrize("name", ["Contacts", "Größe", "Номер 1", "顧客", "a-b_c 2", "x" * 64])
def test_names_of_people_are_fine(name: str) -> None:
    assert name_problem(tidy(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "1st",
        "_x",
        "a`b",
        "a'b",
        'a"b',
        "a%b",
        "a*",
        "..",
        "a/b",
        "a;b",
        "🌱",
        "a🌱",
        "abc\u202egnp",
        "a\x00b",
        "x" * 65,
        "a:b",
        "a,b",
        "\ud800",
    ],
)
def test_hostile_names_are_refused_in_words(name: str) -> None:
    assert problems(NewCollection(name, [NAME]))["name"].startswith("must")
    assert problems(NewCollection("Things", [NewField(name, T.TEXT)]))["fields[0].name"].startswith("must")


@given(st.text(max_size=80))
def test_an_accepted_name_is_stored_as_it_reads(name: str) -> None:
    tidied = tidy(name)
    if name_problem(tidied) is None:
        assert tidy(tidied) == tidied
        assert not set(tidied) & set("`'\"%*./\\:;,")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ([], "fields"),
        ([NewField(f"F{number}", T.INTEGER) for number in range(51)], "fields"),
        ([NAME, NewField("NAME", T.DATE)], "fields"),
        ([NewField(f"F{number}", T.URL) for number in range(40)], "fields"),
        ([NewField("id", T.TEXT)], "fields[0].name"),
        ([NewField("Created_At", T.TEXT)], "fields[0].name"),
        ([NewField("C", T.CHOICE)], "fields[0].choices"),
        ([NewField("C", T.CHOICE, choices=["a", "A"])], "fields[0].choices"),
        ([NewField("C", T.CHOICE, choices=["a", " "])], "fields[0].choices"),
        ([NewField("C", T.CHOICE, choices=["x" * 101])], "fields[0].choices"),
        ([NewField("C", T.CHOICE, choices=[f"c{number}" for number in range(101)])], "fields[0].choices"),
        ([NewField("N", T.TEXT, choices=["a"])], "fields[0].choices"),
        ([NewField("N", T.INTEGER, default="many")], "fields[0].default"),
        ([NewField("C", T.CHOICE, choices=["a"], default="b")], "fields[0].default"),
        ([NewField("L", T.LONG_TEXT, unique=True)], "fields[0].unique"),
        ([NAME, NewField("B", T.BOOLEAN, unique=True)], "fields[1].unique"),
    ],
)
def test_what_cannot_be_defined_is_named(fields: list[NewField], place: str) -> None:
    assert place in problems(NewCollection("Things", fields))


def test_every_fault_is_named_at_once() -> None:
    new = NewCollection("", [NewField("", T.TEXT), NewField("N", T.DATE, default="x")], description="a\x07")
    assert set(problems(new)) == {"name", "description", "fields[0].name", "fields[1].default"}


def test_a_description_has_its_bound() -> None:
    assert "description" in problems(NewCollection("Things", [NAME], description="x" * 501))


def test_texts_are_tidied() -> None:
    done = check(NewCollection(" My   things ", [NewField(" Full  name", T.CHOICE, choices=[" a  b "])], " words "))
    assert (done.name, done.description) == ("My things", "words")
    assert (done.fields[0].name, done.fields[0].choices) == ("Full name", ["a b"])


@pytest.mark.parametrize(
    ("new", "indexed"),
    [
        (NewField("N", T.TEXT), True),
        (NewField("N", T.TEXT, indexed=False), False),
        (NewField("N", T.TEXT, indexed=False, unique=True), True),
        (NewField("N", T.LONG_TEXT), False),
    ],
)
def test_indexes_are_where_they_help(new: NewField, indexed: bool) -> None:  # noqa: FBT001  a parameter of the table
    assert as_field(new, 3).indexed is indexed


def test_a_table_is_named_by_numbers_alone() -> None:
    every: list[Any] = [field(kind, number, name="`; DROP") for number, kind in enumerate(T, 5)]
    sql = columns.create_table(4, [*every, field(T.TEXT, 90, unique=True, required=True)])
    assert sql.startswith("CREATE TABLE IF NOT EXISTS `c_4` (id BIGINT")
    assert "DROP" not in sql
    assert "`f_90` VARCHAR(255) NOT NULL, UNIQUE KEY u_90 (`f_90`)" in sql
    assert "KEY i_5 (`f_5`)" in sql
    assert columns.drop_table(4) == "DROP TABLE IF EXISTS `c_4`"


@given(st.lists(st.sampled_from(T), min_size=1, max_size=50))
def test_row_sizes_add_up(kinds: list[T]) -> None:
    assert columns.row_bytes(kinds) == sum(columns.row_bytes([kind]) for kind in kinds)
