"""No page is wider than its window, no column too narrow to read, and every name begins where it is seen."""

from collections.abc import Callable

import pytest
from e2e.conftest import PHONE
from e2e.pages import full
from playwright.sync_api import Page, expect
from support.sweeps import sampled

Check = Callable[[Page], None]
# The last is a laptop's window, magnified four times.
WIDTHS = (1440, 1024, 768, 390, 320)
READABLE = 100  # pixels
SEED = 30
"""Of the sample of pages: each costs two processor seconds of Chromium."""


def narrow(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def assert_fits(page: Page) -> None:
    for width in WIDTHS:
        narrow(page, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is wider than {width}"


@pytest.mark.parametrize("path", sampled(full.CONTROL_PAGES, 9, SEED))
def test_a_page_of_the_control_plane_fits_and_has_no_barrier(
    page: Page, control_plane: str, path: str, accessible: Check
) -> None:
    page.goto(control_plane + path)
    assert_fits(page)
    accessible(page)


@pytest.mark.parametrize("path", sampled(full.WORKSPACE_PAGES, 20, SEED))
def test_a_page_of_the_workspace_fits_and_has_no_barrier(
    page: Page, workspace: str, path: str, accessible: Check
) -> None:
    page.goto(workspace + path)
    assert_fits(page)
    accessible(page)


@pytest.mark.parametrize("path", sampled(full.PAST_PAGES, 2, SEED))
def test_a_page_of_a_workspace_as_of_a_second_fits_and_has_no_barrier(
    page: Page, past: str, path: str, accessible: Check
) -> None:
    page.goto(past + path)
    expect(page.get_by_text("read only")).to_be_visible()
    assert_fits(page)
    accessible(page)


def test_a_form_with_errors_fits(page: Page, workspace: str, accessible: Check) -> None:
    page.goto(f"{workspace}/collections/{full.TABLE}/new")
    # By what the server wrote: a field that leads to records becomes a combobox once its script is there.
    for box in page.locator("main input[type='text']:not([data-picker])").all():
        box.fill("W" * 300)
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_text("Nothing was saved yet.")).to_be_visible()
    assert_fits(page)
    accessible(page)


@pytest.mark.parametrize("button", ["Filter", "Sort", "Columns", "View"])
def test_a_panel_over_the_table_fits(page: Page, workspace: str, button: str) -> None:
    page.goto(f"{workspace}/collections/{full.TABLE}?view=1")
    page.get_by_role("main").locator(f"summary[title='{button}']").click()
    assert_fits(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_long_words_of_a_dead_letter_can_be_read(page: Page, control_plane: str, width: int) -> None:
    page.goto(f"{control_plane}/staff/dead-letters")
    narrow(page, width)
    for label in ("For", "Last error"):
        words = page.locator(f"td[data-label='{label}'] > div").first
        assert words.evaluate("words => words.offsetWidth") > READABLE


@pytest.mark.parametrize("width", WIDTHS)
def test_no_column_of_records_is_too_narrow_to_read(page: Page, workspace: str, width: int) -> None:
    page.goto(f"{workspace}/collections/{full.TABLE}")
    narrow(page, width)
    heads = page.locator(".v-grid thead th:not(.v-mark)").evaluate_all("heads => heads.map(head => head.offsetWidth)")
    assert len(heads) > 12
    assert min(heads) > READABLE
    lead = page.locator("tbody .v-lead").first.bounding_box()
    assert lead
    assert lead["width"] < width / 2, "the column that stays leaves room for the others"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_beginning_of_a_name_is_seen_whatever_its_direction(page: Page, workspace: str, width: int) -> None:
    page.goto(f"{workspace}/collections/{full.TABLE}")
    narrow(page, width)
    link = page.locator("tbody").get_by_role("link", name=full.ARABIC[:20]).first
    assert link.evaluate(
        """link => {
            const first = document.createRange(), text = document.createTreeWalker(link, NodeFilter.SHOW_TEXT);
            do text.nextNode(); while (!text.currentNode.data.trim());
            first.setStart(text.currentNode, 0);
            first.setEnd(text.currentNode, 1);
            const letter = first.getBoundingClientRect(), box = link.getBoundingClientRect();
            return letter.left >= box.left - 1 && letter.right <= box.right + 1;
        }"""
    )


def test_a_link_that_sorts_is_seen_when_the_keyboard_reaches_it_on_a_phone(page: Page, control_plane: str) -> None:
    page.goto(f"{control_plane}/staff/tenants")
    narrow(page, PHONE["width"])
    link = page.get_by_role("columnheader", name="Company").get_by_role("link")
    link.focus()
    box = link.bounding_box()
    assert box
    assert box["height"] >= 24
    assert link.evaluate(
        "link => link.contains(document.elementFromPoint(link.getBoundingClientRect().x + 4, link.getBoundingClientRect().y + 8))"
    )
