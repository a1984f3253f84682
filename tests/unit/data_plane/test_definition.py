from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import field
from vivero_data.domain.collections import columns
from vivero_data.domain.collections.definition import as_field, check
from vivero_data.domain.collections.names import MAX_NAME, fold, name_problem
from vivero_data.domain.collections.schemas import NewCollection, NewField
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

NAME = NewField("Name", T.TEXT)
NAMES = [
    "Contacts",
    "1st",
    "Номер 1",
    "顧客",
    "고객",
    "हिन्दी",
    "ชื่อลูกค้า",
    "বাংলা",
    "தமிழ்",
    "မြန်မာ",
    "ខ្មែរ",
    "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",  # Persian, with a joiner
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala, with a joiner
    "שם הלקוח",
    "Gro\u0308\u00dfe",  # as a Mac writes it
    "🌱",
    "\U0001f469\u200d\U0001f4bb Team \U0001f3f3\ufe0f\u200d\U0001f308",  # joined emoji
    "x'; DROP TABLE users; --",
    "ᠰᠠᠷ\u180eᠠ",  # Mongolian, with its vowel separator
    "\U0001fae8",  # younger than our Python's tables
]
HEADS = [
    "Price (€)", "Nr.", "Date/Time", "Tax %", "#", "N° d'ordre", '24" screen', "R&D", "Paid?", "a:b", "a,b", "a`b",
    "Qty*", "Total = x", "[kg]", "m²", "_x", "C:\\path", "@home", "№", "Prix\u00a0HT",
]  # fmt: skip
HIDDEN = [
    "abc\u202egnp",  # turns the direction
    "a\x00b",
    "a\ud800",
    "a\u200bb",
    "a\u200d",  # joins nothing
    "\u200ca",
    "a \u200db",
    "a\u200db",  # joiners between letters that need none
    "Acme\u200cLabs",
    "\u0627\u0628\u200c1",
    "\u3164",
    "a\ue000",
    "a\uffff",
]


def problems(collection: NewCollection) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        check(collection)
    return {error.field: error.message for error in caught.value.errors}


def of(name: str, field_name: str = "Name") -> NewCollection:
    return NewCollection(name, [NewField(field_name, T.TEXT)])


@pytest.mark.parametrize("name", [*NAMES, *HEADS])
def test_names_of_the_whole_world_are_fine(name: str) -> None:
    found = check(of("Things", name))
    assert found.fields[0].name == normalize("NFC", name)
    assert check(NewCollection("T", [NewField("C", T.CHOICE, choices=[name])], description=name)).description == name


@pytest.mark.parametrize("name", [*NAMES, *HEADS])
def test_a_collections_name_is_one_segment_of_an_address(name: str) -> None:
    if set(name) & set("/\\"):
        assert problems(of(name))["name"].startswith("must")
    else:
        assert check(of(name)).name == normalize("NFC", name)


@pytest.mark.parametrize("name", ["..", "."])
def test_a_collection_is_not_named_by_dots(name: str) -> None:
    assert problems(of(name))["name"].startswith("must")


@pytest.mark.parametrize("name", ["", "   ", "-a", "\u0301a", "x" * (MAX_NAME + 1), *HIDDEN])
def test_what_cannot_be_seen_is_no_name(name: str) -> None:
    assert problems(of(name))["name"].startswith("must")
    assert problems(of("Things", name))["fields[0].name"].startswith("must")


@pytest.mark.parametrize("text", HIDDEN)
def test_what_cannot_be_seen_is_no_choice_and_no_description(text: str) -> None:
    assert "fields[0].choices" in problems(NewCollection("T", [NewField("C", T.CHOICE, choices=[text])]))
    assert "description" in problems(NewCollection("T", [NAME], description=text))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Name", "NAME", True),
        ("Gr\u00f6\u00dfe", "Gro\u0308\u00dfe", True),
        ("STRASSE", "Stra\u00dfe", True),
        ("\u0388\u03c1\u03b3\u03bf\u03c2", "\u0388\u03a1\u0393\u039f\u03a3", True),
        ("a  b", "a\u00a0b", True),
        ("Gr\u00f6\u00dfe", "Grosse", False),
        ("Name", "Name.", False),
        ("resume", "r\u00e9sum\u00e9", False),
        ("\u0915\u093f", "\u0915\u0940", False),
    ],
)
def test_two_names_are_one_when_people_read_them_so(one: str, other: str, same: bool) -> None:  # noqa: FBT001  a column of the table
    assert (fold(one) == fold(other)) is same
    both = NewCollection("Things", [NewField(one, T.TEXT), NewField(other, T.TEXT)])
    if same:
        assert "fields" in problems(both)
    else:
        assert [found.name for found in check(both).fields] == [tidy(one), tidy(other)]


@given(st.text(max_size=80))
def test_an_accepted_name_is_stored_as_it_reads(name: str) -> None:
    tidied = tidy(name)
    if name_problem(tidied) is None:
        assert tidy(tidied) == tidied
        assert fold(normalize("NFD", tidied)) == fold(tidied) == fold(fold(tidied))
        assert len(fold(tidied)) <= 3 * MAX_NAME  # name_key's room


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
        ([NewField("N", T.NUMBER, exact=True)], "fields[0].exact"),
        ([NewField("L", T.LONG_TEXT, exact=False)], "fields[0].exact"),
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
    assert check(of("Things", "Unit\r\nprice")).fields[0].name == "Unit price", "a spreadsheet's head has line ends"


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
    assert "`f_90` VARCHAR(255) NULL, UNIQUE KEY u_90 (`f_90`)" in sql
    assert "KEY i_5 (`f_5`)" in sql
    assert columns.drop_table(4) == "DROP TABLE IF EXISTS `c_4`"


@pytest.mark.parametrize("kind", [T.TEXT, T.CHOICE, T.EMAIL, T.URL])
@pytest.mark.parametrize("asked", [None, True, False])
def test_what_is_the_same_is_chosen_for_each_field(kind: T, asked: bool | None) -> None:  # noqa: FBT001  a column of the table
    choices = ["a"] if kind is T.CHOICE else []
    new = check(NewCollection("Things", [NewField("F", kind, unique=True, exact=asked, choices=choices)]))
    made = as_field(new.fields[0], 7)
    assert made.exact is (kind in {T.EMAIL, T.URL} if asked is None else asked)
    sql = columns.create_table(4, [made])
    assert ("UNIQUE KEY u_7 (`x_7`)" in sql, "UNIQUE KEY u_7 (`f_7`)" in sql) == (made.exact, not made.exact)
    assert ("KEY i_7 (`f_7`)" in sql) is made.exact, "the field's own column is still sorted by an index"


@given(st.lists(st.sampled_from(T), min_size=1, max_size=50))
def test_row_sizes_add_up(kinds: list[T]) -> None:
    every = [kind.kind for kind in kinds]
    assert columns.row_bytes(every) == sum(columns.row_bytes([one]) for one in every)
