"""The page of the export of the whole workspace, without a script."""

from datetime import timedelta

import pytest
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import NOW, FakeJobs, World
from vivero_data.domain.jobs.repository import JobState
from vivero_data.domain.users.schemas import Role
from vivero_data.domain.workspace_exports.job import KIND
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport

PAGE = "/workspace-export"
EXPORT = WorkspaceExport(7, 2_000, 12_000, 3, "olive@example.com", NOW, NOW + timedelta(days=7))


def test_an_owner_has_everything_exported_and_takes_it_along(browser: Browser, world: World) -> None:
    world.role = Role.OWNER
    assert f'href="{PAGE}"' in browser.open("/settings")
    assert "Export everything" in browser.open(PAGE)
    assert browser.send(PAGE) == PAGE
    page = browser.open(PAGE)
    assert "Waiting for its turn" in page
    assert f'action="{PAGE}"' not in page  # one at a time
    (job,) = world.jobs
    assert browser.client.get(f"/jobs/{job}", follow_redirects=False).headers["location"] == PAGE
    FakeJobs(world).add("workspace", JobState.DONE, kind=KIND)
    world.workspace_exports.append(EXPORT)
    page = browser.open(PAGE)
    assert "12,000 records, 3 files" in page
    answer = browser.client.get(f"{PAGE}/7/content", headers={"range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (206, b"PK")
    assert "attachment" in answer.headers["content-disposition"]
    assert browser.send(f"{PAGE}/7/delete") == PAGE
    assert "12,000" not in browser.open(PAGE)
    assert browser.client.get(f"{PAGE}/7/content").status_code == 404


def test_why_there_is_none_is_said_until_there_is_one(browser: Browser, world: World) -> None:
    world.role = Role.OWNER
    FakeJobs(world).add("workspace", JobState.FAILED, kind=KIND, problem="The bucket does not answer.")
    assert "The bucket does not answer." in browser.open(PAGE)
    world.workspace_exports.append(EXPORT)
    assert "The bucket does not answer." not in browser.open(PAGE)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_nobody_but_owners_may(browser: Browser, world: World, role: Role) -> None:
    world.role = role
    world.workspace_exports.append(EXPORT)
    if role is Role.ADMIN:
        assert f'href="{PAGE}"' not in browser.open("/settings")
    assert "Only an owner" in browser.open(PAGE, 403)
    browser.send(PAGE, 403)
    browser.open(f"{PAGE}/7/content", 403)
    browser.send(f"{PAGE}/7/delete", 403)
    assert world.jobs == {}
