"""Errors as problem+json."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException, ValidationException
from structlog.testing import capture_logs
from vivero_core.errors import BackendUnavailableError
from vivero_web.errors import (
    FieldError,
    InvalidInputError,
    NotSignedInError,
    TooManyRequestsError,
    UnavailableError,
    WebError,
)
from vivero_web.problem import describe


def test_our_errors_tell_all_they_know() -> None:
    problem, headers = describe(InvalidInputError.of("slug", "Taken."))
    assert (problem.status, problem.type) == (422, "urn:vivero:problem:invalid-input")
    assert problem.errors == (FieldError("slug", "Taken."),)
    assert "Taken" in problem.detail
    assert not headers


def family(root: type[WebError]) -> set[type[WebError]]:
    return {root}.union(*(family(child) for child in root.__subclasses__()))


def test_programs_can_tell_our_errors_apart() -> None:
    shared = {one for one in family(WebError) if one.__module__ == "vivero_web.errors"}
    assert len({one.slug for one in shared}) == len(shared)


@given(st.floats(0, 10_000))
def test_waiting_times_are_whole_seconds_and_never_too_short(wait: float) -> None:
    problem, headers = describe(TooManyRequestsError("Slow down.", wait))
    assert int(headers["Retry-After"]) >= max(1, wait)
    assert f"in {headers['Retry-After']} seconds" in problem.detail


@pytest.mark.parametrize(
    "error",
    [UnavailableError("The bucket does not answer."), BackendUnavailableError("kubernetes", "10.0.0.1 refused")],
)
def test_what_is_away_is_said_with_a_time_to_come_back(error: Exception) -> None:
    with capture_logs() as lines:
        problem, headers = describe(error)
    assert (problem.status, int(headers["Retry-After"]) > 0) == (503, True)
    assert "10.0.0.1" not in problem.detail
    assert [line["log_level"] for line in lines] == ["warning"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"message": "Object missing required field `email`", "key": "data"}, "email"),
        ({"message": "Expected `str`, got `int`", "key": "company"}, "company"),
        ({"message": "Expected `int`, got `str` - at `$.limit`"}, "limit"),
        ({"message": "Expected `object`, got `array`", "key": "data"}, "body"),
        ({"message": "Expected `int` >= 1", "key": "limit", "source": "query"}, "limit"),
    ],
)
def test_the_parsers_words_name_the_field(entry: dict[str, str], expected: str) -> None:
    problem, _ = describe(ValidationException(extra=[entry]))
    assert problem.status == 422
    assert [error.field for error in problem.errors] == [expected]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundException(), 404),
        (HTTPException("x", status_code=415), 415),
        (NotAuthorizedException("x"), 401),
        (ValidationException("broken JSON"), 400),
        (RecursionError(), 400),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), 400),
        (HTTPException("the secret plan", status_code=500), 500),
        (ZeroDivisionError("the secret plan"), 500),
    ],
)
def test_the_protocols_errors_keep_their_status_and_faults_say_nothing(error: Exception, status: int) -> None:
    with capture_logs() as lines:
        problem, _ = describe(error)
    assert problem.status == status
    assert "secret" not in problem.detail
    assert [line["exc_info"] for line in lines] == ([error] if status == 500 else [])


@pytest.mark.parametrize("error", [NotSignedInError(), NotAuthorizedException("x")])
def test_who_is_not_known_learns_how_to_say_it(error: Exception) -> None:
    assert describe(error)[1]["WWW-Authenticate"] == "Bearer"
