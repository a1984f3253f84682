"""The console's page of what happened to one tenant."""

import re

import pytest
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.timeline_fakes import FakeTimeline
from vivero_control.domain.timeline.schemas import Kind

PAGE = "/staff/tenants/northwind/timeline"
ENTRY = re.compile(r"Entry (\d+)<")


@pytest.mark.parametrize("kind", ["", *Kind])
def test_pages_lead_through_all_entries_with_the_filter_kept(kind: str) -> None:
    timeline = FakeTimeline()
    with browser(timeline=timeline) as client:
        logged_in(client)
        address, seen = f"{PAGE}?kind={kind}", list[str]()
        while address:
            page = client.get(address).text
            seen += ENTRY.findall(page)
            following = re.search(r'href="([^"]+)" rel="next"', page)
            address = following[1].replace("&amp;", "&") if following else ""
            assert not address or f"kind={kind}" in address
    assert len(seen) == len(set(seen))
    assert {int(one) for one in seen} == {
        number for number, one in enumerate(timeline.found) if kind in {"", one.kind.value}
    }
    assert set(timeline.asked) == {Kind(kind) if kind else None}


@pytest.mark.parametrize("query", ["cursor=x", "cursor=1.9.x", "kind=unknown", "cursor=1.0.x&kind="])
def test_an_address_that_was_shortened_shows_the_newest(query: str) -> None:
    with browser() as client:
        answer = logged_in(client).get(f"{PAGE}?{query}")
    assert (answer.status_code, len(ENTRY.findall(answer.text))) == (200, 50)


def test_what_waits_says_when_it_is_tried_next_and_what_failed_says_so() -> None:
    with browser() as client:
        page = logged_in(client).get(PAGE).text
    assert "Next attempt" in page
    assert ">Failed<" in page


def test_without_entries_the_page_says_so() -> None:
    with browser(timeline=FakeTimeline(())) as client:
        assert "Nothing is known yet" in logged_in(client).get(PAGE).text
        assert "Nothing of this kind" in client.get(f"{PAGE}?kind=mail").text


def test_it_is_a_tab_of_the_tenants_page() -> None:
    with browser() as client:
        assert f'href="{PAGE}"' in logged_in(client).get("/staff/tenants/northwind").text


def test_a_tenant_that_there_is_not_has_none() -> None:
    with browser() as client:
        assert logged_in(client).get("/staff/tenants/no-such-tenant/timeline").status_code == 404
