"""What can stand in the way of a lead."""

from vivero_web.errors import NotFoundError


class LeadNotFoundError(NotFoundError):
    """There is no such signup, it is older than the weeks that are shown, or it failed."""

    def __init__(self) -> None:
        super().__init__("There is no such lead.")
