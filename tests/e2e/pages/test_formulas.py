"""The editor of formulas in a real browser: what is typed is judged at once, and what is wrong is named where it is."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from unit.data_plane_web.fakes import World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType

PATH = "/collections/Plants"


@pytest.fixture
def world() -> World:
    made = World()
    fields = (
        NewField(name="Name", type=FieldType.TEXT, required=True),
        NewField(name="Price", type=FieldType.NUMBER),
        NewField(name="Planted", type=FieldType.DATE),
    )
    made.keep("Plants", fields, [{"Name": "Lemon", "Price": 4}])
    return made


def test_a_formula_is_judged_while_it_is_typed_and_added(
    page: Page, address: str, world: World, accessible: Callable[[Page], None]
) -> None:
    page.goto(f"{address}{PATH}/new-field")
    page.get_by_label("Name", exact=True).fill("With tax")
    formula = page.get_by_label("Formula")
    expect(formula).to_be_hidden()
    page.get_by_label("Type").select_option("formula")
    formula.press_sequentially("ROUND({Price} * 1.19, 2")
    said = page.locator("#formula-said")
    expect(said).to_contain_text("Expected")
    formula.press_sequentially(")")
    expect(said).to_contain_text("a number")
    accessible(page)
    page.get_by_text("Fields and functions").click()
    expect(page.get_by_role("list", name="Fields")).to_contain_text("Planted")
    formula.fill("{Planted} + 14")
    expect(said).to_contain_text("DATEADD")
    page.get_by_role("button", name="Add field").click()
    expect(formula).to_have_attribute("aria-invalid", "true")
    expect(formula).to_have_value("{Planted} + 14")
    formula.fill('DATEADD({Planted}, 14, "days")')
    expect(said).to_contain_text("a date")
    page.get_by_role("button", name="Add field").click()
    expect(page.get_by_text("Field added.")).to_be_visible()
    assert world.collections["Plants"].fields[-1].options.formula == 'DATEADD({Planted}, 14, "days")'
