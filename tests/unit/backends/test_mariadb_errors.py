import socket
import ssl

import pymysql
import pytest
from vivero_core.backends.mariadb.errors import code_of, translated
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1040, BackendUnavailableError),
        (1045, BackendAuthenticationError),
        (1049, BackendNotFoundError),
        (1064, BackendRefusedError),
        (1226, BackendUnavailableError),
        (2003, BackendUnavailableError),
        (2013, BackendUnavailableError),
        (4151, BackendAuthenticationError),
        (1205, BackendUnfinishedError),
        (1213, BackendUnfinishedError),
        (1317, BackendUnfinishedError),
        (1927, BackendUnfinishedError),
        (1969, BackendUnfinishedError),
    ],
)
def test_a_code_says_what_a_caller_can_do(code: int, kind: type[BackendError]) -> None:
    with pytest.raises(BackendError) as caught, translated("do a thing"):
        raise pymysql.OperationalError(code, "near 'IDENTIFIED BY hunter2'")
    assert type(caught.value) is kind
    assert caught.value.retryable is (kind in {BackendUnavailableError, BackendUnfinishedError})
    assert "mariadb: do a thing" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert code_of(caught.value.__cause__) == code


@pytest.mark.parametrize("code", [1203, 1226])
def test_a_tenants_own_limit_is_no_outage(code: int) -> None:
    with pytest.raises(BackendUnfinishedError), translated("log in", tenants_login=True):
        raise pymysql.OperationalError(code, "x")


def lose_the_connection(cause: OSError) -> None:
    """As pymysql does."""
    try:
        raise cause
    except OSError:
        raise pymysql.OperationalError(2013, "Lost connection") from None


def test_no_answer_in_time_is_an_outage_unless_it_may_be_the_size_of_a_tenants_data() -> None:
    for tenants_data, cause, kind in (
        (False, TimeoutError(), BackendUnavailableError),
        (True, TimeoutError(), BackendUnfinishedError),
        (True, ConnectionResetError(), BackendUnavailableError),
    ):
        with pytest.raises(kind), translated("drop", tenants_data=tenants_data):
            lose_the_connection(cause)


@pytest.mark.parametrize(
    ("cause", "words"), [(socket.gaierror(), "cannot be resolved"), (ConnectionRefusedError(), "connection refused")]
)
def test_an_unreachable_server_is_told_in_words(cause: OSError, words: str) -> None:
    error = pymysql.OperationalError(2003, "Can't connect")
    error.original_exception = cause  # type: ignore[attr-defined]
    with pytest.raises(BackendUnavailableError, match=words), translated("connect"):
        raise error


def test_a_foreign_certificate_is_refused_not_waited_for() -> None:
    error = pymysql.OperationalError(2003, "Can't connect")
    error.original_exception = ssl.SSLCertVerificationError("self-signed")  # type: ignore[attr-defined]
    with pytest.raises(BackendRefusedError, match="certificate"), translated("connect"):
        raise error


def test_other_errors_have_no_code_and_pass_through() -> None:
    assert code_of(None) == 0
    assert code_of(KeyError("x")) == 0
    assert code_of(pymysql.InterfaceError("closed")) == 0
    with pytest.raises(KeyError), translated("x"):
        raise KeyError("x")
