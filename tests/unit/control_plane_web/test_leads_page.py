"""The staff's pages about leads."""

import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, HOSTILE, SUPPORT
from unit.control_plane_web.figure_fakes import prospect
from unit.control_plane_web.lead_fakes import MEMBERS, FakeLeads, candidate
from vivero_control.domain.leads.schemas import LeadQuery, Sign
from vivero_control.web.leads import LeadFilter
from vivero_control.web.staff_shell import LEADS

ONE = f"{LEADS}/{7:032}"
ROW = re.compile(rf'href="{LEADS}/\d{{32}}"')


def test_the_best_come_first_with_what_the_points_are_for(staff: TestClient[Any]) -> None:
    page = staff.get(LEADS).text
    scores = [int(one) for one in re.findall(r'font-semibold figures[^"]*">(\d+)<', page)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]
    assert "Opened the page to pay" in page
    assert "and 8 more" in page
    assert "Too early to tell" in page
    assert f'href="{LEADS}"' in staff.get("/staff/tenants").text


def test_pages_lead_through_all_with_the_filters_kept(staff: TestClient[Any]) -> None:
    address, seen = f"{LEADS}?outcome=any&least=0", 0
    while address:
        page = staff.get(address).text
        seen += len(ROW.findall(page))
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else ""
        assert not address or "outcome=any" in address
    assert seen == len(FakeLeads().known)


@pytest.mark.parametrize("who", [ADMIN, SUPPORT])
def test_a_lead_is_given_to_somebody_in_the_name_of_who_is_logged_in(who: Any) -> None:  # noqa: ANN401  StaffView
    leads = FakeLeads()
    with browser(leads=leads) as client:
        answer = logged_in(client, who).post(
            f"{ONE}/owner", data={"staff_id": str(MEMBERS[1].id)}, follow_redirects=False
        )
        assert (answer.status_code, answer.headers["location"]) == (303, f"{ONE}?done=owner")
        assert client.post(f"{ONE}/owner", data={"staff_id": "none"}, follow_redirects=False).status_code == 303
    assert leads.assigned == [(f"{7:032}", MEMBERS[1].id, who.email), (f"{7:032}", None, who.email)]


@pytest.mark.parametrize("staff_id", ["", "grace", str(UUID(int=9)), HOSTILE])
def test_what_is_nobody_is_said_beside_the_field_and_nothing_is_done(staff_id: str) -> None:
    leads = FakeLeads()
    with browser(leads=leads) as client:
        answer = logged_in(client).post(f"{ONE}/owner", data={"staff_id": staff_id})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert leads.assigned == []


def test_one_shows_the_whole_table_of_points(staff: TestClient[Any]) -> None:
    page = staff.get(ONE).text
    assert page.count("Not yet") == len(Sign) - 7
    assert "of 100 points" in page
    assert staff.get(f"{LEADS}/{'0' * 31}x").status_code == 404


def test_nothing_yet_is_said_so_and_what_somebody_typed_stays_words() -> None:
    with browser(leads=FakeLeads([])) as client:
        assert "No open trials" in logged_in(client).get(LEADS).text
        assert "No lead matches" in client.get(f"{LEADS}?q=x").text
    odd = FakeLeads([candidate(found=prospect(company=HOSTILE, source=HOSTILE[:60]))])
    with browser(leads=odd) as client:
        logged_in(client)
        for path in (LEADS, f"{LEADS}/{0:032}", f"{LEADS}?q={HOSTILE}"):
            assert "<script>alert" not in client.get(path).text


@given(st.dictionaries(st.sampled_from(LeadFilter.__struct_fields__), st.text()))
def test_any_address_is_a_filter(params: dict[str, str]) -> None:
    assert isinstance(LeadFilter.read(params).query(), LeadQuery)
