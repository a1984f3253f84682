import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.mariadb import accounts, rights, sessions
from vivero_core.backends.mariadb.accounts import attributes
from vivero_core.backends.mariadb.rights import Account, Right
from vivero_core.errors import InvalidNameError

HASH = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # SELECT PASSWORD('password')
STORED = {
    "access": 0,
    "version_id": 101119,
    "plugin": "mysql_native_password",
    "authentication_string": HASH,
    "ssl_type": 1,
    "ssl_cipher": "",
    "x509_issuer": "",
    "x509_subject": "",
    "max_user_connections": 20,
    "password_last_changed": 1795828865,
}
DATABASE, USER = "vtaaaaaaaaaa", "vtaaaaaaaaaaa"


def read(changes: dict[str, object], default_lifetime: int = 0) -> accounts.Attributes:
    return attributes(json.dumps(STORED | changes), default_lifetime)


@pytest.mark.parametrize(
    "spelling",
    [
        {},
        {"max_questions": 0, "max_statement_time": 0.0, "account_locked": False, "default_role": ""},
        {"password_lifetime": -1},
        {"password_lifetime": 0},
        {"auth_or": [{}]},
        {"version_id": 110400, "password_last_changed": 1},
    ],
)
def test_every_spelling_of_what_is_wanted_is_it(spelling: dict[str, object]) -> None:
    assert accounts.without_rights(read(spelling)) == accounts.wanted("password", 20)


@pytest.mark.parametrize(
    "drift",
    [
        {"account_locked": True},
        {"password_last_changed": 0},
        {"password_lifetime": 3},
        {"auth_or": [{}, {"plugin": "unix_socket"}]},
        {"plugin": "unix_socket"},
        {"authentication_string": ""},
        {"ssl_type": 0},
        {"ssl_type": 2},
        {"ssl_type": 3, "ssl_cipher": "x"},
        {"max_user_connections": 0},
        {"default_role": "r"},
        {"is_role": True},
    ],
)
def test_each_drift_shows(drift: dict[str, object]) -> None:
    assert accounts.without_rights(read(drift)) != accounts.wanted("password", 20)


@given(
    st.text(min_size=1).filter(lambda key: key not in {*STORED, "password_lifetime", "auth_or"}),
    st.integers(min_value=1) | st.text(min_size=1) | st.just(True) | st.lists(st.integers(), min_size=1),  # noqa: FBT003  a value like any other
)
def test_an_attribute_of_a_later_server_shows(key: str, value: object) -> None:
    assert read({key: value})[key] == value


def test_a_lifetime_left_to_the_server_is_the_servers() -> None:
    assert read({}, 30)["password_lifetime"] == 30
    assert "password_lifetime" not in read({"password_lifetime": 0}, 30)


@given(st.text() | st.sampled_from(["[]", "1", "null", "{"]))
def test_a_damaged_row_is_an_account_that_differs(text: str) -> None:
    assert attributes(text) != accounts.wanted("password", 20)


def text_of(kind: rights.Kind, name: str = "t", host: str = "%") -> list[str]:
    return [sql % values for sql, values in rights.revoke(Right(Account("x", host), kind, DATABASE, name))]


def test_revokes_name_the_row_they_are_about() -> None:
    assert text_of("SCHEMA", "")[0] == f"REVOKE ALL PRIVILEGES ON `{DATABASE}`.* FROM `x`@`%`"
    assert text_of("TABLE")[1] == f"REVOKE GRANT OPTION ON `{DATABASE}`.`t` FROM `x`@`%`"
    assert text_of("FUNCTION", host="")[0] == f"REVOKE ALL PRIVILEGES ON FUNCTION `{DATABASE}`.`t` FROM `x`"
    assert text_of("PROXY") == [f"REVOKE PROXY ON `t`@`{DATABASE}` FROM `x`@`%`"]


@given(st.text(), st.text(min_size=1))
def test_a_name_from_the_servers_tables_stays_inside_its_quotes(user: str, host: str) -> None:
    sql, values = rights.drop(Account(user, host), role=False)
    assert re.fullmatch(r"DROP USER IF EXISTS `([^`]|``)*`@`([^`]|``)*`", sql % values)


@given(st.text(max_size=20))
def test_every_statement_about_a_tenant_checks_its_name(name: str) -> None:
    builds: tuple[Callable[[], object], ...] = (
        lambda: rights.accounts_of(name),
        lambda: rights.rights_on(name, USER),
        lambda: rights.rights_on(DATABASE, name),
        lambda: sessions.in_schema(name, "x"),
    )
    for build in builds:
        with pytest.raises(InvalidNameError):
            build()


@pytest.mark.parametrize(
    ("host", "where", "is_from"),
    [
        ("%", "10.0.0.9:51234", True),
        ("%", "localhost", True),
        ("localhost", "localhost", True),
        ("localhost", "localhost:51234", True),
        ("10.0.0.9", "10.0.0.9:51234", True),
        ("10.0.0.9", "10.0.0.90:51234", False),
        ("10.0.0.90", "10.0.0.9:51234", False),
        ("fe80::1", "fe80::1:51234", True),
        ("fe80::1", "fe80::1:5:51234", False),
        ("10.0.0.0/255.0.0.0", "10.0.0.9:51234", False),
        ("", "localhost", False),
    ],
)
def test_where_a_connection_is_from(host: str, where: str, *, is_from: bool) -> None:
    """As `KILL … USER` compares it: a host to the letter, not what the account's pattern covers."""
    assert sessions.is_from(host, where) is is_from
