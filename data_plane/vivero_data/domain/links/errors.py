"""What can go wrong with one-time links."""

from vivero_web.errors import ConflictError


class NoMailError(ConflictError):
    """The workspace sends no mail."""

    slug = "no-mail"

    def __init__(self) -> None:
        super().__init__("This workspace sends no mail; whoever runs it can set up a mail server.")
