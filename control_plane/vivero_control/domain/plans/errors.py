"""What can be wrong about a plan."""

from vivero_web.errors import InvalidInputError, NotFoundError


class PlanNotFoundError(NotFoundError):
    """There is no Plan of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no plan “{name}”.")


def unknown_plan(name: str) -> InvalidInputError:
    """For a plan named in an input field."""
    return InvalidInputError.of("plan", f"There is no plan “{name}”.")
