"""The staff's page about the platform's own backup."""

from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, HOSTILE, NOW, SUPPORT, FakePlatform, platform_backup
from vivero_control.domain.platform.service import DumpRefusedError, PlatformState, ProofView
from vivero_control.web import staff_shell

PAGE = staff_shell.PLATFORM
BUTTON = f'action="{PAGE}/dumps"'


def page(who: Any = ADMIN, address: str = PAGE, **known: object) -> str:  # noqa: ANN401  a StaffView
    with browser(platform=FakePlatform(platform_backup(**known))) as client:
        answer = logged_in(client, who).get(address)
    assert answer.status_code == 200
    return answer.text


def test_the_page_says_what_there_is_and_how_old_it_is(staff: TestClient[Any]) -> None:
    text = staff.get(PAGE).text
    for words in (
        "Can be rebuilt",
        "Complete: state 1204",
        "q7p2m4k9xa",
        "State 1,204, 47.1 KiB",
        "22 Nov 2026, 03:30:00 UTC",
        'title="platform/backups/d20261113-023004"',
        "Passed",
        "tables compared: 9",
        (NOW - timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M"),
    ):
        assert words in text, words
    assert f'href="{PAGE}"' in staff.get("/staff/tenants").text, "it is in the navigation"
    assert "hx-get" not in text


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"state": PlatformState.NOT_RECOVERABLE, "message": HOSTILE}, "Cannot be rebuilt"),
        ({"state": PlatformState.NOT_CONFIGURED, "message": "No recovery key"}, "Not set up"),
        ({"state": PlatformState.RUNNING, "dumps": (), "proof": None}, "No dump yet"),
        ({"stored": None, "message": ""}, "has not looked at it yet"),
        (
            {"proof": ProofView(ended_at=NOW, result="Failed", message="not the same: audit (rows)", tables=None)},
            "not the same: audit (rows)",
        ),
    ],
)
def test_what_is_wrong_or_not_there_yet_is_said(known: dict[str, Any], words: str) -> None:
    text = page(**known)
    assert words in text
    assert "<script>alert" not in text


def test_without_one_it_says_how_to_set_it_up() -> None:
    with browser(platform=FakePlatform()) as client:
        answer = logged_in(client).get(PAGE)
    assert answer.status_code == 200
    assert "The platform itself is not backed up" in answer.text
    assert BUTTON not in answer.text


def test_only_an_admin_asks_and_never_for_what_cannot_be() -> None:
    assert BUTTON in page()
    assert BUTTON not in page(SUPPORT)
    assert "Only admins ask for a backup" in page(SUPPORT)
    assert BUTTON not in page(dumping=True)
    assert BUTTON not in page(state=PlatformState.NOT_CONFIGURED)
    platform = FakePlatform(platform_backup())
    with browser(platform=platform) as client:
        assert logged_in(client, SUPPORT).post(f"{PAGE}/dumps").status_code == 403
    assert platform.orders == []


def test_it_is_asked_for_in_the_name_of_who_is_logged_in_and_looked_at_again() -> None:
    platform = FakePlatform(platform_backup(dumping=True))
    with browser(platform=platform) as client:
        answer = logged_in(client).post(f"{PAGE}/dumps", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=dump")
        text = client.get(f"{PAGE}?done=dump").text
    assert [actor for _, actor in platform.orders] == [ADMIN.email]
    assert "A dump was asked for." in text
    assert "A dump is under way" in text
    assert f'hx-get="{PAGE}" hx-trigger="every 2s"' in text


def test_what_is_refused_is_said_on_the_page() -> None:
    platform = FakePlatform(platform_backup(), DumpRefusedError("No recovery key"))
    with browser(platform=platform) as client:
        answer = logged_in(client).post(f"{PAGE}/dumps")
    assert answer.status_code == 409
    assert "Nothing was done" in answer.text
    assert "No recovery key" in answer.text
