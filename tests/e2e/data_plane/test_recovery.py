"""Links by mail in a browser: what its script does with the address."""

import re
import secrets

from e2e.data_plane.conftest import Workspace
from playwright.sync_api import expect


def test_the_secret_goes_from_the_address_into_the_form(workspace: Workspace) -> None:
    page = workspace.page
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url + str(request.headers)))
    page.goto(f"{workspace.url}/set-password#s3cret-in-the-fragment")
    expect(page).to_have_url(f"{workspace.url}/set-password")
    expect(page.get_by_label("Link from the mail")).to_be_hidden()
    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    assert not [one for one in seen if "s3cret" in one.partition("#")[0]]
    page.get_by_label("New password", exact=True).fill("walnut orchard at dusk")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text(re.compile("This link was used before"))).to_be_visible()


def test_a_member_is_invited_by_mail(workspace: Workspace) -> None:
    page, address = workspace.page, f"grace-{secrets.token_hex(4)}@example.com"
    workspace.open("/users/new")
    page.get_by_label("E-mail").fill(address)
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("status").first).to_contain_text("Invitation on its way")
    page.get_by_role("link", name=address).click()
    page.get_by_role("button", name="Withdraw invitation").click()
    expect(page.get_by_text(address)).to_have_count(0)
