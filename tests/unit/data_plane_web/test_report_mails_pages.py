"""Reports by e-mail on the pages, without a script."""

from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.report_mails.schemas import Every, Sending, SendingState
from vivero_data.domain.users.schemas import Role

PAGE = "/report-schedules"
RULE = {"every": "week", "hour": "7", "weekday": "4", "day": "1"}


def report(browser: Browser, world: World) -> int:
    world.mail = True
    browser.customers()
    form = {"collection": "Customers", "name": "Orders", "measure__0": "count", "kind": "table", "order": "group"}
    browser.send("/reports/new", **form, limit="50", shared="true")
    (number,) = world.reports
    return number


def test_a_report_is_sent_paused_changed_and_ended(browser: Browser, world: World) -> None:
    number = report(browser, world)
    assert f'href="{PAGE}/new?subject=report-{number}"' in browser.open(f"/reports/{number}")
    page = browser.open(f"{PAGE}/new?subject=report-{number}")
    assert f'<option value="report-{number}" selected' in page
    to = "ada@example.com, grace@example.com\r\nada@example.com"
    target = browser.send(f"{PAGE}/new", subject=f"report-{number}", recipients=to, **RULE)
    ((key, made),) = world.schedules.items()
    assert (target, made.every, made.weekday) == (f"{PAGE}/{key}", Every.WEEK, 4)
    assert set(made.recipients) == {"ada@example.com", "grace@example.com"}
    assert "Every Friday at 07:00" in browser.open(PAGE)
    browser.send(target, active="false")
    assert world.schedules[key].active is False
    assert "Paused" in browser.open(PAGE)
    browser.send(target, recipients="ada@example.com", **{**RULE, "every": "month", "day": "31"})
    assert "On day 31 of every month" in browser.open(target)
    assert browser.send(f"{target}/delete") == PAGE
    browser.open(target, 404)


def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(browser: Browser, world: World) -> None:
    number = report(browser, world)
    page = browser.send(f"{PAGE}/new", 422, subject=f"report-{number}", recipients="", **RULE)
    assert "name somebody" in page
    page = browser.send(
        f"{PAGE}/new", 422, subject=f"report-{number}", recipients="a@b.example", **{**RULE, "day": "32"}
    )
    assert "between 1 and 31" in page
    assert "a@b.example" in page
    assert "be a report or a dashboard" in browser.send(f"{PAGE}/new", 422, subject="x-1", recipients="a", **RULE)


def test_what_was_sent_and_what_not_is_said(browser: Browser, world: World) -> None:
    number = report(browser, world)
    target = browser.send(f"{PAGE}/new", subject=f"report-{number}", recipients="ada@example.com", **RULE)
    world.sendings = [
        Sending(2, NOW, "ada@example.com", SendingState.FAILED, "The mail server does not answer.", NOW),
        Sending(1, NOW, "", SendingState.SENT, "", NOW),
    ]
    page = browser.open(target)
    for words in ("Not sent", "The mail server does not answer.", "Somebody who is gone", "2 mails"):
        assert words in page


def test_a_workspace_without_mail_says_so(browser: Browser, world: World) -> None:
    report(browser, world)
    world.mail = False
    assert "sends no mail" in browser.open(f"{PAGE}/new")


def test_a_viewer_sees_them_and_makes_none(browser: Browser, world: World) -> None:
    number = report(browser, world)
    world.role = Role.VIEWER
    assert "Send by e-mail" not in browser.open(f"/reports/{number}")
    browser.open(PAGE)
    browser.open(f"{PAGE}/new", 403)
    browser.send(f"{PAGE}/new", 403, subject=f"report-{number}", recipients="a@b.example", **RULE)


def test_a_link_of_a_mail_stops_it_only_when_asked(browser: Browser, world: World) -> None:
    world.signed_in = False
    at = f"/stop-mails/{world.stop_token}"
    assert "Orders by month" in browser.open(at)
    assert world.stopped == []
    answer = browser.client.post(at, data={"List-Unsubscribe": "One-Click"})
    assert answer.is_success, answer.text
    assert world.stopped == [world.stop_token]
    browser.open("/stop-mails/9.9.x", 404)
