"""The staff's page of the audit log."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import FakeAuditSearch
from vivero_control.domain.audit.search import AuditQuery, Place
from vivero_control.web.audit import AuditFilter
from vivero_web.errors import InvalidInputError

ROW = re.compile(r"<tr><td")


def test_pages_lead_through_all_entries_with_the_filters_kept() -> None:
    log = FakeAuditSearch()
    with browser(audit_search=log) as client:
        logged_in(client)
        address, seen = "/staff/audit?action=suspend&actor=", 0
        while address:
            page = client.get(address).text
            seen += len(ROW.findall(page))
            following = re.search(r'href="([^"]+)" rel="next"', page)
            address = following[1].replace("&amp;", "&") if following else ""
            assert not address or "action=suspend" in address
        assert seen == sum(one.action == "suspend" for one in log.entries)
        assert {one.action for one in log.asked} == {"suspend"}


def test_what_it_was_done_to_is_linked_where_it_has_a_page() -> None:
    with browser() as client:
        page = logged_in(client).get("/staff/audit").text
    assert 'href="/staff/tenants/northwind"' in page
    assert 'href="/staff/people/00000000-0000-0000-0000-000000000002"' in page
    assert "signup/5f2e" in page
    assert "Failed: kubeunavailableerror" in page


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "-1.1", "9" * 18 + ".1", "1.1.1"])
def test_an_address_with_a_broken_cursor_shows_the_newest(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        Place.read(cursor)
    with browser() as client:
        assert len(ROW.findall(logged_in(client).get(f"/staff/audit?cursor={cursor}").text)) == 50


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)), st.integers(0, 10**17))  # noqa: DTZ001  Hypothesis' own bounds are naive
def test_a_cursor_comes_back_as_it_was_to_the_second(moment: datetime, number: int) -> None:
    at = moment.replace(tzinfo=UTC, microsecond=0)
    assert Place.read(str(Place(at, number))) == Place(at, number)


@given(st.dates(), st.dates())
def test_the_last_day_is_part_of_what_is_looked_for(since: date, until: date) -> None:
    wanted = AuditFilter.read({"since": since.isoformat(), "until": until.isoformat()}).query()
    assert wanted.since == datetime(since.year, since.month, since.day, tzinfo=UTC)
    if until < date.max:
        assert wanted.until is not None
        assert wanted.until - timedelta(days=1) == datetime(until.year, until.month, until.day, tzinfo=UTC)


@given(st.dictionaries(st.sampled_from(AuditFilter.__struct_fields__), st.text()))
def test_any_address_is_a_filter(params: dict[str, str]) -> None:
    assert isinstance(AuditFilter.read(params).query(), AuditQuery)


def test_only_admins_are_offered_the_file() -> None:
    with browser() as client:
        assert 'href="/staff/audit/file?action=suspend"' in logged_in(client).get("/staff/audit?action=suspend").text
