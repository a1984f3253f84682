"""The staff's pages about views of the tenants' list."""

import html
import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, HOSTILE, SUPPORT
from unit.control_plane_web.view_fakes import VIEWS as KNOWN
from unit.control_plane_web.view_fakes import FakeTenantViews, view
from vivero_control.domain.tenant_views.schemas import Column, Wanted
from vivero_control.domain.tenants.schemas import Only, TenantState
from vivero_control.web import saved_views
from vivero_control.web.staff_shell import HOME, VIEWS

SOON = saved_views.address(KNOWN[0])
FORM = {"name": "Mine", "state": "ready", "plan": "trial", "sort": "name", "column_age": "true", "shared": "true"}


def test_a_view_is_a_tab_of_the_list_and_shows_what_it_was_saved_with(staff: TestClient[Any]) -> None:
    text = html.unescape(staff.get(HOME).text)
    assert f'href="{SOON}"' in text
    opened = staff.get(SOON).text
    assert re.search(r'aria-current="page"\s[^>]*>Trials that end soon<', opened)
    assert 'aria-sort="ascending"' in opened
    heads = re.findall(r"<th.*?</th>", opened, re.DOTALL)
    assert len(heads) == 2, "the company and the column that was chosen"


def test_a_list_is_saved_with_the_filters_that_it_has(staff: TestClient[Any]) -> None:
    text = html.unescape(staff.get(f"{HOME}?state=ready&plan=starter&sort=name").text)
    href = re.search(rf'href="({VIEWS}/new\?[^"]+)"', text)
    assert href
    form = staff.get(href[1]).text
    assert '<option value="ready" selected>' in form
    assert '<option value="starter" selected>' in form
    assert '<option value="name" selected>' in form


def test_filters_that_differ_from_the_view_can_be_saved_in_it_by_who_may(staff: TestClient[Any]) -> None:
    assert f"{VIEWS}/1?" not in staff.get(SOON).text
    changed = html.unescape(staff.get(f"{SOON}&state=ready").text)
    href = re.search(rf'href="({VIEWS}/1\?[^"]+)"', changed)
    assert href
    assert '<option value="ready" selected>' in staff.get(href[1]).text
    assert f"{VIEWS}/3?" not in staff.get(f"{saved_views.address(KNOWN[2])}&state=ready").text, "it is another's"


@pytest.mark.parametrize("who", [ADMIN, SUPPORT])
def test_a_view_is_made_in_the_name_of_who_is_logged_in(who: Any) -> None:  # noqa: ANN401  StaffView
    views = FakeTenantViews()
    with browser(tenant_views=views) as client:
        answer = logged_in(client, who).post(f"{VIEWS}/new", data=FORM, follow_redirects=False)
    made = views.views[4]
    assert (answer.status_code, answer.headers["location"]) == (303, saved_views.address(made))
    assert made.shared
    assert made.wanted == Wanted(
        state=TenantState.READY, plan="trial", sort="name", descending=False, columns=(Column.AGE,)
    )
    assert views.written == [("make", 4, who.email)]


@pytest.mark.parametrize("path", ["new", "1"])
@pytest.mark.parametrize("name", ["", "x" * 61, "closed", HOSTILE * 3])
def test_a_name_that_cannot_be_is_said_beside_the_field_and_what_was_typed_stays(path: str, name: str) -> None:
    views = FakeTenantViews()
    with browser(tenant_views=views) as client:
        answer = logged_in(client).post(f"{VIEWS}/{path}", data={**FORM, "name": name})
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert '<option value="ready" selected>' in answer.text
    assert views.written == []


def test_a_view_is_renamed_copied_and_deleted() -> None:
    views = FakeTenantViews()
    with browser(tenant_views=views) as client:
        logged_in(client)
        form = {**saved_views.typed_of(KNOWN[0]), "name": "Ending"}
        assert client.post(f"{VIEWS}/1", data=form).status_code == 200
        assert views.views[1].name == "Ending"
        assert views.views[1].wanted == KNOWN[0].wanted
        copy = client.get(f"{VIEWS}/new?copy=1").text
        assert 'value="Copy of Ending"' in copy
        assert f'<option value="{Only.TRIAL_ENDING}" selected>' in copy
        assert client.post(f"{VIEWS}/1/delete").status_code == 200
    assert 1 not in views.views


def test_what_is_chosen_is_seen_first_until_another_is_asked_for() -> None:
    views = FakeTenantViews()
    with browser(tenant_views=views) as client:
        logged_in(client)
        assert "You see it first" in client.post(f"{VIEWS}/first", data={"view": "2"}).text
        answer = client.get(HOME, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, saved_views.address(KNOWN[1]))
        assert client.get(f"{HOME}?sort=-created_at", follow_redirects=False).status_code == 200
        client.post(f"{VIEWS}/first")
        assert client.get(HOME, follow_redirects=False).status_code == 200


def test_what_is_not_there_or_not_ones_own_is_refused(staff: TestClient[Any]) -> None:
    assert staff.get(f"{VIEWS}/99").status_code == 404
    assert staff.get(f"{VIEWS}/new?copy=99").status_code == 404
    assert staff.post(f"{VIEWS}/first", data={"view": "99"}).status_code == 422
    assert staff.post(f"{VIEWS}/3", data=FORM).status_code == 403
    assert staff.post(f"{VIEWS}/3/delete").status_code == 403
    assert staff.get(f"{HOME}?view=99").status_code == 200, "an address that was shared still shows the list"


def test_names_are_text_and_without_views_the_page_says_how_to_make_one() -> None:
    with browser(tenant_views=FakeTenantViews([view(1, HOSTILE)])) as client:
        logged_in(client)
        assert HOSTILE not in client.get(VIEWS).text
        assert HOSTILE not in client.get(HOME).text
    with browser(tenant_views=FakeTenantViews(())) as client:
        assert "No views yet" in logged_in(client).get(VIEWS).text


@pytest.mark.parametrize("column", Column)
def test_a_column_is_there_where_it_is_wanted_and_nowhere_else(column: Column, staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}?columns={column}").text
    assert set(re.findall(r'data-label="([^"]+)"', text)) == {saved_views.HEADS[column]["label"]}
