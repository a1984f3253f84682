"""A workspace is backed up from the console and brought back from that backup, seen as it goes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import PHONE, Shoot
from integration.control_plane.leftovers import erase_signups
from playwright.sync_api import Locator, Page, expect

Check = Callable[[Page], None]
# Three or four containers one after the other, then a new workspace: on a busy machine each takes seconds to start.
DONE_MS = 240_000


@pytest.fixture
def copy(platform: dict[str, Any], workspace: dict[str, Any]) -> Iterator[str]:
    """The slug of the new workspace, which is erased at the end."""
    slug = f"{workspace['tenant']['slug'][:30]}-back"
    yield slug
    erase_signups(Path(platform["kubeconfig"]), [slug])


@pytest.fixture
def backups(staff: Page, home: str, workspace: dict[str, Any]) -> Page:
    """The page of a new tenant's backups, reached from the tenant's page."""
    staff.goto(f"{home}/staff/tenants/{workspace['tenant']['name']}")
    staff.get_by_role("link", name="Backups").last.click()
    expect(staff.get_by_role("heading", name="No backup has ended yet")).to_be_visible()
    return staff


def rows(page: Page, table: str) -> Locator:
    return page.get_by_role("table", name=table).locator("tbody tr")


def test_a_workspace_is_backed_up_and_brought_back(
    backups: Page, home: str, workspace: dict[str, Any], copy: str, shoot: Shoot, accessible: Check
) -> None:
    page = backups
    accessible(page)
    shoot(page, "backups-empty")
    page.get_by_role("button", name="Back up now").press("Enter")
    expect(page.get_by_text("A backup was asked for.")).to_be_visible()
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()
    expect(page.locator("#live").get_by_text("Read back and compared")).to_be_visible(timeout=DONE_MS)
    shoot(page, "backups-under-way")
    backup = rows(page, "Backups").first
    expect(backup).to_contain_text("Complete", timeout=DONE_MS)
    expect(backup).to_contain_text("By hand")
    expect(page.get_by_role("heading", name="Under way")).to_have_count(0)
    expect(rows(page, "Backups")).to_have_count(1)

    backup.get_by_role("link", name="Bring back").click()
    expect(page.get_by_label("As a backup holds it")).to_be_checked()
    expect(page.get_by_label("Backup", exact=True)).not_to_have_value("")
    expect(page.get_by_label("Moment")).to_be_hidden()
    page.get_by_label("To look at it").check()
    expect(page.get_by_role("textbox", name="Address")).to_be_hidden()
    page.get_by_label("Into a new workspace").check()
    accessible(page)
    shoot(page, "bring-back")
    page.get_by_role("textbox", name="Address").fill(workspace["tenant"]["slug"])
    page.get_by_label("Why").fill("They deleted what they need")
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("textbox", name="Address")).to_be_focused()
    expect(page.get_by_text("belongs to another tenant; choose another.").first).to_be_visible()
    shoot(page, "bring-back-taken")
    page.get_by_role("textbox", name="Address").fill(copy)
    page.get_by_role("textbox", name="Address").press("Enter")
    expect(page.get_by_text("Bringing back was asked for.")).to_be_visible()
    expect(page.get_by_role("heading", name=f"Brought back as {copy}")).to_be_visible()
    restored = rows(page, "Brought back").first
    expect(restored).to_contain_text("Complete", timeout=DONE_MS)
    accessible(page)
    shoot(page, "backups")
    restored.get_by_role("link", name=copy).click()
    expect(page.get_by_role("definition").filter(has_text="Ready")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=f"{copy}.")).to_be_visible()

    page.goto(f"{home}/staff/tenants/{workspace['tenant']['name']}")
    history = page.get_by_role("listitem").filter(has_text="They deleted what they need")
    expect(history).to_contain_text("Bring back")
    page.get_by_role("navigation").get_by_role("link", name="Backups").first.click()
    newest = page.get_by_role("row").filter(has_text=f"Brought back as {copy}")
    expect(newest).to_contain_text("Complete")
    accessible(page)
    shoot(page, "all-backups")


def test_a_second_before_the_tenant_is_refused_in_words(
    backups: Page, copy: str, shoot: Shoot, accessible: Check
) -> None:
    """By keyboard alone, on a phone."""
    page = backups
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.get_by_role("link", name="Bring back…").press("Enter")
    expect(page.get_by_label("As it is now")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("As it was at a second")).to_be_checked()
    page.get_by_label("Moment").fill("2020-01-01T00:00:00")
    page.get_by_role("textbox", name="Address").fill(copy)
    page.get_by_label("Why").fill("To see what is kept")
    page.get_by_role("button", name="Bring back").press("Enter")
    # Known to the form once the operator has said what is kept; else the operator says it when it has looked.
    # Of so new a workspace there may be nothing in the archive yet.
    words = r"Nothing is kept from before|what can be restored: \S+Z to \S+Z|neither its first transaction nor a base"
    said = page.get_by_text(re.compile(words))
    expect(said.first).to_be_visible(timeout=DONE_MS)
    accessible(page)
    shoot(page, "bring-back-refused")


def test_a_workspace_goes_back_in_place_and_offers_the_way_forward(
    backups: Page, workspace: dict[str, Any], shoot: Shoot, accessible: Check
) -> None:
    page, name = backups, workspace["tenant"]["name"]
    page.get_by_role("button", name="Back up now").click()
    backup = rows(page, "Backups").first
    expect(backup).to_contain_text("Complete", timeout=DONE_MS)
    backup.get_by_role("link", name="Bring back").click()
    page.get_by_label("In place").check()
    expect(page.get_by_role("textbox", name="Address")).to_be_hidden()
    expect(page.get_by_text("Everybody in this workspace goes back")).to_be_visible()
    page.get_by_label("To confirm").fill("another")
    page.get_by_label("Why").fill("A wrong import")
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_label("To confirm")).to_be_focused()
    expect(page.get_by_text(f"Type the tenant's name, {name}.")).to_be_visible()
    accessible(page)
    shoot(page, "bring-back-in-place")
    page.get_by_label("To confirm").fill(name)
    page.get_by_label("To confirm").press("Enter")
    expect(page.get_by_role("heading", name="Brought back in place")).to_be_visible()
    restored = rows(page, "Brought back").first
    expect(restored).to_contain_text("Complete", timeout=DONE_MS)
    accessible(page)
    shoot(page, "backups-in-place")
    restored.get_by_role("link", name="Undo").click()
    expect(page.get_by_label("In place")).to_be_checked()
    expect(page.get_by_label("Moment")).not_to_have_value("")
