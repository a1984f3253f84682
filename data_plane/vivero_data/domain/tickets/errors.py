"""What can go wrong with login tickets."""

from vivero_web.errors import NotSignedInError


class TicketSpentError(NotSignedInError):
    """A ticket is good for one login."""

    def __init__(self) -> None:
        super().__init__("This login link was used already; log in with your password.")
