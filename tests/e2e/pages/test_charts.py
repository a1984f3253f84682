"""Charts in a browser: drawn in our colours, their words never markup, the figures beside them for who sees none."""

import re

import pytest
from e2e.conftest import PHONE
from e2e.pages import full
from playwright.sync_api import Page, expect
from vivero_data.domain.reports.schemas import Kind

NUMBERS = {kind: number for number, kind in enumerate(Kind, 1)}
DRAWN = (Kind.BAR, Kind.STACKED_BAR, Kind.LINE, Kind.AREA, Kind.PIE)


@pytest.fixture
def problems(page: Page) -> list[str]:
    """What the browser complained of: a refused style or script is among it."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_drawn_within_its_box_on_a_phone_too(
    page: Page, workspace: str, kind: Kind, problems: list[str]
) -> None:
    page.goto(f"{workspace}/reports/{NUMBERS[kind]}")
    drawing = page.locator("[data-chart] svg")
    expect(drawing).to_be_visible()
    assert drawing.locator("path").count() > 3
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    expect(drawing).to_have_attribute("width", re.compile("^(2|3)[0-9]{2}$"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []


def test_the_figures_of_a_chart_are_read_by_keyboard(page: Page, workspace: str) -> None:
    page.goto(f"{workspace}/reports/{NUMBERS[Kind.STACKED_BAR]}")
    figures = page.get_by_role("table")
    expect(figures).to_be_hidden()
    page.get_by_text("Figures as a table").focus()
    page.keyboard.press("Enter")
    expect(figures).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("region", name=re.compile(".")).filter(has=figures)).to_be_focused()


def test_colours_follow_the_theme(page: Page, workspace: str) -> None:
    page.goto(f"{workspace}/reports/{NUMBERS[Kind.BAR]}")
    first = page.locator("[data-chart] svg path[fill='#1f7a4d']").first
    expect(first).to_be_attached()
    page.evaluate("document.documentElement.dataset.theme = 'vivero-dark'")
    expect(first).not_to_be_attached()
    expect(page.locator("[data-chart] svg path[fill='#5fce8e']").first).to_be_attached()


def test_a_page_without_a_chart_loads_no_script_for_one(page: Page, workspace: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/collections", f"/reports/{NUMBERS[Kind.TABLE]}", "/reports", f"/collections/{full.TABLE}"):
        page.goto(workspace + path)
    assert asked
    assert not [url for url in asked if "/charts-" in url]


def test_the_preview_follows_the_menus(page: Page, workspace: str, problems: list[str]) -> None:
    page.goto(f"{workspace}/reports/{NUMBERS[Kind.BAR]}/edit")
    expect(page.locator('[data-chart*=\'"kind":"bar"\'] svg')).to_be_visible()
    page.get_by_label("Show as").select_option("line")
    expect(page.locator('[data-chart*=\'"kind":"line"\'] svg')).to_be_visible()
    page.get_by_label("Show as").select_option("number")
    expect(page.get_by_text("Must be 0 for number.")).to_be_visible()
    page.get_by_label("Group by", exact=True).select_option("")
    page.get_by_label("and by", exact=True).select_option("")
    expect(page.locator("#preview dl")).to_be_visible()
    assert problems == []


def test_paper_is_light_and_holds_the_chart_and_its_figures_without_the_shell(page: Page, workspace: str) -> None:
    page.goto(f"{workspace}/reports/{NUMBERS[Kind.STACKED_BAR]}")
    page.evaluate(
        "document.documentElement.dataset.theme = 'vivero-dark'; window.print = () => { window.asked = true }"
    )
    page.get_by_role("button", name="Print or PDF").click()
    assert page.evaluate("window.asked"), "the browser's own dialog opens"
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("[data-chart] svg path[fill='#1f7a4d']").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for hidden in (page.get_by_role("navigation", name="Main"), page.get_by_role("button"), page.get_by_role("banner")):
        expect(hidden.filter(visible=True)).to_have_count(0)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("table")).to_be_hidden()
    assert page.evaluate("document.documentElement.dataset.theme") == "vivero-dark"
