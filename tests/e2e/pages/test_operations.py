"""The console's page Operations in a browser, over a stand-in of Prometheus."""

from collections.abc import Callable

from e2e.pages.test_widths import assert_fits
from integration.control_plane.support import running
from playwright.sync_api import Page, expect
from unit.control_plane_web import fakes as control
from unit.control_plane_web import monitoring_fakes as measuring

Check = Callable[[Page], None]


def test_who_is_on_call_sees_what_fires_and_looks_at_the_tenant(page: Page, accessible: Check) -> None:
    complained: list[str] = []
    page.on("console", lambda said: complained.append(said.text) if said.type in {"error", "warning"} else None)
    monitoring = measuring.monitoring(measuring.StandIn(alerts=[measuring.alert()], silent="vivero_cache_lookups"))
    with running(control.make_app(sessions=control.OpenDoor(), monitoring=monitoring), ready=404) as address:
        page.clock.install()
        page.goto(f"{address}/staff/operations")
        expect(page.get_by_text("Tenant acme is down")).to_be_visible()
        expect(page.locator("[data-chart] svg").first).to_be_visible()
        page.get_by_role("link", name="One tenant").click()
        page.get_by_role("combobox", name="Tenant").fill("acme")
        page.keyboard.press("Enter")
        expect(page.get_by_text(measuring.AWAY)).to_be_visible()
        page.get_by_role("link", name="6 hours").click()
        memory = page.get_by_role("table", name="Memory").first
        expect(memory).to_be_hidden()
        page.locator("section").filter(has=page.get_by_role("heading", name="Memory")).get_by_text(
            "Figures as a table"
        ).focus()
        page.keyboard.press("Enter")
        expect(memory).to_be_visible()
        with page.expect_response(lambda answer: "/staff/operations/tenant" in answer.url):
            page.clock.fast_forward(31_000)
        expect(page.locator("[data-chart] svg").first).to_be_visible()
        expect(memory).to_be_visible()
        assert_fits(page)
        accessible(page)
    assert complained == []
