"""The compiler of reports, and their stored form."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import collection, field
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.domain.records.access import everything
from vivero_data.domain.reports.compiler import MAX_COLUMNS, assemble, compile_report
from vivero_data.domain.reports.definition import check, last_known, named_form, stored_form
from vivero_data.domain.reports.results import scope_of
from vivero_data.domain.reports.schemas import Definition, Function, Grouping, Kind, Measure, Order, Period
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.json import encode
from vivero_web.errors import InvalidInputError

THINGS = collection()
NOW = datetime(2026, 11, 29, tzinfo=UTC)
VIEWER = Actor(1, "a@example.com", "", Role.VIEWER)
# Names from numbers, words of SQL, and places of parameters.
SAFE_SQL = re.compile(r"[a-zA-Z0-9_`%<>=(),.*/ +\-:']+")


def definitions(things: Collection) -> st.SearchStrategy[Definition]:
    """Reports that fit a collection."""
    kinds = {one.name: one.kind for one in things.fields}
    dated = [*(name for name, kind in kinds.items() if kind.dated), "created_at"]
    others = [name for name, kind in kinds.items() if kind.sortable and not kind.dated]
    groupings = st.one_of(
        st.builds(Grouping, st.sampled_from(dated), st.sampled_from(Period)),
        st.builds(Grouping, st.sampled_from(others)),
    )
    summable = [name for name, kind in kinds.items() if kind.summable]
    measures = st.one_of(
        st.just(Measure(Function.COUNT)),
        st.builds(Measure, st.just(Function.COUNT), st.sampled_from(list(kinds))),
        st.builds(Measure, st.sampled_from(list(Function)[1:]), st.sampled_from(summable)),
    )
    return st.builds(
        Definition,
        where=st.none(),
        group_by=st.lists(groupings, max_size=2, unique=True).map(tuple),
        measures=st.lists(measures, min_size=1, max_size=5).map(tuple),
        kind=st.just(Kind.TABLE),
        order=st.sampled_from(Order),
        limit=st.integers(1, 200),
    )


DEFINITIONS = definitions(THINGS)


@given(DEFINITIONS)
def test_a_statement_has_names_from_numbers_and_parameters_only(definition: Definition) -> None:
    check(THINGS, definition)
    where = {"field": "Text", "operator": "eq", "value": "'); DROP TABLE x; --"}
    statement = compile_report(THINGS, definition, scope_of(everything(VIEWER, THINGS), where), "Europe/Berlin")
    assert SAFE_SQL.fullmatch(statement.sql)
    assert statement.sql.count("%s") == len(statement.params)
    assert statement.params[-1] == "'); DROP TABLE x; --"


@given(DEFINITIONS)
def test_a_stored_definition_survives_renames(definition: Definition) -> None:
    stored = stored_form(THINGS, definition)
    assert named_form(THINGS, stored) == (definition, [])
    assert last_known(stored) == definition
    renamed = msgspec.structs.replace(
        THINGS, fields=tuple(msgspec.structs.replace(one, name=f"{one.name} 2") for one in THINGS.fields)
    )
    there, gone = named_form(renamed, stored)
    assert gone == []
    check(renamed, there)
    assert stored_form(renamed, there).definition == stored.definition


def without(name: str) -> Collection:
    return msgspec.structs.replace(THINGS, fields=tuple(one for one in THINGS.fields if one.name != name))


@pytest.mark.parametrize(
    "definition",
    [
        Definition(group_by=(Grouping("Choice"),)),
        Definition(measures=(Measure(Function.COUNT, "Choice"),)),
        Definition(where={"not": {"all": [{"any": [{"field": "Choice", "operator": "filled"}]}]}}),
    ],
)
def test_a_field_that_is_gone_is_named_even_if_another_has_its_name(definition: Definition) -> None:
    stored = stored_form(THINGS, definition)
    assert named_form(without("Choice"), stored) == (definition, ["Choice"])
    again = collection(*without("Choice").fields, field(T.CHOICE, 999))
    assert named_form(again, stored) == (definition, ["Choice"])


@pytest.mark.parametrize(
    ("definition", "places"),
    [
        (Definition(group_by=(Grouping("Nothing"),)), {"group_by[0].field"}),
        (Definition(group_by=(Grouping("Long_Text"),)), {"group_by[0].field"}),
        (Definition(group_by=(Grouping("Date"),)), {"group_by[0].by"}),
        (Definition(group_by=(Grouping("Text", Period.DAY),)), {"group_by[0].by"}),
        (Definition(group_by=(Grouping("Text"), Grouping("Text"))), {"group_by"}),
        (Definition(kind=Kind.PIE), {"group_by"}),
        (Definition(kind=Kind.PIVOT, group_by=(Grouping("Text"),)), {"group_by"}),
        (Definition(kind=Kind.NUMBER, group_by=(Grouping("Text"),)), {"group_by"}),
        (Definition(measures=(Measure(Function.SUM),)), {"measures[0].field"}),
        (Definition(measures=(Measure(Function.COUNT), Measure(Function.SUM, "Text"))), {"measures[1].field"}),
        (Definition(measures=(Measure(Function.MAX, "Nothing"),)), {"measures[0].field"}),
        (Definition(where={"field": "Nothing", "operator": "filled"}), {"where.field"}),
        (Definition(where={"field": "Text"}), {"where"}),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(definition: Definition, places: set[str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(THINGS, definition)
    assert {error.field for error in refused.value.errors} == places


def test_figures_keep_all_their_digits() -> None:
    definition = Definition(
        group_by=(Grouping("Date", Period.MONTH),),
        measures=(
            Measure(Function.SUM, "Number"),
            Measure(Function.AVERAGE, "Number"),
            Measure(Function.MAX, "Number"),
        ),
    )
    statement = compile_report(THINGS, definition, [])
    large, small = Decimal("12345678901234567890123456789012345.12345678"), Decimal("0.00000001")
    rows = [
        (date(2026, 11, 1), 1, 3, large, large, 3, Decimal("12.50000000")),
        (date(2026, 10, 1), 2, 1, small, small, 1, small),
        (date(2026, 9, 1), 51, 1, Decimal("100.00000000"), None, 0, None),
        (None, 3, 2, Decimal(0), None, 0, None),
    ]
    data = assemble(definition, statement, rows, NOW)
    assert [(row.keys, row.rest) for row in data.rows] == [
        ((None,), (True,)),
        (("2026-10-01",), (False,)),
        (("2026-11-01",), (False,)),
        ((None,), (False,)),
    ], "what is older than the newest comes first, what has no date last"
    assert [row.values for row in data.rows] == [
        (Decimal(100), None, None),
        (small, small, small),
        (large, Decimal("4115226300411522630041152263004115.04115226"), Decimal("12.5")),
        (Decimal(0), None, None),
    ]
    assert data.total[0] == Decimal("12345678901234567890123456789012445.12345679")
    assert (data.total[2], data.records) == (Decimal("12.5"), 7)
    assert encode(data.total[0]) == "12345678901234567890123456789012445.12345679"


def test_of_a_second_grouping_the_largest_stay() -> None:
    definition = Definition(group_by=(Grouping("Choice"), Grouping("Text")), kind=Kind.PIVOT)
    statement = compile_report(THINGS, definition, [])
    assert f"LEAST(n1, {MAX_COLUMNS + 1})" in statement.sql
    rows = [("red", 1, "a", 1, 2, 2), ("red", 1, "z", MAX_COLUMNS + 1, 3, 3), (None, 2, "a", 1, 1, 1)]
    data = assemble(definition, statement, rows, NOW)
    assert [(row.keys, row.rest) for row in data.rows] == [
        (("red", "a"), (False, False)),
        (("red", None), (False, True)),
        ((None, "a"), (False, False)),
    ]
    assert data.total == (Decimal(6),)
