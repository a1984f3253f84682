"""Where a prospect came from, out of what anybody's browser says; providers of addresses that expire."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from vivero_control.domain.signups.leads import LONGEST, Lead, cleaned
from vivero_control.domain.signups.people import company_domain, is_disposable

OWN = "vivero.example"
NAMES = Lead.__struct_fields__


@given(st.dictionaries(st.sampled_from(NAMES), st.text()), st.text())
def test_whatever_is_said_is_short_printable_and_cleaned_once(said: dict[str, str], referrer: str) -> None:
    lead = cleaned(said, own_host=OWN, referrer=referrer)
    assert cleaned(lead.said, own_host=OWN) == lead
    assert json.decode(json.encode(lead), type=Lead) == lead
    for value in lead.said.values():
        assert 0 < len(value) <= LONGEST
        assert not [char for char in value if char != " " and unicodedata.category(char)[0] in "CZ"]


def test_a_campaign_is_kept_as_it_was_named() -> None:
    said = {"utm_source": "newsletter", "utm_campaign": "  Früh\tling  2026 ", "utm_unknown": "x", "password": "y"}
    assert cleaned(said, own_host=OWN).said == {"utm_source": "newsletter", "utm_campaign": "Früh ling 2026"}


@pytest.mark.parametrize(
    ("said", "browser", "kept"),
    [
        ("", "https://Search.example/find?q=ada@example.com#x", "search.example"),
        ("blog.example", "https://vivero.example/pricing", "blog.example"),
        ("", "https://vivero.example/pricing", ""),
        ("acme.vivero.example", "", ""),
        ("notvivero.example", "", "notvivero.example"),
        ("", "https://ada:secret@mail.example:8443/inbox", "mail.example"),
        ("javascript:alert(1)", "", ""),
        ("<b>", "https://[::1", ""),
        ("a" * 101, "", ""),
    ],
)
def test_of_a_referrer_the_host_alone_is_kept_and_our_own_is_none(said: str, browser: str, kept: str) -> None:
    assert cleaned({"referrer": said}, own_host=OWN, referrer=browser).referrer == kept


@pytest.mark.parametrize(
    ("email", "expires"),
    [
        ("a@mailinator.com", True),
        ("a@Sub.MAILINATOR.com", True),
        ("a@mailinator.com.example", False),
        ("mailinator.com@example.com", False),
        ("a@gmail.com", False),
        ("a@company.example", False),
    ],
)
def test_addresses_that_expire_are_known_by_their_provider(email: str, expires: bool) -> None:  # noqa: FBT001  a table of cases
    assert is_disposable(email) is expires


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada+x@Company.Example", "company.example"),
        ("ada@gmail.com", None),
        ("ada@GoogleMail.com", None),
        ("ada@protonmail.com", None),
        ("ada@gmx.de", None),
        ("ada@mailinator.com", None),
        ("ada@mail.company.example", "mail.company.example"),
    ],
)
def test_a_company_is_known_by_a_domain_that_not_anybody_gets_an_address_of(email: str, domain: str | None) -> None:
    assert company_domain(email) == domain
