"""What customers cost on the staff's pages, without a script."""

import re
from typing import Any

from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import SUPPORT
from unit.control_plane_web.figure_fakes import FakeAcquisition
from vivero_control.web.acquisition import COSTS
from vivero_control.web.staff_shell import ACQUISITION, FIGURES


def send(client: TestClient[Any], status: int, **form: str) -> str:
    answer = client.post(COSTS, data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def test_costs_are_looked_at_and_then_entered(staff: TestClient[Any]) -> None:
    assert f'href="{ACQUISITION}"' in staff.get(FIGURES).text
    page = send(staff, 200, table="month;channel;amount\n11/2026;Meetup;1.250,00")
    assert "This would change" in page
    assert "€1,250" in page
    assert "2026-11,meetup,1250.00,EUR" in page, "as it was understood"
    assert "meetup" not in staff.get(ACQUISITION).text, "nothing is changed yet"
    send(staff, 303, table="2026-11,meetup,1250.00,EUR", confirmed="true")
    assert "meetup" in staff.get(ACQUISITION).text
    assert "Nothing would change" in send(staff, 200, table="2026-11,meetup,1250.00,EUR")


def test_what_is_wrong_is_said_and_what_was_typed_stays(staff: TestClient[Any]) -> None:
    page = send(staff, 422, table="2026-11,<b>,1.234\nx,y,1")
    assert "Line 1: 1.234 can be read in two ways" in page
    assert "Line 2: Give the month" in page
    assert "2026-11,&lt;b&gt;,1.234" in page
    assert "Nothing was changed" in page


def test_a_month_opens_its_signups(staff: TestClient[Any]) -> None:
    page = staff.get(ACQUISITION).text
    (href, count), *_ = re.findall(rf'href="({ACQUISITION}/2026-11\?channel=newsletter)"[^>]*>(\d+)<', page)
    rows = staff.get(href).text
    assert rows.count('class="v-clip block min-w-32') == int(count)
    assert "In Nov 2026." in rows
    assert staff.get(f"{ACQUISITION}/2026-13?channel=x").status_code == 404


def test_support_sees_and_does_not_enter(visitor: TestClient[Any]) -> None:
    support = logged_in(visitor, SUPPORT)
    page = support.get(ACQUISITION)
    assert page.status_code == 200
    assert COSTS not in page.text
    assert support.get(COSTS).status_code == 403
    assert "Only admins say what channels cost." in send(support, 403, table="2026-11,google,1")


def test_without_costs_it_says_what_to_do() -> None:
    with browser(acquisition=FakeAcquisition([])) as client:
        assert "No costs yet" in logged_in(client).get(ACQUISITION).text
