"""Posted forms: their errors as text, and where to redirect afterwards."""

from collections.abc import Mapping
from typing import Final

from vivero_web.errors import (
    ConflictError,
    FieldError,
    InvalidInputError,
    NotAllowedError,
    TooManyRequestsError,
    WebError,
)

from vivero_data.errors import PlanLimitError

# Errors that are shown in the form, with what was typed; others become an error page.
FORM_ERRORS: Final = (InvalidInputError, ConflictError, PlanLimitError, NotAllowedError)
# The same for forms that send a mail, which are rate limited.
MAIL_FORM_ERRORS: Final = (*FORM_ERRORS, TooManyRequestsError)

Form = Mapping[str, str]


def field_errors(error: WebError) -> dict[str, str]:
    """The first error of each field, by name without the API's prefix `values.`."""
    messages: dict[str, str] = {}
    for item in error.errors:
        messages.setdefault(item.field.removeprefix("values."), sentence(item))
    return messages


def sentence(item: FieldError) -> str:
    """A message as a sentence: capital first, full stop last."""
    text = item.message[:1].upper() + item.message[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def local_path(target: str) -> str:
    """Where to go after the login: a path of this site, else the first page (no open redirect)."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if inside and not target.startswith("/log") else "/"
