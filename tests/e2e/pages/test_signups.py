"""The signup's form in a browser: a proof of work that the page calculates by itself, and where a visitor came from."""

from integration.control_plane.support import running
from playwright.sync_api import Page, expect
from unit.control_plane_web import fakes as control
from vivero_control.domain.signups.work import Work
from vivero_web.counts import LocalCounts
from vivero_web.limiter import Limiter


def test_a_network_that_signs_up_often_waits_for_its_browser(page: Page) -> None:
    signups = control.FakeSignups()
    work = Work(b"k" * 32, Limiter(LocalCounts()), 0, lambda: control.NOW)
    with running(control.make_app(signups=signups, work=work), ready=404) as address:
        page.goto(f"{address}/signup?utm_source=newsletter")
        page.get_by_label("Company").fill("Acme GmbH")
        page.get_by_label("Work e-mail").fill("ada@acme.example")
        page.get_by_label("Password", exact=True).fill("seven green bottles")
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status))
        with page.expect_response(lambda answer: answer.status == 201, timeout=60_000):
            page.get_by_role("button", name="Start free trial").click()
    assert 428 in answers, "the first try was asked for a proof"
    (started,) = signups.started
    assert started.password == "seven green bottles"
    assert started.lead.said == {"utm_source": "newsletter"}


def test_where_a_visitor_came_from_goes_along_to_the_form(page: Page, control_plane: str) -> None:
    page.goto(f"{control_plane}/?utm_campaign=spring+2026&unknown=x", referer="https://blog.example/post?reader=ada")
    page.get_by_role("link", name="Pricing").first.click()
    page.get_by_role("link", name="Start free trial").first.click()
    expect(page.locator("input[name=utm_campaign]")).to_have_value("spring 2026")
    expect(page.locator("input[name=referrer]")).to_have_value("blog.example")
    assert "unknown" not in page.url
    assert page.context.cookies() == []
