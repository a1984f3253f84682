"""What can go wrong in the kit itself, and the words of the error pages."""

from dataclasses import dataclass
from http import HTTPStatus


class UiError(Exception):
    """Root of the kit's errors."""


class AssetMissingError(UiError):
    """A template names a file or an icon that the build did not produce."""


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What an error page says: what happened, what is safe, what to do."""

    status: int
    title: str
    detail: str
    advice: str
    request_id: str = ""


_ADVICE_BACK = "Go back and check the address, or start from the first page."
_WORDS: dict[int, tuple[str, str, str]] = {
    400: (
        "This request could not be read",
        "Something in the address or the form was not as expected.",
        "Nothing was changed. Go back and try again.",
    ),
    401: ("Please log in", "This page needs you to be logged in.", "Log in and you will come back here."),
    403: (
        "You may not do this",
        "Your account does not have the right for this page or action.",
        "Nothing was changed. An administrator can give you the right.",
    ),
    404: ("There is no such page", "The page was moved, deleted or never existed.", _ADVICE_BACK),
    405: (
        "This address does not take that",
        "A form or link used this address in a way it does not support.",
        "Nothing was changed. " + _ADVICE_BACK,
    ),
    409: (
        "Someone else was faster",
        "What you were changing has been changed in the meantime.",
        "Nothing was overwritten. Reload the page, look at the new state and try again.",
    ),
    413: (
        "That is too large",
        "What was sent is larger than this page accepts.",
        "Nothing was stored. Send a smaller file or less text.",
    ),
    429: (
        "Too many requests",
        "Your network address has sent more requests in a minute than are allowed.",
        "Wait a minute, then reload. Nothing was changed.",
    ),
    500: (
        "Something broke on our side",
        "The error has been recorded with the number below.",
        "What you saved before is safe. Try again; if it stays, send us the number.",
    ),
    503: (
        "Not available right now",
        "A part of the system that this page needs does not answer.",
        "Your data is safe. Try again in a minute.",
    ),
}


def error_page(status: int, request_id: str = "", detail: str = "") -> ErrorPage:
    """The words for an HTTP status; `detail` replaces the general explanation where a safe, exact one is known."""
    known = status if status in _WORDS else (HTTPStatus.INTERNAL_SERVER_ERROR if status >= 500 else 400)  # noqa: PLR2004  the class of server errors
    title, general, advice = _WORDS[known]
    return ErrorPage(status=status, title=title, detail=detail or general, advice=advice, request_id=request_id)
