"""An order for all tenants that match, on the staff's pages, without a script."""

from typing import Any

from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.run_fakes import FakeBulkRuns
from vivero_control.domain.bulk_runs.schemas import Matching
from vivero_control.domain.tenants.schemas import TenantState
from vivero_control.web.staff_shell import RUNS

SUSPEND = {"action": "suspend", "q": "acme", "state": "ready", "plan": "trial"}


def send(client: TestClient[Any], status: int, **form: str) -> str:
    answer = client.post(RUNS, data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return str(answer.headers.get("location", answer.text))


def test_what_would_be_done_is_shown_before_it_is_confirmed() -> None:
    runs = FakeBulkRuns()
    with browser(bulk_runs=runs) as client:
        staff = logged_in(client)
        page = send(staff, 200, **SUSPEND)
        for said in ("137 will be suspended", "2 left as they are", "And 117 more.", "“acme” · "):
            assert said in page, said
        for name, value in SUSPEND.items():
            assert f'name="{name}" value="{value}"' in page, name
        assert 'name="confirmed" value="137"' in page
        where = send(staff, 303, **SUSPEND, confirmed="137", reason="They have not paid.", kind="Manual")
        assert where == f"{RUNS}/2"
    (given,) = runs.given
    assert given.matching == Matching(search="acme", plan="trial", state=TenantState.READY)
    assert (given.count, given.reason) == (137, "They have not paid.")


def test_what_is_wrong_is_said_and_what_was_typed_stays() -> None:
    runs = FakeBulkRuns()
    with browser(bulk_runs=runs) as client:
        staff = logged_in(client)
        page = send(staff, 422, **SUSPEND, confirmed="137", reason="", message="Back at noon")
        assert "Back at noon" in page
        page = send(staff, 422, **SUSPEND, confirmed="140", reason="They have not paid.", kind="Manual")
        assert "It is possible for 137 tenants now." in page
        assert 'name="confirmed" value="137"' in page, "what it is now can be confirmed"
        assert "No tenant matches." in send(staff, 422, **(SUSPEND | {"q": "nothing"}))
        send(staff, 422, q="acme")
    assert runs.given == []


def test_a_run_says_how_far_it_is(staff: TestClient[Any]) -> None:
    page = staff.get(f"{RUNS}/1").text
    for said in ("600 of 1,000", "hx-get", "acme-1", "The cluster did not answer in time.", "Given up"):
        assert said in page, said
    page = staff.get(f"{RUNS}/2").text
    assert "998 of 1,000 are suspended" in page
    assert f'hx-get="{RUNS}/2"' not in page
    assert staff.get(f"{RUNS}/9").status_code == 404
