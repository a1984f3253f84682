"""A quote in Chromium: staff write it, the customer opens it by the link and accepts it."""

from collections.abc import Callable, Iterator

import pytest
from e2e.pages import full
from e2e.pages.test_widths import assert_fits
from integration.control_plane.support import running
from playwright.sync_api import Page, expect
from unit.control_plane_web import fakes as control
from unit.control_plane_web.contract_fakes import CODE, FakeQuotes, quote
from vivero_control.domain.contracts.schemas import QuoteState

Check = Callable[[Page], None]


@pytest.fixture
def address() -> Iterator[str]:
    quotes = FakeQuotes((quote(1, QuoteState.DRAFT), quote(2)))
    with running(control.make_app(sessions=control.OpenDoor(), quotes=quotes), ready=404) as found:
        yield found


def test_a_quote_is_sent_by_staff_and_accepted_by_the_customer(page: Page, address: str, accessible: Check) -> None:
    page.goto(f"{address}/staff/quotes/1/edit")
    page.get_by_label("Company").fill("")
    page.get_by_role("button", name="Keep the draft").click()
    expect(page.get_by_text("Enter the name of your company.")).to_be_visible()
    assert_fits(page)
    accessible(page)
    page.get_by_label("Company").fill("Acme Ltd")
    page.get_by_role("button", name="Keep the draft").click()
    page.get_by_role("button", name="Send to").click()
    expect(page.get_by_text("The mail with the link is on its way.")).to_be_visible()

    page.goto(f"{address}/quote#{CODE}")
    page.get_by_role("button", name="See the quote").click()
    expect(page.get_by_role("heading", name="Our offer to you")).to_be_visible()
    assert CODE not in page.url
    assert_fits(page)
    accessible(page)
    page.get_by_role("button", name="Accept for").click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    accessible(page)
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("I accept this quote").check()
    page.get_by_role("button", name="Accept for").click()
    expect(page.get_by_role("heading", name="You have accepted this quote")).to_be_visible()


def test_a_full_quote_fits(page: Page, control_plane: str, accessible: Check) -> None:
    page.goto(f"{control_plane}/quote#{CODE}")
    page.get_by_role("button", name="See the quote").click()
    expect(page.get_by_text(full.NAMES[5][:40])).not_to_have_count(0)
    assert_fits(page)
    accessible(page)
