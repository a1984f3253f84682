"""Errors as problem+json."""

import pytest
from litestar.exceptions import NotFoundException, ValidationException
from msgspec import UNSET
from vivero_control.errors import FieldError, InvalidInputError, TooManyRequestsError, UnavailableError
from vivero_control.lib.problem import describe
from vivero_core.errors import BackendUnavailableError


def test_our_own_errors_say_what_they_are() -> None:
    problem, headers = describe(InvalidInputError.of(FieldError("slug", "Taken.")))
    assert (problem.status, problem.title) == (422, "Invalid input")
    assert problem.errors == (FieldError("slug", "Taken."),)
    assert not headers


def test_waiting_times_are_headers() -> None:
    assert describe(TooManyRequestsError.after(2.1))[1] == {"Retry-After": "3"}
    assert describe(UnavailableError())[0].status == 503
    assert describe(BackendUnavailableError("kubernetes", "10.0.0.1 refused"))[0].detail.find("10.0.0.1") == -1


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"message": "Object missing required field `email`", "key": "data"}, "email"),
        ({"message": "Expected `str`, got `int`", "key": "company"}, "company"),
        ({"message": "Expected `int`, got `str` - at `$.limit`"}, "limit"),
        ({"message": "Expected `object`, got `array`", "key": "data"}, "body"),
    ],
)
def test_the_parsers_words_name_the_field(entry: dict[str, str], expected: str) -> None:
    problem, _ = describe(ValidationException(extra=[entry]))
    assert problem.status == 422
    assert problem.errors is not UNSET
    assert [error.field for error in problem.errors] == [expected]


def test_the_protocols_errors_keep_their_status() -> None:
    assert describe(NotFoundException())[0].status == 404
    assert describe(RecursionError())[0].status == 400


def test_a_fault_of_ours_says_nothing_about_itself(caplog: pytest.LogCaptureFixture) -> None:
    problem, _ = describe(ZeroDivisionError("the secret plan"))
    assert problem.status == 500
    assert "secret" not in problem.detail
    assert caplog.records[0].exc_info
