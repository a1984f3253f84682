"""The staff's console in a browser: an order for several tenants, and an announcement on the status page."""

from collections.abc import Callable

from e2e.pages.test_widths import assert_fits
from integration.control_plane.support import running
from playwright.sync_api import Page, expect
from unit.control_plane_web import fakes as control
from unit.control_plane_web.status_fakes import FakeStatus
from unit.control_plane_web.view_fakes import FakeTenantViews
from unit.control_plane_web.webhook_fakes import SECRET, FakeWebhooks
from vivero_control.domain.status.schemas import Component

Check = Callable[[Page], None]


def test_several_are_suspended_after_a_look_at_what_that_does(page: Page, accessible: Check) -> None:
    tenants = control.FakeTenants()
    with running(control.make_app(sessions=control.OpenDoor(), tenants=tenants), ready=404) as address:
        page.goto(f"{address}/staff/tenants")
        page.get_by_label("Choose Northwind Traders").check()
        page.get_by_label("Choose Brisa Solar, S.L.").check()
        page.get_by_role("button", name="See what would be done").click()
        expect(page.get_by_role("heading", name="1 will be suspended")).to_be_visible()
        expect(page.get_by_text("It is suspended already.")).to_be_visible()
        assert tenants.orders == []
        assert_fits(page)
        accessible(page)
        page.get_by_label("Why").fill("They asked for it.")
        page.get_by_role("button", name="Suspend 1").click()
        expect(page.get_by_text("1 suspended")).to_be_visible()
    assert [name for name, _, _ in tenants.orders] == ["northwind"]


def test_a_view_is_saved_opened_and_seen_first(page: Page, accessible: Check) -> None:
    views = FakeTenantViews(())
    with running(control.make_app(sessions=control.OpenDoor(), tenant_views=views), ready=404) as address:
        page.goto(f"{address}/staff/tenants")
        page.get_by_label("Status").select_option(label="Suspended")
        page.wait_for_url("**state=suspended**")
        page.get_by_role("link", name="Save as a view").click()
        expect(page.get_by_label("Status", exact=True).first).to_have_value("suspended")
        page.get_by_role("button", name="Save the view").click()
        expect(page.get_by_text("Give it a name.")).to_be_visible()
        assert_fits(page)
        accessible(page)
        page.get_by_label("Name").fill("Closed")
        page.get_by_role("button", name="Save the view").click()
        expect(page.get_by_role("link", name="Closed")).to_have_attribute("aria-current", "page")
        assert_fits(page)
        accessible(page)
        page.get_by_role("link", name="All views").click()
        page.get_by_role("button", name="See “Closed” first").click()
        expect(page.get_by_text("This is what you see first from now on.")).to_be_visible()
        assert_fits(page)
        accessible(page)
        page.get_by_role("link", name="Tenants", exact=True).last.click()
        page.wait_for_url("**view=1**")


def test_an_incident_is_announced_and_a_missing_word_asked_for(page: Page, accessible: Check) -> None:
    status = FakeStatus()
    with running(control.make_app(sessions=control.OpenDoor(), status=status), ready=404) as address:
        page.goto(f"{address}/staff/status")
        page.get_by_role("link", name="Announce").click()
        page.get_by_label("What is known, and what you do").fill("Some pages take ten seconds. We look for the cause.")
        page.get_by_label("Workspaces").check()
        page.get_by_role("button", name="Put it on the page").click()
        expect(page.get_by_text("Say in a few words what it is.")).to_be_visible()
        assert_fits(page)
        accessible(page)
        page.get_by_label("Title").fill("Slow pages")
        page.get_by_role("button", name="Put it on the page").click()
        expect(page.get_by_text("It is on the status page, for everybody to read.")).to_be_visible()
    ((new, _),) = status.announced
    assert (new.title, new.components) == ("Slow pages", [Component.WORKSPACES])


def test_a_webhook_is_made_its_secret_copied_and_a_message_sent_again(page: Page, accessible: Check) -> None:
    webhooks = FakeWebhooks()
    with running(control.make_app(sessions=control.OpenDoor(), webhooks=webhooks), ready=404) as address:
        page.goto(f"{address}/staff/webhooks")
        assert_fits(page)
        accessible(page)
        page.get_by_role("link", name="New webhook").click()
        page.get_by_label("Address").fill("https://192.168.1.1/in")
        page.get_by_label("It is deleted").uncheck()
        page.get_by_role("button", name="Make webhook").click()
        expect(page.get_by_text("This address is not on the Internet.")).to_be_visible()
        expect(page.get_by_label("It is deleted")).not_to_be_checked()
        assert_fits(page)
        accessible(page)
        page.get_by_label("Address").fill("https://hooks.example.com/new")
        page.get_by_role("button", name="Make webhook").click()
        expect(page.get_by_text(SECRET)).to_be_visible()
        assert_fits(page)
        accessible(page)
        page.get_by_role("link", name="I have copied it").click()
        expect(page.get_by_role("heading", name="https://hooks.example.com/new")).to_be_visible()
        page.goto(f"{address}/staff/webhooks/2")
        assert_fits(page)
        accessible(page)
        page.get_by_role("button", name="Send again: tenant.").first.click()
        expect(page.get_by_text("The message is sent again.")).to_be_visible()
    assert [what for what, _, _ in webhooks.orders] == ["make", "resend"]
