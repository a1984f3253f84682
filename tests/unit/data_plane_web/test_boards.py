"""The columns of a board: every record is in exactly one of them."""

from typing import Any

import pytest
from unit.data_plane import builders
from unit.data_plane_web.browser import Browser
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.field_types.options import Options, Result
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.where import compiled
from vivero_data.web.boards import MAX_LANES, OTHERS, lanes

BOARDED = [kind for kind in FieldType if kind.kind.board]
PEOPLE = [Linked(1, "Ada"), Linked(2, "Grace")]


@pytest.mark.parametrize("kind", BOARDED)
def test_every_column_is_a_condition_and_takes_its_own_value(kind: FieldType) -> None:
    field = builders.field(kind, 5)
    values: list[Any] = [*kind.kind.listed(field)] or [*PEOPLE]
    found = lanes(field, values)
    assert [one.key for one in found] == ["none", *map(str, range(len(values))), OTHERS]
    for one in found:
        compiled(builders.collection(field), one.condition)
    for one, value in zip(found[1:-1], values, strict=True):
        assert one.typed is not None
        stored = kind.kind.parse(kind.kind.read_condition(one.typed), field)
        assert stored == (value.id if isinstance(value, Linked) else value)
    assert found[-1].typed is None


@pytest.mark.parametrize("required", [False, True])
def test_a_card_loses_its_value_only_where_none_is_needed(required: bool) -> None:  # noqa: FBT001  pytest
    none = lanes(builders.field(FieldType.CHOICE, 5, required=required), ["red"])[0]
    assert none.typed == (None if required else "")


def test_no_card_moves_where_the_workspace_writes_the_values() -> None:
    formula = Options(formula="TRUE", result=Result.BOOLEAN)
    field = builders.field(FieldType.FORMULA, 5, options=formula)
    found = lanes(field, field.kind.listed(field))
    assert [one.label for one in found] == ["No value", "Yes", "No", "Other values"]
    assert [one.typed for one in found] == [None] * 4


def test_more_values_than_columns_share_one() -> None:
    field = builders.field(FieldType.CHOICE, 5, choices=tuple(f"c{number}" for number in range(MAX_LANES + 5)))
    found = lanes(field, field.choices)
    assert len(found) == MAX_LANES + 2
    sql = compiled(builders.collection(field), found[-1].condition)
    assert len(sql.params) == MAX_LANES


@pytest.mark.parametrize("query", ["kind=board", "kind=board&group=Notes", "kind=board&group=Nothing"])
def test_a_board_without_its_field_says_so(browser: Browser, query: str) -> None:
    browser.customers()
    answer = browser.client.get(f"/collections/Customers?{query}")
    assert answer.status_code == 422
    assert "This view cannot be shown" in answer.text
    cards = browser.client.get(f"/collections/Customers/cards?{query}&column=0")
    assert cards.status_code == 404


@pytest.mark.parametrize("query", ["kind=pie", "height=huge", "sums=Staff:median"])
def test_an_unknown_word_in_the_address_is_refused(browser: Browser, query: str) -> None:
    browser.customers()
    answer = browser.client.get(f"/collections/Customers?{query}")
    assert answer.status_code == 422
    assert "must be" in answer.text


def test_a_column_that_is_not_there_has_no_cards(browser: Browser) -> None:
    browser.customers()
    path = "/collections/Customers/cards?kind=board&group=Status"
    assert browser.client.get(f"{path}&column=0").status_code == 200
    for column in ("", "99", "-1", "x"):
        assert browser.client.get(f"{path}&column={column}").status_code == 404
