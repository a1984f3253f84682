"""Posted forms: their texts, the words about what is wrong with them, and where they lead."""

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

# What a form shows beside its fields, with what was typed; all else is an error page.
FORM_ERRORS: Final = (InvalidInputError, ConflictError, PlanLimitError, NotAllowedError)
# The same of a form that ends in a mail, of which there is a limit.
MAIL_FORM_ERRORS: Final = (*FORM_ERRORS, TooManyRequestsError)

Form = Mapping[str, str]


def field_errors(error: WebError) -> dict[str, str]:
    """What is wrong by field name, the first message of each; the API's `values.` in front is no user's word."""
    messages: dict[str, str] = {}
    for item in error.errors:
        messages.setdefault(item.field.removeprefix("values."), sentence(item))
    return messages


def sentence(item: FieldError) -> str:
    """A message as a sentence: capital first, full stop last."""
    text = item.message[:1].upper() + item.message[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def local_path(target: str) -> str:
    """Where to go after logging in: a path of this site, or the first page for anything else."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if inside and not target.startswith("/log") else "/"
