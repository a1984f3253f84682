"""What can stand in the way of a signup."""

from vivero_web.errors import ConflictError, FieldError, NotFoundError


class SlugTakenError(ConflictError):
    """Somebody has this address."""

    slug = "address-taken"
    title = "Address taken"

    def __init__(self, slug: str) -> None:
        sentence = f"The address “{slug}” is taken; choose another."
        super().__init__(sentence, errors=[FieldError("slug", sentence)])


class SignupNotFoundError(NotFoundError):
    """No signup has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such signup.")
