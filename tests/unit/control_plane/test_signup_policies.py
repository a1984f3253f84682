"""Validation of signups."""

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.signups import access, policies
from vivero_control.domain.signups.access import BearerTokens
from vivero_control.domain.signups.schemas import StartSignup
from vivero_core.model import naming
from vivero_core.model.tenant import Owner, TenantSpec
from vivero_web.text import company_problem, tidy

GOOD = {"company": "Acme GmbH", "email": "jane@example.com", "password": "blue kettle 9 moon"}


def fields(**changed: str | None) -> set[str]:
    return {error.field for error in policies.check(StartSignup(**(GOOD | changed)))}  # type: ignore[arg-type]


def test_a_good_signup_has_no_errors() -> None:
    assert fields() == set()
    assert fields(slug="acme") == set()


def test_every_wrong_field_is_named_at_once() -> None:
    assert fields(company="", email="x", password="short", slug="admin") == {"company", "email", "password", "slug"}


@given(st.text(max_size=120))
def test_an_accepted_name_is_accepted_by_the_resource_as_well(name: str) -> None:
    tidied = tidy(name)
    if company_problem(tidied) is None:
        spec = TenantSpec(display_name=tidied, slug="acme", plan="trial", owner=Owner(email="a@example.com"))
        assert spec.display_name == tidied
        assert naming.is_display_name(tidied)


@pytest.mark.parametrize(
    "company", ["شرکت کتاب\u200cخانه", "ශ්\u200dරී ලංකා", "Team 👩\u200d💻", unicodedata.normalize("NFD", "Größe & Söhne")]
)
def test_companies_of_the_whole_world_sign_up(company: str) -> None:
    assert fields(company=company) == set()


def test_ids_and_tokens_of_signups_are_unrelated() -> None:
    one, two = access.new_id(), access.new_id()
    assert len({one, two, access.secret_name(one), access.ticket_id(one), access.ticket_id(two)}) == 5
    assert one not in access.secret_name(one)
    assert access.ticket_id(one) == access.ticket_id(one)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=200))
def test_a_bearer_is_neither_guessed_from_the_id_nor_made_without_the_key(key: bytes, stranger: str) -> None:
    ours, signup_id = BearerTokens(key), access.new_id()
    bearer = ours.issue(signup_id)
    assert ours.verify(bearer, signup_id)
    assert not ours.verify(bearer, access.new_id())
    assert not ours.verify(stranger, signup_id)
    assert not BearerTokens(key + b"x").verify(bearer, signup_id)
    assert signup_id not in bearer


@given(st.text(max_size=60))
def test_a_derived_slug_with_a_suffix_is_valid(company: str) -> None:
    assert naming.slug_problem(policies.with_suffix(naming.slugify(company))) is None


def test_the_login_is_offered_for_a_day() -> None:
    assert access.may_log_in(NOW, NOW + timedelta(hours=23))
    assert not access.may_log_in(NOW, NOW + timedelta(hours=24))


def test_the_password_is_in_no_repr() -> None:
    assert GOOD["password"] not in repr(StartSignup(**GOOD))  # type: ignore[arg-type]
