"""What a signup may say."""

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.signups import policies
from vivero_control.domain.signups.schemas import StartSignup
from vivero_core.model import naming
from vivero_core.model.tenant import Owner, TenantSpec

GOOD = {"company": "Acme GmbH", "email": "jane@example.com", "password": "blue kettle 9 moon"}


def fields(**changed: str | None) -> set[str]:
    return {error.field for error in policies.check(StartSignup(**(GOOD | changed)))}  # type: ignore[arg-type]


def test_a_good_signup_has_no_errors() -> None:
    assert fields() == set()
    assert fields(slug="acme") == set()


def test_every_wrong_field_is_named_at_once() -> None:
    assert fields(company="", email="x", password="short", slug="admin") == {"company", "email", "password", "slug"}


@pytest.mark.parametrize(
    "name",
    [
        'O\'Brien & Sons "Ltd"',
        "`; DROP TABLE x",
        "100% *..__",
        "株式会社",
        "شركة",
        "Ünïcode Ñandú",
        "Rocket 🚀 Labs",
        "x",
    ],
)
def test_names_of_any_script_and_with_any_sign_are_fine(name: str) -> None:
    assert policies.company_problem(policies.tidy_company(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "a\x00b",
        "a\nb",
        "tab\there",
        "\u202eevil",
        "zero\u200bwidth",
        "a\u2028b",
        "x" * 81,
        "🚀🚀",
        "...",
        "a" + "\u0301" * 9,
    ],
)
def test_invisible_empty_and_endless_names_are_not(name: str) -> None:
    assert policies.company_problem(policies.tidy_company(name))


@given(st.text(max_size=120))
def test_an_accepted_name_is_accepted_by_the_resource_as_well(name: str) -> None:
    tidy = policies.tidy_company(name)
    if policies.company_problem(tidy) is None:
        spec = TenantSpec(display_name=tidy, slug="acme", plan="trial", owner=Owner(email="a@example.com"))
        assert spec.display_name == tidy == tidy.strip()
        assert not {unicodedata.category(char) for char in tidy} & {"Cc", "Cf", "Zl", "Zp"}


@given(st.text(max_size=300))
def test_an_accepted_address_is_one(email: str) -> None:
    if policies.email_problem(email) is None:
        local, _, domain = email.partition("@")
        assert local
        assert "." in domain
        assert email.isascii()
        assert email.isprintable()


@pytest.mark.parametrize(
    "email",
    [
        "a@b",
        "@example.com",
        "a@@example.com",
        "a b@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@example.com\n",
        "a@" + "x" * 250 + ".com",
        "ä@example.com",
    ],
)
def test_bad_addresses(email: str) -> None:
    assert policies.email_problem(email)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * 129,
        "password12",
        "Password123!",
        "P@ssw0rd2026",
        "qwertyuiop",
        "1234567890",
        "aaaaaaaaaaaa",
        "acmeacme2026",
        "nul\x00inside-it",
    ],
)
def test_bad_passwords(password: str) -> None:
    assert policies.password_problem(password, email="jane@example.com", company="Acme GmbH")


@pytest.mark.parametrize(
    "password",
    [
        "blue kettle 9 moon",
        "Str0ng-passw0rd!",
        "xK9#mQ2$vL5n",
        "日本語パスワード十分長い",
        "p" + "q7Z" * 40,
        "9358170264518390",  # a manager's sixteen digits
        "Trial-09a385701d96240a71963825",
    ],
)
def test_good_passwords(password: str) -> None:
    assert policies.password_problem(password, email="jane@example.com", company="Acme GmbH") is None


def test_nothing_of_a_signup_tells_another() -> None:
    one, two = policies.new_id(), policies.new_id()
    assert len({one, two, policies.secret_name(one), policies.ticket_id(one), policies.ticket_id(two)}) == 5
    assert one not in policies.secret_name(one)
    assert policies.ticket_id(one) == policies.ticket_id(one)


@given(st.text(max_size=60))
def test_a_derived_slug_with_a_suffix_is_valid(company: str) -> None:
    assert naming.slug_problem(policies.with_suffix(naming.slugify(company))) is None


def test_the_login_is_offered_for_a_day() -> None:
    assert policies.may_log_in(NOW, NOW + timedelta(hours=23))
    assert not policies.may_log_in(NOW, NOW + timedelta(hours=24))


def test_the_password_is_in_no_repr() -> None:
    assert GOOD["password"] not in repr(StartSignup(**GOOD))  # type: ignore[arg-type]
