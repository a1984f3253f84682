"""Pages about quotes and contracts: of the staff, and of who has the link of a quote."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from msgspec import structs
from support.good import CONTROL_BODIES
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.contract_fakes import CODE, FakeContracts, FakeQuotes, contract, quote
from unit.control_plane_web.fakes import HOSTILE, SETTINGS, SUPPORT
from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.contracts.schemas import ContractState, QuoteState
from vivero_control.web import contract_forms, contract_lines
from vivero_control.web.staff_shell import CONTRACTS, QUOTES
from vivero_web.errors import InvalidInputError

GOOD: dict[str, str] = CONTROL_BODIES["POST /staff/quotes/new"]
ACCEPTED = {"code": CODE, "name": "Grace", "agrees": "true", "terms": TERMS_VERSION}


def test_the_page_lists_contracts_and_quotes(staff: TestClient[Any]) -> None:
    text = staff.get(CONTRACTS).text
    for words in ("Contract 1", "In force", "None yet", "Quote 2", "Expired", "€24,000 every year", f'"{QUOTES}/new"'):
        assert words in text, words


def test_support_sees_all_of_it_and_no_button(visitor: TestClient[Any]) -> None:
    client = logged_in(visitor, SUPPORT)
    assert f"{QUOTES}/new" not in client.get(CONTRACTS).text
    for page in (f"{QUOTES}/1", f"{QUOTES}/2", f"{CONTRACTS}/2"):
        assert f'<form method="post" action="{page}/' not in client.get(page).text, page
    for page in (f"{QUOTES}/new", f"{QUOTES}/1/edit"):
        assert client.get(page).status_code == 403


def test_without_invoicing_in_the_settings_there_are_no_quotes() -> None:
    with logged_in(browser(quotes=FakeQuotes(on=False))) as client:
        assert "Quotes are not set up" in client.get(CONTRACTS).text
        assert "Quotes are not set up" in client.get(f"{QUOTES}/new").text
        assert client.get("/quote").status_code == 409


def test_a_quote_is_made() -> None:
    fake = FakeQuotes()
    with logged_in(browser(quotes=fake)) as client:
        form = client.get(f"{QUOTES}/new?tenant=acme").text
        assert 'value="acme"' in form
        answer = client.post(f"{QUOTES}/new", data=GOOD, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{QUOTES}/9?done=made")
    (made,) = fake.made
    assert (made.lines[0].cents, made.limits.users, made.limits.storage_bytes) == (2_400_000, 250, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": ""}, "company"),
        ({"country": "France"}, "country"),
        ({"plan": ""}, "plan"),
        ({"users": "0"}, "users"),
        ({"users": "many"}, "users"),
        ({"storage_gib": "-1"}, "storage_gib"),
        ({"term_months": "121"}, "term_months"),
        ({"term_months": "18"}, "period_months"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"valid_until": ""}, "valid_until"),
        ({"line_1_price": "1.234,50"}, "lines"),
        ({"line_1_price": "-5"}, "lines"),
        ({"line_1_quantity": "0"}, "lines"),
        ({"line_1_text": " ", "line_1_quantity": "", "line_1_price": ""}, "lines"),
        ({"line_7_text": HOSTILE}, "lines"),
    ],
)
def test_what_cannot_be_offered_is_named_and_what_was_typed_stays(
    staff: TestClient[Any], changes: dict[str, str], field: str
) -> None:
    answer = staff.post(f"{QUOTES}/new", data={**GOOD, **changes})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert GOOD["email"] in answer.text
    assert HOSTILE not in answer.text


def test_a_draft_comes_back_as_it_was_typed() -> None:
    found = contract_forms.terms(GOOD)
    shown = contract_forms.typed(found)
    assert contract_forms.terms(shown) == found
    assert [row for row, *_ in contract_forms.rows(shown)] == [1, 2, 3]
    many = contract_forms.rows({"line_19_text": "x", "line_20_text": "y"})
    assert len(many) == 20


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("2400", 240_000), ("2400.5", 240_050), ("2400,50", 240_050), (" 0.01 ", 1), ("2,400", None), ("1e3", None)],
)
def test_a_price_is_read_to_the_cent_or_not_at_all(typed: str, cents: int | None) -> None:
    assert contract_forms.cents(typed) == cents


def test_a_form_of_nothing_names_all_that_is_wanted() -> None:
    with pytest.raises(InvalidInputError) as error:
        contract_forms.terms({})
    assert {"country", "plan", "term_months", "starts_on"} <= set(error.value.by_field)


@pytest.mark.parametrize(
    ("number", "act", "status"),
    [(1, "send", 303), (2, "send", 303), (3, "send", 409), (1, "withdraw", 303), (4, "withdraw", 409)],
)
def test_it_is_sent_and_withdrawn_while_that_makes_sense(
    staff: TestClient[Any], number: int, act: str, status: int
) -> None:
    data = {"reason": "They asked for it."} if act == "withdraw" else {}
    answer = staff.post(f"{QUOTES}/{number}/{act}", data=data, follow_redirects=False)
    assert answer.status_code == status


def test_a_reason_is_wanted_and_a_sent_quote_stays_as_it_is(staff: TestClient[Any]) -> None:
    assert 'id="reason-error"' in staff.post(f"{QUOTES}/1/withdraw", data={"reason": ""}).text
    assert staff.post(f"{QUOTES}/2/edit", data=GOOD).status_code == 409
    edited = staff.post(f"{QUOTES}/1/edit", data=GOOD, follow_redirects=False)
    assert edited.headers["location"] == f"{QUOTES}/1?done=changed"
    assert "Draft 1" in staff.get(f"{QUOTES}/1/edit").text
    assert staff.get(f"{QUOTES}/99").status_code == 404


def test_a_contract_is_attached_to_a_tenant(staff: TestClient[Any]) -> None:
    wrong = staff.post(f"{CONTRACTS}/2/tenant", data={"tenant": "no-such-tenant"})
    assert wrong.status_code == 422
    assert 'id="tenant-error"' in wrong.text
    right = staff.post(f"{CONTRACTS}/2/tenant", data={"tenant": "acme"}, follow_redirects=False)
    assert right.headers["location"] == f"{CONTRACTS}/2?done=attached"
    assert staff.get(f"{CONTRACTS}/99").status_code == 404


@pytest.mark.parametrize(
    ("state", "words", "sold"),
    [
        (ContractState.IN_FORCE, "In force", False),
        (ContractState.AHEAD, "Begins later", True),
        (ContractState.ENDED, "", True),
    ],
)
def test_the_owner_sees_the_contract_and_is_sold_nothing_beside_it(
    owner: Callable[..., TestClient[Any]], state: ContractState, words: str, *, sold: bool
) -> None:
    agreed = structs.replace(contract(1, "acme"), state=state)
    with owner(contracts=FakeContracts(agreed)) as client:
        text = client.get("/account/plan").text
    assert ("Grace Hopper" in text, words in text) == (bool(words), True)
    assert ("/account/checkout" in text) is sold


def test_the_page_of_a_tenant_leads_to_its_contracts_and_to_a_quote_for_it() -> None:
    with logged_in(browser(contracts=FakeContracts(contract(7, "northwind")))) as client:
        text = client.get("/staff/tenants/northwind").text
    assert 'href="/staff/contracts/7"' in text
    assert 'href="/staff/quotes/new?tenant=northwind"' in text


def test_what_was_typed_is_no_markup() -> None:
    odd: dict[str, Any] = {"company": HOSTILE, "address": HOSTILE, "email": HOSTILE, "order_number": HOSTILE}
    quotes, agreed = FakeQuotes((quote(1, **odd),)), FakeContracts(contract(1, **odd))
    with logged_in(browser(quotes=quotes, contracts=agreed)) as client:
        pages = [client.get(page) for page in (CONTRACTS, f"{QUOTES}/1", f"{CONTRACTS}/1", f"{QUOTES}/1/edit")]
        pages.append(client.post("/quote", data={"code": CODE}))
    for page in pages:
        assert page.status_code == 200
        assert HOSTILE not in page.text


class TestTheCustomer:
    """Has the link alone."""

    def test_sees_what_is_offered(self, visitor: TestClient[Any]) -> None:
        assert "See the quote" in visitor.get("/quote").text
        text = visitor.post("/quote", data={"code": f"https://x/quote#{CODE}"}).text
        for words in ("Our offer to you", "€24,000", "reverse charge", "250", "2 years", "Accept for", TERMS_VERSION):
            assert words in text, words
        assert SETTINGS.company
        assert f"terms, version {TERMS_VERSION}" in text
        assert f"Version {TERMS_VERSION}" in visitor.get("/terms").text

    @pytest.mark.parametrize("path", ["/quote", "/quote/accept", "/quote/decline"])
    def test_gets_nothing_with_another_link(self, visitor: TestClient[Any], path: str) -> None:
        answer = visitor.post(path, data={**ACCEPTED, "code": "another"})
        assert answer.status_code == 422
        assert "opens" in answer.text
        assert "€24,000" not in answer.text

    @pytest.mark.parametrize(
        ("changes", "words"),
        [({"name": ""}, "Enter your name."), ({"agrees": ""}, "Tick this"), ({"order_number": "9" * 61}, "at most 60")],
    )
    def test_is_told_what_is_missing(self, visitor: TestClient[Any], changes: dict[str, str], words: str) -> None:
        answer = visitor.post("/quote/accept", data={**ACCEPTED, **changes})
        assert answer.status_code == 422
        assert words in answer.text
        assert "Our offer to you" in answer.text

    def test_accepts_or_declines_once(self) -> None:
        with browser(quotes=FakeQuotes((quote(1),))) as client:
            assert "You have accepted this quote" in client.post("/quote/accept", data=ACCEPTED).text
            refused = client.post("/quote/decline", data={"code": CODE, "reason": ""})
            assert refused.status_code == 409
            assert "It was accepted." in refused.text
        with browser(quotes=FakeQuotes((quote(1),))) as client:
            assert "You have declined" in client.post("/quote/decline", data={"code": CODE, "reason": "No."}).text

    @pytest.mark.parametrize("state", [QuoteState.EXPIRED, QuoteState.WITHDRAWN])
    def test_is_told_that_it_is_too_late(self, state: QuoteState) -> None:
        with browser(quotes=FakeQuotes((quote(1, state),))) as client:
            text = client.post("/quote", data={"code": CODE}).text
            assert "cannot be accepted any more" in text
            assert "/quote/accept" not in text


@pytest.mark.parametrize(
    ("write", "number", "words"),
    [
        (contract_lines.term, 1, "1 month"),
        (contract_lines.term, 6, "6 months"),
        (contract_lines.term, 12, "1 year"),
        (contract_lines.term, 24, "2 years"),
        (contract_lines.term, 18, "18 months"),
        (contract_lines.every, 1, "every month"),
        (contract_lines.every, 3, "every 3 months"),
        (contract_lines.every, 12, "every year"),
    ],
)
def test_months_in_words(write: Callable[[int], str], number: int, words: str) -> None:
    assert write(number) == words
