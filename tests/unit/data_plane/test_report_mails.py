"""When a report is sent, what its mail says, and which link stops it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.identity.service import Identity
from vivero_data.domain.report_mails import stopping
from vivero_data.domain.report_mails.contents import Figures, Listed, Note, Shown
from vivero_data.domain.report_mails.periods import Rule, falls_on, next_time
from vivero_data.domain.report_mails.schemas import Every
from vivero_data.domain.reports.schemas import Definition, Function, Grouping, Key, Measure, ReportData, ReportRow
from vivero_data.lib.notation import Notation, Numbers, in_zone
from vivero_data.web.report_mail import MOST_COLUMNS, MOST_ROWS, bounded, letter
from vivero_data.web.reports import Table

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu")
RULES = st.builds(
    Rule, st.sampled_from(Every), st.integers(0, 23), st.integers(0, 6), st.integers(1, 31), active=st.booleans()
)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 15 * 366 * 86_400).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
LONGEST = {Every.DAY: timedelta(hours=26), Every.WEEK: timedelta(days=8), Every.MONTH: timedelta(days=32)}
ACME = Identity("Acme GmbH", "https://acme.example:8443")
STOP = "https://acme.example:8443/stop-mails/1.2.x"
KEY = "ab" * 32


@given(RULES, MOMENTS, st.sampled_from(ZONES))
def test_each_period_is_due_once_at_its_hour(rule: Rule, after: datetime, zone: str) -> None:
    found = next_time(rule, after, zone)
    assert after < found <= after + LONGEST[rule.every]
    local = in_zone(found, zone)
    assert falls_on(rule, local.date()) or local.hour != rule.hour  # an hour that the clocks leave out
    assert local.minute in {0, 30}
    following = next_time(rule, found, zone)
    assert timedelta(hours=22) <= following - found <= LONGEST[rule.every]


@pytest.mark.parametrize(
    ("rule", "after", "zone", "wanted"),
    [
        (Rule(Every.DAY, 7, 0, 1, active=True), "2026-03-28T12:00", "Europe/Berlin", "2026-03-29T05:00"),
        (Rule(Every.DAY, 2, 0, 1, active=True), "2026-03-28T12:00", "Europe/Berlin", "2026-03-29T01:00"),
        (Rule(Every.WEEK, 0, 0, 1, active=True), "2026-11-30T00:00", "UTC", "2026-12-07T00:00"),
        (Rule(Every.MONTH, 8, 0, 31, active=True), "2026-02-01T00:00", "UTC", "2026-02-28T08:00"),
        (Rule(Every.MONTH, 8, 0, 31, active=True), "2026-02-28T08:00", "UTC", "2026-03-31T08:00"),
    ],
)
def test_the_calendar_is_the_workspaces(rule: Rule, after: str, zone: str, wanted: str) -> None:
    found = next_time(rule, datetime.fromisoformat(after).replace(tzinfo=UTC), zone)
    assert found == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


def test_a_month_ends_on_its_last_day() -> None:
    rule = Rule(Every.MONTH, 7, 0, 30, active=True)
    days = [date(2027, 2, 1) + timedelta(days=offset) for offset in range(28)]
    assert [day for day in days if falls_on(rule, day)] == [date(2027, 2, 28)]


@given(st.integers(1, 10**17), st.integers(1, 10**17))
def test_a_link_stops_what_it_names_for_whom_it_names(schedule: int, user: int) -> None:
    text = stopping.token(KEY, schedule, user)
    assert stopping.read(KEY, text) == (schedule, user)
    assert stopping.read("cd" * 32, text) is None
    number, _, rest = text.partition(".")
    assert stopping.read(KEY, f"{int(number) + 1}.{rest}") is None


@given(st.text(max_size=80))
def test_what_is_no_link_of_ours_stops_nothing(text: str) -> None:
    assert stopping.read(KEY, text) is None


def figures(*keys: str) -> Figures:
    definition = Definition(group_by=(Grouping("City"),), measures=(Measure(Function.SUM, "Amount"),))
    rows = tuple(ReportRow((key,), (False,), (Decimal("1234.5"),)) for key in keys)
    axes = (tuple(Key(key, rest=False) for key in keys),)
    as_of = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
    total = (Decimal("1234.5") * len(keys),)
    data = ReportData(definition.group_by, definition.measures, ("EUR",), axes, rows, total, 7, as_of)
    return Figures("Sales <b>", definition, data)


def test_a_mail_has_the_figures_as_the_workspace_writes_them_and_no_markup_of_people() -> None:
    shown = Shown("Sales <b>", "/reports/1", (figures("Köln", "<script>x</script>"),))
    text, html = letter(shown, ACME, STOP, Notation(Numbers.COMMA, None, "Europe/Berlin"))
    assert "Köln" in text
    assert "1.234,5" in text
    assert "7 records, as of 30 Nov 2026, 07:00." in text
    assert "https://acme.example:8443/reports/1" in text
    assert STOP in text
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html
    assert f'href="{STOP}"' in html
    assert "<img" not in html


def test_a_dashboard_has_all_its_parts_and_says_which_have_no_figures() -> None:
    broken = msgspec.structs.replace(figures(), data=None, problem="Its collection was deleted.")
    parts = (figures("Köln"), broken, Note("Call\nAda"), Listed("Orders"))
    text, html = letter(Shown("Board", "/dashboards/2", parts), ACME, STOP, Notation())
    for words in ("Its collection was deleted.", "Köln", "Orders"):
        assert words in text
        assert words in html
    assert "Call\nAda" in text
    assert "Call<br>Ada" in html


def test_a_large_table_is_cut_and_that_is_said() -> None:
    heads = ("Key", *(f"C{number}" for number in range(20)), "Total")
    rows = tuple(tuple(f"{row}.{column}" for column in range(22)) for row in range(200))
    found, left_out = bounded(Table(heads, 1, rows, heads))
    assert (len(found.rows), {len(row) for row in found.rows}) == (MOST_ROWS, {MOST_COLUMNS})
    assert (found.heads[0], found.heads[-1], found.rows[0][-1]) == ("Key", "Total", "0.21")
    assert f"{MOST_ROWS} of 200 rows and {MOST_COLUMNS} of 22 columns" in left_out
    small = Table(("Key", "N"), 1, (("a", "1"),), ("Total", "1"))
    assert bounded(small) == (small, "")
