"""A form that is sent while the program behind the page does not answer: it waits, and goes once."""

from collections.abc import Callable

import pytest
from e2e.conftest import opened
from playwright.sync_api import Browser, Page, Request, Route, expect

HEALTH = "**/healthz"
WORDS = {"no healthy upstream": None, "<title>Our page</title>": "a-request"}
"""The proxy's, and of a page of ours that stands in, which has an id."""


def away(page: Page, times: int, words: str) -> list[str]:
    """The next so many questions are answered by what stands between; returns what forms were sent to."""
    left, sent = iter(range(times)), list[str]()

    def answer(route: Route) -> None:
        if next(left, None) is None:
            route.continue_()
        else:
            known = {"x-request-id": WORDS[words] or ""} if WORDS[words] else {}
            route.fulfill(status=503, content_type="text/html", body=words, headers=known)

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.route(HEALTH, answer)
    page.on("request", note)
    return sent


@pytest.mark.parametrize("words", WORDS)
def test_a_form_goes_when_there_is_an_answer(
    page: Page, workspace: str, words: str, accessible: Callable[[Page], None]
) -> None:
    page.goto(f"{workspace}/account")
    sent = away(page, 2, words)
    form = page.locator("form[method=post]").filter(has=page.get_by_label("New password"))
    form.locator("input[type=password]").first.fill("correct horse battery")
    form.get_by_label("New password").fill("an even better horse")
    button = form.get_by_role("button").last
    with page.expect_navigation():
        button.click()
        expect(page.get_by_text("There is no answer at the moment")).to_be_visible()
        expect(button).to_have_attribute("aria-busy", "true")
        button.click()
        expect(form.get_by_label("New password")).to_have_value("an even better horse")
        assert sent == []
        accessible(page)
    assert len(sent) == 1, "once, however often the button was pressed"


def test_a_form_waits_for_the_network(browser: Browser, workspace: str) -> None:
    with opened(browser) as context:  # unwatched: a browser complains of a connection that fails
        page = context.new_page()
        page.goto(f"{workspace}/account")
        sent = away(page, 0, "no healthy upstream")
        page.route(HEALTH, lambda route: route.abort(), times=1)
        with page.expect_navigation():
            page.get_by_role("button", name="Log out").last.click()
            expect(page.get_by_text("There is no answer at the moment")).to_be_visible()
            assert sent == []
        assert len(sent) == 1


def test_what_answers_is_sent_to_at_once(page: Page, workspace: str) -> None:
    page.goto(f"{workspace}/account")
    sent = away(page, 0, "no healthy upstream")
    with page.expect_navigation():
        page.get_by_role("button", name="Log out").last.click()
    assert len(sent) == 1
