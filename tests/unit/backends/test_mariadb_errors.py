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
    ],
)
def test_a_code_says_what_a_caller_can_do(code: int, kind: type[BackendError]) -> None:
    with pytest.raises(BackendError) as caught, translated("do a thing"):
        raise pymysql.OperationalError(code, "near 'IDENTIFIED BY hunter2'")
    assert type(caught.value) is kind
    assert caught.value.retryable is (kind is BackendUnavailableError)
    assert "mariadb: do a thing" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert code_of(caught.value.__cause__) == code


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
