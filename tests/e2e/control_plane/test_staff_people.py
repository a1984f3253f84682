"""Somebody joins the staff by a link in a mail, and leaves it."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e.conftest import PATIENCE_MS, Shoot, opened, watched
from e2e.control_plane.conftest import log_in
from playwright.sync_api import Browser, Page, expect
from vivero_dev.localhost import local_client

Check = Callable[[Page], None]
PASSWORD = "walnut orchard at dusk"


def link_for(page: Page, platform: dict[str, Any], email: str) -> str:
    """The link of the newest mail to an address, once the worker has sent it; bounded by PATIENCE_MS."""
    with local_client(Path(platform["ca"])) as sink:
        for _ in range(PATIENCE_MS // 250):
            found = sink.get(f"{platform['mail']['url']}/api/messages", params={"to": email}).json()["messages"]
            if found:
                link = re.search(r"https://\S+", found[0]["text"])
                assert link
                return link[0]
            page.wait_for_timeout(250)
    raise AssertionError(f"no mail to {email}")


def test_somebody_is_invited_logs_in_and_is_deactivated(
    browser: Browser, staff: Page, platform: dict[str, Any], home: str, shoot: Shoot, accessible: Check
) -> None:
    email = f"grace-{secrets.token_hex(4)}@vivero.example"
    staff.get_by_role("link", name="People").click()
    accessible(staff)
    shoot(staff, "people")
    staff.get_by_role("link", name="Invite somebody").click()
    expect(staff.get_by_label("E-mail")).to_be_focused()
    accessible(staff)
    shoot(staff, "person-new")
    staff.get_by_label("E-mail").fill(email)
    staff.get_by_role("button", name="Send invitation").click()
    expect(staff.get_by_text("The invitation is on its way.")).to_be_visible()
    expect(staff.get_by_role("row").filter(has_text=email)).to_contain_text("Invited")
    link = link_for(staff, platform, email)

    with opened(browser) as context, watched(context) as theirs:
        theirs.goto(link)
        expect(theirs.get_by_text("For the staff of Vivero")).to_be_visible()
        expect(theirs).to_have_url(f"{home}/set-password")  # the secret has left the address bar
        theirs.get_by_label("New password", exact=True).fill(PASSWORD)
        theirs.get_by_role("button", name="Set password").click()
        expect(theirs.get_by_text("Your password is set.")).to_be_visible()
        log_in(theirs, {"email": email, "password": PASSWORD})
        expect(theirs.get_by_role("link", name="People")).to_have_count(0)
        theirs.goto(f"{home}/staff/people")
        expect(theirs.get_by_text("Only admins see and decide who is of the staff.")).to_be_visible()

        staff.get_by_role("link", name=email).click()
        accessible(staff)
        shoot(staff, "person")
        staff.get_by_role("button", name="Deactivate").click()
        expect(staff.get_by_text("They are deactivated, and logged out everywhere.")).to_be_visible()
        theirs.goto(f"{home}/staff/tenants")
        expect(theirs.get_by_role("heading", name="Staff login")).to_be_visible()
