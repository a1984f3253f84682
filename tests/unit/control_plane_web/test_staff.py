import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, SPARE, FakePlans, FakeTenants, row
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.domain.tenants.schemas import ConfirmOwner, Suspend, TenantDetail, TenantState
from vivero_control.web.staff_shell import HOME, safe_next
from vivero_control.web.tenants import TenantFilter
from vivero_core.model.constants import SuspensionReason
from vivero_web.errors import FieldError, InvalidInputError


def test_without_a_login_one_comes_back_after_it(visitor: TestClient[Any]) -> None:
    answer = visitor.get("/staff/tenants?q=a", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/staff/login?next=/staff/tenants%3Fq%3Da"
    assert 'value="/staff/tenants?q=a"' in visitor.get(answer.headers["location"]).text


def test_a_right_login_sets_the_cookie_and_goes_on(visitor: TestClient[Any]) -> None:
    data = {"email": ADMIN.email, "password": "right", "next": "/staff/tenants/acme"}
    answer = visitor.post("/staff/login", data=data, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/tenants/acme")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    for words in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert words in cookie


def test_a_wrong_login_says_so_and_keeps_the_email(visitor: TestClient[Any]) -> None:
    answer = visitor.post("/staff/login", data={"email": ADMIN.email, "password": "wrong-secret"})
    assert answer.status_code == 401
    assert "E-mail or password is wrong." in answer.text
    assert f'value="{ADMIN.email}"' in answer.text
    assert "wrong-secret" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_login_sent_from_elsewhere_is_refused(visitor: TestClient[Any]) -> None:
    data = {"email": ADMIN.email, "password": "right"}
    assert visitor.post("/staff/login", data=data, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_logout_ends_the_cookie(staff: TestClient[Any]) -> None:
    answer = staff.post("/staff/logout", follow_redirects=False)
    assert answer.headers["location"] == "/staff/login"
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_staff_home_is_the_table(staff: TestClient[Any]) -> None:
    assert staff.get("/staff", follow_redirects=False).headers["location"] == HOME


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "https://evil.example/staff/",
        "//evil.example",
        "/staff/login",
        "/staff/login/code",
        "/\\evil",
        "/staff/\\evil",
        "javascript:1",
        "//[",
        "http://[x/staff/",
    ],
)
def test_the_login_leads_nowhere_else(address: str) -> None:
    assert safe_next(address) == HOME


@given(st.text(max_size=80))
def test_the_login_stays_on_staff_pages(address: str) -> None:
    assert safe_next(address).startswith("/staff/")


def test_the_table_shows_every_tenant_and_escapes_names(staff: TestClient[Any]) -> None:
    text = staff.get(HOME).text
    for words in ("Northwind Traders", "Brisa Solar, S.L.", "Suspended", "Starting", "No trial", "7 of 7"):
        assert words in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_links_address_must_be_one_for_browsers() -> None:
    tenants = FakeTenants((row("bad", url="javascript:alert(1)"),))
    with browser(tenants=tenants) as client:
        text = logged_in(client).get(HOME).text
    assert 'href="javascript:' not in text


def test_a_spare_has_neither_address_nor_orders() -> None:
    with browser(tenants=FakeTenants((SPARE,))) as client:
        table = logged_in(client).get(f"{HOME}?state=standby").text
        page = client.get(f"{HOME}/trial-x7k2m").text
    assert "trial-x7k2m" in table
    assert '<option value="standby" selected>' in table
    assert "not a customer" in page
    assert f'href="{HOME}/trial-x7k2m?do=' not in page
    assert 'href="None"' not in table + page


def test_an_empty_platform_says_what_comes_here() -> None:
    with browser(tenants=FakeTenants(())) as client:
        assert "No tenants yet" in logged_in(client).get(HOME).text


def test_no_match_offers_the_way_back(staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}?q=zzz").text
    assert "No tenant matches" in text
    assert "Clear search and filters" in text


def test_the_address_is_the_tables_state() -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        text = logged_in(client).get(f"{HOME}?q=a&state=ready&plan=trial&sort=name&page=1").text
    query = tenants.queries[-1]
    assert (query.search, query.state, query.plan, query.sort, query.descending) == (
        "a",
        TenantState.READY,
        "trial",
        "name",
        False,
    )
    assert 'aria-sort="ascending"' in text
    assert "sort=-name" in text


def test_pages_have_neighbours() -> None:
    rows = tuple(row(f"t{number}") for number in range(120))
    with browser(tenants=FakeTenants(rows)) as client:
        text = logged_in(client).get(f"{HOME}?q=t&page=2").text
    assert "51\N{EN DASH}100 of 120" in text
    assert f'href="{HOME}?q=t" rel="prev"' in text
    assert f'href="{HOME}?q=t&amp;page=3" rel="next"' in text


@given(
    st.dictionaries(
        st.sampled_from(["q", "state", "plan", "only", "sort", "columns", "view", "page"]), st.text(max_size=300)
    )
)
def test_any_address_is_a_query(params: dict[str, str]) -> None:
    query = TenantFilter.read(params).query()
    assert query.offset >= 0
    assert len(query.search) <= 200


def test_a_tenants_page_says_everything_staff_may_know(staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}/northwind").text
    for words in (
        "k3v9q2mzt1",
        "Schema and user exist; grants are exact.",
        "Extend trial",
        "northwind.vivero.localhost:8443",
        "Data is kept",
    ):
        assert words in text
    assert text.index("OwnerReady") < text.index("DatabaseReady")
    assert "<dialog" in text
    assert "data-open>" not in text


def test_a_tenants_page_says_whether_it_can_be_brought_back(staff: TestClient[Any]) -> None:
    proven, failed = staff.get(f"{HOME}/northwind").text, staff.get(f"{HOME}/brisa").text
    for text in (proven, failed):
        assert re.search(
            r"Restorable from.*8 Nov 2026, 15:30 UTC.*Restorable to.*22 Nov 2026, 15:10 UTC", text, re.DOTALL
        )
    assert re.search(r"Restore tried.*Passed.*<time", proven, re.DOTALL)
    assert re.search(r"Restore tried.*Failed.*<time", failed, re.DOTALL)
    assert "It is not certain" not in proven
    assert "It is not certain" in failed
    assert "not the same as the live data: vtaaaaaaaaaa.c_1 (rows)" in failed


def test_an_unknown_tenant_is_a_page(staff: TestClient[Any]) -> None:
    assert staff.get(f"{HOME}/nobody").status_code == 404


def test_without_script_an_action_is_a_page_with_its_dialog_open(staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}/northwind?do=suspend").text
    assert text.count("data-open>") == 1
    assert '<option value="Manual" selected>' in text


@pytest.mark.parametrize(
    ("which", "data", "check"),
    [
        (
            "suspend",
            {"kind": "Unpaid", "message": "Pay."},
            lambda o: (o.kind, o.message) == (SuspensionReason.UNPAID, "Pay."),
        ),
        ("resume", {}, lambda o: o.generation == 3),
        (
            "extend",
            {"trial_ends_on": "2026-12-31"},
            lambda o: o.trial_ends_at == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
        ("confirm", {}, lambda o: isinstance(o, ConfirmOwner)),
        ("plan", {"plan": "starter"}, lambda o: o.plan == "starter"),
    ],
)
def test_orders_are_given_in_the_name_of_who_is_logged_in(
    which: str, data: dict[str, str], check: Callable[[Any], bool]
) -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        answer = logged_in(client).post(
            f"{HOME}/northwind/{which}",
            data={"reason": " as agreed ", "generation": "3", **data},
            follow_redirects=False,
        )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}/northwind?done={which}")
    [(name, order, actor)] = tenants.orders
    assert (name, order.reason, order.generation, actor) == ("northwind", "as agreed", 3, ADMIN.email)
    assert check(order)


@pytest.mark.parametrize(
    ("which", "data", "words"),
    [
        ("suspend", {"kind": "Manual", "reason": ""}, "Say why"),
        ("suspend", {"kind": "Boredom", "reason": "because"}, "Choose one of the reasons"),
        ("suspend", {"kind": "Manual", "reason": "because", "message": "x" * 501}, "Use at most 500"),
        ("resume", {"reason": "x" * 501}, "Use at most 500"),
        ("extend", {"reason": "because", "trial_ends_on": "soon"}, "Choose a day"),
        ("confirm", {"reason": "x"}, "Say why"),
        ("plan", {"reason": "because", "plan": ""}, "Choose a plan"),
        ("suspend", {"kind": "Abuse", "reason": "conflict"}, "It is suspended already (Manual)."),
    ],
)
def test_a_wrong_order_comes_back_with_its_dialog(which: str, data: dict[str, str], words: str) -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        answer = logged_in(client).post(f"{HOME}/northwind/{which}", data=data)
    assert answer.status_code in {409, 422}
    assert words in answer.text
    assert answer.text.count("data-open>") == 1
    assert not tenants.orders


def test_only_an_address_that_is_not_confirmed_is_offered_to_be(staff: TestClient[Any]) -> None:
    opener = 'data-dialog-open="confirm"'
    assert opener in staff.get(f"{HOME}/kestrel").text
    assert opener not in staff.get(f"{HOME}/northwind").text


def test_an_unknown_order_is_a_page(staff: TestClient[Any]) -> None:
    assert staff.post(f"{HOME}/northwind/explode", data={"reason": "because"}).status_code == 404


def test_an_order_sent_from_elsewhere_is_refused() -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        answer = logged_in(client).post(
            f"{HOME}/northwind/resume", data={"reason": "because"}, headers={"sec-fetch-site": "same-site"}
        )
    assert answer.status_code == 403
    assert not tenants.orders


def test_an_order_without_a_login_is_not_given() -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        answer = client.post(f"{HOME}/northwind/resume", data={"reason": "because"}, follow_redirects=False)
    assert answer.headers["location"] == "/staff/login"
    assert not tenants.orders


def test_after_an_order_the_page_says_so_and_looks_again(staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}/northwind?done=suspend").text
    assert "The workspace is suspended." in text
    assert 'hx-trigger="every 2s"' in text
    assert "hx-trigger" not in staff.get(f"{HOME}/northwind?done=").text
    assert "evil" not in staff.get(f"{HOME}/northwind?done=evil").text.replace('done=evil"', "")


def test_a_suspended_tenant_can_be_resumed_and_says_why(staff: TestClient[Any]) -> None:
    text = staff.get(f"{HOME}/brisa").text
    assert "Suspended: Trial ended" in text
    assert "Thank you for trying Vivero." in text
    assert 'data-dialog-open="resume"' in text
    assert 'data-dialog-open="suspend"' not in text


def test_without_the_price_list_the_staff_pages_stand() -> None:
    with browser(plans=FakePlans(away=True)) as client:
        assert logged_in(client).get(HOME).status_code == 200
        assert client.get(f"{HOME}/northwind").status_code == 200


OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)
ANY_MOMENT = st.datetimes(timezones=OFFSETS) | st.builds(
    lambda edge, offset: edge.replace(tzinfo=offset),
    st.sampled_from([datetime.min, datetime.max]),  # noqa: DTZ901  the offset follows
    OFFSETS,
)


@settings(max_examples=15)
@given(ANY_MOMENT, ANY_MOMENT, st.sampled_from(list(TenantState)))
def test_the_pages_stand_for_any_date(ends: datetime, made: datetime, state: TenantState) -> None:
    rows = (row("acme", trial_ends_at=ends, created_at=made, state=state), row("halden"))
    with browser(tenants=FakeTenants(rows)) as client:
        logged_in(client)
        assert client.get(HOME).status_code == 200
        assert client.get(f"{HOME}/acme").status_code == 200


def test_a_tenant_that_cannot_be_read_says_why_and_offers_no_orders() -> None:
    odd = row("odd", state=TenantState.UNREADABLE, message="spec.trialEndsAt: must be an RFC 3339 time")
    with browser(tenants=FakeTenants((odd,))) as client:
        logged_in(client)
        assert "Unreadable" in client.get(HOME).text
        page = client.get(f"{HOME}/odd").text
        assert "spec.trialEndsAt: must be an RFC 3339 time" in page
        assert "?do=suspend" not in page


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ((FieldError("spec", "trialEndsAt is allowed only on plan trial; remove it"),), "remove it"),
        ((FieldError("", "The platform is being moved, so nothing is suspended."),), "being moved, so"),
        ((FieldError("suspended.message", "must be at most 500 characters, or less"),), "characters, or less"),
        ((), "The cluster&#39;s rules do not allow this."),
    ],
)
def test_what_the_cluster_refuses_is_said_whole_in_the_dialog(fields: tuple[FieldError, ...], shown: str) -> None:
    class Refusing(FakeTenants):
        async def suspend(self, name: str, order: Suspend, actor: str) -> TenantDetail:
            del name, order, actor
            raise InvalidInputError("The cluster's rules do not allow this.", errors=fields)

    with browser(tenants=Refusing()) as client:
        logged_in(client)
        data = {"reason": "because", "kind": "Manual", "message": "m"}
        answer = client.post(f"{HOME}/northwind/suspend", data=data)
        assert answer.status_code == 422
        assert shown in answer.text
