"""The page of tax ids: what there is, what is added and removed, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.billing_fakes import FakeBilling, FakeTaxIds, bought
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import FakePlans
from vivero_control.domain.accounts.sessions import COOKIE
from vivero_control.domain.billing.errors import NothingBoughtError, ProviderUnavailableError
from vivero_control.domain.billing.provider import TaxId
from vivero_web.errors import WebError

Client = TestClient[Any]
Owner = Callable[..., tuple[Client, FakeTaxIds]]
PAGE = "/account/tax-ids"


@pytest.fixture
def owner() -> Owner:
    def made(*found: TaxId, refusal: WebError | None = None) -> tuple[Client, FakeTaxIds]:
        tax_ids = FakeTaxIds(*found, refusal=refusal)
        client = browser(billing=FakeBilling(FakePlans(), bought()), tax_ids=tax_ids)
        client.cookies.set(COOKIE, "acme")
        return client, tax_ids

    return made


def test_a_tax_id_is_added_seen_and_removed(owner: Owner) -> None:
    client, tax_ids = owner()
    with client:
        assert f'href="{PAGE}"' in client.get("/account/plan").text
        assert "None yet." in client.get(PAGE).text
        answer = client.post(PAGE, data={"kind": "eu_vat", "value": "DE123456789"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=added")
        page = client.get(f"{PAGE}?done=added").text
        assert all(words in page for words in ("The tax id is added", "DE123456789", "Is looked up"))
        answer = client.post(f"{PAGE}/remove", data={"id": tax_ids.found[0].id}, follow_redirects=False)
        assert answer.headers["location"] == f"{PAGE}?done=removed"
    assert tax_ids.found == []


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("", {"kind": "xx", "value": "DE1"}, "Choose what kind"),
        ("", {"kind": "eu_vat", "value": "<b>none</b>"}, "This is no VAT id."),
        ("/remove", {"id": "txi_of_another"}, "It is not there any more."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    owner: Owner, path: str, form: dict[str, str], words: str
) -> None:
    client, tax_ids = owner(TaxId("txi_1", "ch_vat", "CHE-1", ""))
    with client:
        answer = client.post(PAGE + path, data=form)
        assert (answer.status_code, words in answer.text) == (422, True)
        assert "<b>none</b>" not in answer.text
        assert ("&lt;b&gt;none&lt;/b&gt;" in answer.text) is ("<b>" in form.get("value", ""))
    assert len(tax_ids.found) == 1


@pytest.mark.parametrize(("refusal", "status"), [(NothingBoughtError(), 409), (ProviderUnavailableError(), 503)])
def test_without_the_provider_the_page_of_the_plan_says_so(owner: Owner, refusal: WebError, status: int) -> None:
    client, _ = owner(refusal=refusal)
    with client:
        answer = client.get(PAGE)
        assert (answer.status_code, refusal.detail in answer.text) == (status, True)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("POST", "/remove")])
def test_who_has_no_session_is_sent_to_ask_for_a_link(method: str, path: str) -> None:
    with browser() as visitor:
        answer = visitor.request(method, PAGE + path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
