"""What can go wrong with collections."""

from vivero_web.errors import ConflictError, FieldError, NotFoundError


class CollectionNotFoundError(NotFoundError):
    """No collection has this name."""

    def __init__(self) -> None:
        super().__init__("There is no collection of this name.")


class CollectionsFullError(ConflictError):
    """A workspace has a bounded number of collections, whatever its plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A workspace has at most {bound} collections.")


class CollectionNameTakenError(ConflictError):
    """A collection has this name already, as people read it."""

    def __init__(self) -> None:
        message = "is the name of a collection that exists"
        super().__init__(f"name: {message}", errors=[FieldError("name", message)])
