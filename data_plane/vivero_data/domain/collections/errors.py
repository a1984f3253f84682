"""What can go wrong with collections."""

from vivero_web.errors import ConflictError, FieldError, NotFoundError


class CollectionNotFoundError(NotFoundError):
    """No collection has this name."""

    def __init__(self) -> None:
        super().__init__("There is no collection of this name.")


class CollectionNameTakenError(ConflictError):
    """Names are compared without case (names.py)."""

    def __init__(self) -> None:
        message = "is the name of a collection that exists"
        super().__init__(f"name: {message}", errors=[FieldError("name", message)])
