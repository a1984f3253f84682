import pytest
from litestar.exceptions import HTTPException, NotAuthorizedException, ValidationException
from vivero_data.errors import FieldError, InvalidInputError, PlanLimitError, TooManyRequestsError
from vivero_data.lib.problem import is_for_programs, problem_of


def test_our_errors_tell_all_they_know() -> None:
    problem = problem_of(InvalidInputError.of("name", "must not be empty"), "request-1")
    assert problem.status == 422
    assert problem.type == "urn:vivero:problem:invalid-input"
    assert problem.errors == (FieldError("name", "must not be empty"),)
    assert problem.request_id == "request-1"


def test_a_plan_limit_is_a_payment_matter() -> None:
    assert problem_of(PlanLimitError("Upgrade."), "").status == 402


def test_an_unknown_error_tells_nothing() -> None:
    problem = problem_of(RuntimeError("password=sesame"), "request-1")
    assert problem.status == 500
    assert "sesame" not in problem.detail


def test_the_frameworks_validation_names_fields() -> None:
    error = ValidationException("bad", extra=[{"key": "limit", "message": "Expected `int` >= 1", "source": "query"}])
    problem = problem_of(error, "")
    assert problem.status == 422
    assert problem.errors == (FieldError("limit", "Expected `int` >= 1"),)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HTTPException("x", status_code=404), 404),
        (HTTPException("x", status_code=415), 415),
        (NotAuthorizedException("x"), 401),
        (HTTPException("the inside", status_code=500), 500),
        (ValidationException("broken JSON"), 400),
    ],
)
def test_the_frameworks_errors_keep_their_status(error: HTTPException, status: int) -> None:
    problem = problem_of(error, "")
    assert problem.status == status
    assert "inside" not in problem.detail


def test_waiting_times_travel() -> None:
    assert TooManyRequestsError("Slow down.", 7).headers == {"Retry-After": "7"}


@pytest.mark.parametrize(
    ("path", "program"), [("/api/v1/me", True), ("/readyz", True), ("/", False), ("/apiary", False), ("/login", False)]
)
def test_programs_get_json_and_people_pages(path: str, program: bool) -> None:  # noqa: FBT001  a parameter of the table
    assert is_for_programs(path) is program
