"""The staff's pages about invoices of contracts, and the customer's."""

from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import logged_in
from unit.control_plane_web.fakes import SUPPORT
from vivero_control.domain.invoices.schemas import InvoiceState
from vivero_control.web.staff_shell import CONTRACTS, INVOICES

OPEN, LATE, PAID, TAKEN_BACK, NOTE = (f"{INVOICES}/2026-{number:04d}" for number in range(1, 6))


def test_the_page_lists_invoices_and_what_is_not_paid(staff: TestClient[Any]) -> None:
    text = staff.get(INVOICES).text
    for words in ("2026-0001", "Taken back", "Credit note", "€48,000", "€24,000"):
        assert words in text, words
    late = staff.get(INVOICES, params={"state": InvoiceState.LATE.value}).text
    assert "2026-0002" in late
    assert "2026-0001" not in late
    assert "2026-0001" in staff.get(INVOICES, params={"state": "nonsense"}).text
    assert "2026-0001" in staff.get(f"{CONTRACTS}/1").text


@pytest.mark.parametrize(
    ("page", "offered"),
    [
        (OPEN, {"payment", "credit-note"}),
        (LATE, {"payment", "credit-note"}),
        (PAID, {"no-payment", "credit-note"}),
        (TAKEN_BACK, set()),
        (NOTE, set()),
    ],
)
def test_each_state_offers_what_can_be_done(staff: TestClient[Any], page: str, offered: set[str]) -> None:
    text = staff.get(page).text
    assert {what for what in ("payment", "no-payment", "credit-note") if f'action="{page}/{what}"' in text} == offered
    assert (f'href="{page}/document"' in text) is (page != LATE), "its document is not made yet"


def test_support_sees_them_and_decides_nothing(visitor: TestClient[Any]) -> None:
    client = logged_in(visitor, SUPPORT)
    for page in (OPEN, PAID):
        assert f'action="{page}/' not in client.get(page).text
        assert client.post(f"{page}/payment", data={"paid_on": "2026-11-20"}).status_code == 403
        assert client.post(f"{page}/credit-note", data={"reason": "A mistake."}).status_code == 403
    assert client.get(f"{OPEN}/document").content == b"2026-0001"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"paid_on": ""}, "paid_on"),
        ({"paid_on": "yesterday"}, "paid_on"),
        ({"paid_on": "2027-01-01"}, "paid_on"),
        ({"paid_on": "2026-11-20", "reference": "x" * 121}, "reference"),
    ],
)
def test_a_payment_that_makes_no_sense_is_shown_again(
    staff: TestClient[Any], typed: dict[str, str], field: str
) -> None:
    answer = staff.post(f"{OPEN}/payment", data=typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_a_payment_is_noted_and_taken_out(staff: TestClient[Any]) -> None:
    answer = staff.post(f"{OPEN}/payment", data={"paid_on": "2026-11-20", "reference": "4711"})
    assert "The payment is noted." in answer.text
    assert staff.post(f"{OPEN}/payment", data={"paid_on": "2026-11-20"}).status_code == 409
    assert "The payment is taken out." in staff.post(f"{OPEN}/no-payment").text
    assert staff.post(f"{OPEN}/no-payment").status_code == 409


def test_an_invoice_is_taken_back_with_a_reason(staff: TestClient[Any]) -> None:
    assert staff.post(f"{OPEN}/credit-note", data={"reason": " "}).status_code == 422
    answer = staff.post(f"{OPEN}/credit-note", data={"reason": "The wrong company."})
    assert str(answer.url).endswith("/2026-0005?done=taken-back")
    assert staff.post(f"{OPEN}/credit-note", data={"reason": "Once more."}).status_code == 409


def test_a_document_is_saved_and_kept_by_nobody_else(staff: TestClient[Any]) -> None:
    answer = staff.get(f"{OPEN}/document")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-0001.pdf"'
    assert "no-store" in answer.headers["cache-control"]
    assert staff.get(f"{LATE}/document").status_code == 409
    assert staff.get(f"{INVOICES}/1999-0001/document").status_code == 404
