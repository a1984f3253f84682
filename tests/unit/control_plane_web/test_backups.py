from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from msgspec import structs
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import (
    ADMIN,
    BACKUPS,
    HOSTILE,
    NOW,
    RECOVERY,
    SPARE,
    SUPPORT,
    FakeBackups,
    FakeTenants,
    backup,
    failed_backup,
    restore,
    row,
    steps,
)
from vivero_control.domain.backups.schemas import BringBack, OperationState, Target
from vivero_control.domain.tenants.errors import WrongStateError
from vivero_control.domain.tenants.schemas import TenantState
from vivero_control.lib.idempotency import KeyBusyError
from vivero_control.web import operations
from vivero_control.web.backups import BringBackForm
from vivero_web.errors import FieldError, InvalidInputError

AT = "/staff/tenants/northwind"
FORM = {
    "source": "now",
    "into": "new",
    "slug": "northwind-then",
    "tenant": "",
    "confirm": "",
    "reason": "They asked for it",
    "key": "k",
}


def page(address: str = f"{AT}/backups", who: Any = ADMIN, **services: object) -> str:  # noqa: ANN401  a StaffView
    with browser(**services) as client:
        answer = logged_in(client, who).get(address)
    assert answer.status_code == 200
    return answer.text


def test_the_tenants_page_leads_to_its_backups(staff: TestClient[Any]) -> None:
    assert f'href="{AT}/backups"' in staff.get(AT).text


def test_the_page_says_what_there_is_how_far_it_is_and_why_it_failed(staff: TestClient[Any]) -> None:
    text = staff.get(f"{AT}/backups").text
    for words in (
        "12.4 MiB",
        "1,204",
        "By schedule",
        "By hand",
        "Under way",
        "Read back and compared",
        "12 files, of which 2 are new",
        "Lost connection to server",
        "The newest 20 of 69 backups",
        "what can be restored: 2026-11-08T15:30:00Z to 2026-11-22T15:10:00Z",
        ", 2 missing",
        "Any second since",
        "8 Nov 2026, 15:30:00 UTC",
        "Passed",
    ):
        assert words in text, words
    assert text.count('data-state="now"') == 1
    assert 'href="/staff/tenants/northwind-copy"' in text
    assert 'href="/staff/tenants/northwind-then"' not in text, "a refused restore has made none"


def test_what_is_under_way_is_looked_at_again(staff: TestClient[Any]) -> None:
    assert f'hx-get="{AT}/backups?seen=73" hx-trigger="every 2s"' in staff.get(f"{AT}/backups").text
    assert "hx-get" not in page(backups=FakeBackups((backup("done"),)))


def test_the_lists_are_fetched_again_when_something_has_ended(staff: TestClient[Any]) -> None:
    assert 'hx-trigger="load"' in staff.get(f"{AT}/backups?seen=72").text
    assert 'hx-trigger="load"' not in staff.get(f"{AT}/backups?seen=73").text


def test_an_empty_page_says_what_comes_here() -> None:
    text = page(backups=FakeBackups())
    assert "No backup has ended yet" in text
    assert "Nothing was brought back yet" in text
    assert "Not known yet" in text


def test_without_a_bucket_nothing_is_offered() -> None:
    waiting = backup("waits", state=OperationState.WAITING, reason="NotConfigured", restorable=False)
    backups = FakeBackups((waiting, backup("done")), away=True)
    text = page(backups=backups)
    assert "there is no backup bucket" in text
    assert "Back up now" not in text
    assert f"{AT}/bring-back" not in text
    form = page(f"{AT}/bring-back", backups=backups)
    assert "there is no backup bucket" in form
    assert f'action="{AT}/bring-back"' not in form


@pytest.mark.parametrize(
    ("tenant", "words"),
    [
        (structs.replace(SPARE, name="northwind"), "A spare"),
        (row("northwind", state=TenantState.DELETING), "It is being deleted"),
        (row("northwind", state=TenantState.UNREADABLE, message="spec.plan: odd"), "spec.plan: odd"),
    ],
)
def test_who_takes_no_orders_is_offered_none(tenant: Any, words: str) -> None:  # noqa: ANN401  a TenantRow
    text = page(tenants=FakeTenants((tenant,)))
    assert words in text
    assert "Back up now" not in text
    assert f"{AT}/bring-back" not in text
    assert "It takes no orders" in page(f"{AT}/bring-back", tenants=FakeTenants((tenant,)))


def test_support_reads_and_is_told_who_acts() -> None:
    text = page(who=SUPPORT)
    assert "12.4 MiB" in text
    assert "Only admins back workspaces up and bring them back" in text
    assert "Back up now" not in text
    assert f"{AT}/bring-back" not in text


@pytest.mark.parametrize("where", ["backups", "bring-back"])
def test_support_gives_no_orders(where: str) -> None:
    backups = FakeBackups()
    with browser(backups=backups) as client:
        logged_in(client, SUPPORT)
        answer = client.post(f"{AT}/{where}", data=FORM)
        assert client.get(f"{AT}/bring-back").status_code == 403
    assert answer.status_code == 403
    assert "Only admins back workspaces up and bring them back" in answer.text
    assert not backups.orders


def test_the_button_makes_a_backup_under_the_pages_key() -> None:
    backups = FakeBackups()
    with browser(backups=backups) as client:
        logged_in(client)
        keys = {client.get(f"{AT}/backups").text.partition('name="key" value="')[2][:32] for _ in range(2)}
        answer = client.post(f"{AT}/backups", data={"key": "from the page"}, follow_redirects=False)
    assert len(keys) == 2
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/backups?done=backup")
    [(tenant, _, actor, key)] = backups.orders
    assert (tenant, actor, key) == ("northwind", ADMIN.email, "from the page")
    done = page(f"{AT}/backups?done=backup", backups=backups)
    assert "A backup was asked for." in done
    assert 'hx-trigger="every 2s"' in done


@pytest.mark.parametrize("where", ["backups", "bring-back"])
def test_who_presses_twice_sees_the_page_and_no_conflict(where: str) -> None:
    with browser(backups=FakeBackups(refusal=KeyBusyError())) as client:
        answer = logged_in(client).post(f"{AT}/{where}", data=FORM, follow_redirects=False)
    assert answer.status_code == 303


def test_an_order_that_makes_no_sense_now_says_why() -> None:
    with browser(backups=FakeBackups(refusal=WrongStateError("It is being deleted."))) as client:
        answer = logged_in(client).post(f"{AT}/backups", data={"key": "k"})
    assert answer.status_code == 409
    assert "It is being deleted." in answer.text


def test_a_form_on_another_site_gives_no_order() -> None:
    backups = FakeBackups()
    with browser(backups=backups) as client:
        logged_in(client)
        for where in ("backups", "bring-back"):
            answer = client.post(f"{AT}/{where}", data=FORM, headers={"sec-fetch-site": "cross-site"})
            assert answer.status_code == 403
    assert not backups.orders


@pytest.mark.parametrize(
    ("changes", "time", "backup"),
    [
        ({}, None, None),
        ({"source": "moment", "moment": "2026-11-20T14:05"}, "2026-11-20T14:05:00+00:00", None),
        ({"source": "moment", "moment": "2026-11-20 14:05:09"}, "2026-11-20T14:05:09+00:00", None),
        ({"source": "moment", "moment": "2026-11-20T14:05:09+02:00"}, "2026-11-20T14:05:09+02:00", None),
        # What was chosen counts, not what else is still typed.
        ({"source": "now", "moment": "2026-11-20T14:05", "backup": "x"}, None, None),
        ({"source": "backup", "backup": BACKUPS[1].name, "moment": "nonsense"}, None, BACKUPS[1].name),
    ],
)
def test_what_is_chosen_is_brought_back(changes: dict[str, str], time: str | None, backup: str | None) -> None:
    backups = FakeBackups(BACKUPS, recovery=RECOVERY)
    with browser(backups=backups) as client:
        answer = logged_in(client).post(f"{AT}/bring-back", data=FORM | changes, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/backups?done=restore")
    [(tenant, order, actor, key)] = backups.orders
    assert isinstance(order, BringBack)
    assert (tenant, actor, key, order.reason) == ("northwind", ADMIN.email, "k", FORM["reason"])
    assert order.target.slug == "northwind-then"
    assert (order.time and order.time.isoformat(), order.backup) == (time, backup)


def test_in_place_is_confirmed_with_the_tenants_name() -> None:
    backups = FakeBackups(BACKUPS, recovery=RECOVERY)
    changes = {"into": "place", "source": "moment", "moment": "2026-11-20T14:05:09", "confirm": " northwind "}
    with browser(backups=backups) as client:
        answer = logged_in(client).post(f"{AT}/bring-back", data=FORM | changes, follow_redirects=False)
    assert answer.status_code == 303
    [(_, order, _, _)] = backups.orders
    assert isinstance(order, BringBack)
    assert (order.target.in_place, order.target.slug, order.target.tenant) == (True, "", "")


def test_a_look_needs_no_address_and_no_confirmation() -> None:
    backups = FakeBackups(BACKUPS, recovery=RECOVERY)
    changes = {"into": "look", "source": "moment", "moment": "2026-11-20T14:05:09"}
    with browser(backups=backups) as client:
        answer = logged_in(client).post(f"{AT}/bring-back", data=FORM | changes, follow_redirects=False)
    assert answer.status_code == 303
    [(_, order, _, _)] = backups.orders
    assert isinstance(order, BringBack)
    assert order.target == Target(as_of=True)
    assert (order.time and order.time.isoformat()) == "2026-11-20T14:05:09+00:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": OperationState.RUNNING}, "Shown beside it, read only"),
        ({"url": "https://as-of-x.vivero.example", "expires_at": NOW}, 'href="https://as-of-x.vivero.example"'),
        ({"url": "https://as-of-x.vivero.example", "expires_at": NOW}, "read only, until "),
        ({}, "closed"),
        ({"state": OperationState.REFUSED}, "To look at"),
    ],
)
def test_a_look_leads_to_its_address_while_it_is_open(changes: dict[str, Any], said: str) -> None:
    look = restore("r", as_of=True, target=None, slug=None, **changes)
    text = page(backups=FakeBackups((), (look,)))
    assert said in text
    assert "/staff/tenants/None" not in text
    assert ("https://as-of-x.vivero.example" in text) == ("url" in changes)


def test_a_restore_in_place_is_undone_by_another(staff: TestClient[Any]) -> None:
    href = f"{AT}/bring-back?undo=2026-11-21T10%3A30%3A00"
    text = staff.get(f"{AT}/backups").text
    assert f'href="{href}"' in text.replace("2026-11-21T10:30:00", "2026-11-21T10%3A30%3A00")
    form = staff.get(href).text
    assert 'name="moment" type="datetime-local" value="2026-11-21T10:30:00"' in form
    assert 'value="place" class="radio radio-sm radio-primary mt-0.5" checked' in form
    assert f'href="{AT}/bring-back?undo=' not in page(who=SUPPORT)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "moment", "moment": ""}, "Enter a day and a time"),
        ({"source": "moment", "moment": "yesterday"}, "Enter a day and a time"),
        ({"source": "moment", "moment": "2026-10-20T14:05"}, "Nothing is kept from before 2026-11-08 15:30:00 UTC"),
        ({"source": "moment", "moment": "2027-10-20T14:05"}, "Choose a moment that has passed"),
        ({"source": "backup", "backup": ""}, "Choose a backup."),
        ({"source": "backup", "backup": BACKUPS[0].name}, "Choose one of its complete backups"),
        ({"source": "thin air"}, "Choose what it is brought back from"),
        ({"slug": "admin"}, "This name is reserved"),
        ({"slug": ""}, "Use 3 to 40 characters"),
        ({"tenant": "-no-"}, "begin and end with a letter or digit"),
        ({"into": "thin air"}, "Choose where to"),
        ({"into": "place", "confirm": "northwind"}, "Choose a second or a backup"),
        ({"into": "place", "source": "backup", "backup": BACKUPS[1].name}, "Type the tenant&#39;s name, northwind."),
        ({"reason": "x"}, "Say why, in a few words"),
    ],
)
def test_a_wrong_form_comes_back_as_it_was_typed(changes: dict[str, str], words: str) -> None:
    backups = FakeBackups(BACKUPS, recovery=RECOVERY)
    with browser(backups=backups) as client:
        answer = logged_in(client).post(f"{AT}/bring-back", data=FORM | {"moment": "2026-11-20T14:05"} | changes)
    assert answer.status_code == 422
    assert words in answer.text
    typed = FORM | {"moment": "2026-11-20T14:05"} | changes
    for name in ("moment", "slug", "tenant"):
        assert f'value="{typed[name]}"' in answer.text
    assert not backups.orders


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with browser(backups=FakeBackups()) as client:
        wrong = FORM | {"source": "moment", "moment": "", "slug": "admin", "tenant": "-", "reason": ""}
        text = logged_in(client).post(f"{AT}/bring-back", data=wrong).text
    assert text.count('aria-invalid="true"') == 4
    for words in ("Enter a day and a time", "This name is reserved", "begin and end with", "Say why"):
        assert words in text


def test_what_the_cluster_refuses_is_said_at_its_field_or_above() -> None:
    errors = (FieldError("target.slug", "slug is odd"), FieldError("spec", "no more tenants, please"))
    with browser(backups=FakeBackups(refusal=InvalidInputError("no", errors=errors))) as client:
        text = logged_in(client).post(f"{AT}/bring-back", data=FORM).text
    assert "slug is odd" in text
    assert "no more tenants, please" in text


def test_the_form_proposes_an_address_and_takes_the_backup_of_the_row(staff: TestClient[Any]) -> None:
    text = staff.get(f"{AT}/bring-back?backup={BACKUPS[2].name}").text
    assert 'value="northwind-20261122"' in text
    assert f'<option value="{BACKUPS[2].name}" selected>' in text
    assert 'value="backup" class="radio radio-sm radio-primary mt-0.5" checked' in text


def test_without_a_complete_backup_none_can_be_chosen() -> None:
    assert "As a backup holds it" not in page(f"{AT}/bring-back", backups=FakeBackups((failed_backup("f"),)))


def test_hostile_names_are_escaped() -> None:
    odd = backup("odd", message=HOSTILE, state=OperationState.FAILED, steps=steps("done", "failed", "waiting"))
    text = page(backups=FakeBackups((odd,), (restore("r", message=HOSTILE, state=OperationState.REFUSED),)))
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_the_newest_of_all_tenants_lead_to_theirs() -> None:
    brought_back = restore("r", tenant="brisa", target="brisa-then")
    text = page("/staff/backups", backups=FakeBackups((backup("b", tenant="halden"),), (brought_back,)))
    assert 'href="/staff/tenants/halden/backups"' in text
    assert 'href="/staff/tenants/brisa/backups"' in text
    assert "Brought back as brisa-then" in text
    assert "No backups yet" in page("/staff/backups", backups=FakeBackups())


def test_a_restore_in_place_leads_to_no_other_tenant() -> None:
    back = restore("r", in_place=True, target=None, slug=None)
    text = page(backups=FakeBackups((), (back,)))
    assert "In place" in text
    assert "/staff/tenants/None" not in text
    assert "Brought back in place" in page("/staff/backups", backups=FakeBackups((), (back,)))


def test_an_unknown_tenants_backups_are_a_page(staff: TestClient[Any]) -> None:
    assert staff.get("/staff/tenants/nobody/backups").status_code == 404
    assert staff.get("/staff/tenants/nobody/bring-back").status_code == 404


def test_words() -> None:
    unchanged = backup("u", restorable=False, message="Unchanged since TenantBackup b: nothing was written", bytes=None)
    assert operations.line(unchanged).detail == unchanged.message
    assert operations.line(backup("b")).detail == ""
    assert (
        operations.line(failed_backup("f")).detail == "dump: mariadb-dump: Got error: 2013: Lost connection to server"
    )
    assert operations.line(BACKUPS[0]).detail == "", "its steps say so"
    assert operations.line(BACKUPS[0]).step == "Database"
    retried = structs.replace(BACKUPS[0], message="dump failed and is retried: out of memory")
    assert operations.line(retried).detail == retried.message
    assert operations.counted(1, 1, "backups") == "1 backup"
    assert operations.counted(50, 1204, "backups") == "The newest 50 of 1,204 backups"
    assert (
        operations.backup_option(backup("b", 0, scheduled=True))[1] == "22 Nov 2026, 15:30 UTC, by schedule, 12.4 MiB"
    )
    assert operations.line(restore("r", in_place=True, target=None)).what == "Brought back in place"
    by_backup = restore("r", backup="b", time=None, restored_to=None)
    assert operations.line(by_backup).moment is None
    assert operations.line(structs.replace(by_backup, backup=None)).moment == by_backup.created_at
    began = steps("running", names=("a-step-of-tomorrow",))[0]
    step = structs.replace(began, finished_at=began.started_at and began.started_at + timedelta(milliseconds=3))
    line = operations.line(backup("b", steps=(step,))).steps[0]
    assert (line.name, line.took) == ("A-step-of-tomorrow", "under 1 s")


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_form_is_an_order_or_says_what_is_wrong(moment: str, source: str) -> None:
    form = BringBackForm(source=source, moment=moment, slug="a", reason="because")
    order, problems = form.order(), form.problems("acme")
    assert order.time is None or order.time.tzinfo is not None
    assert problems or (order.time is None) is (source != "moment")
