"""Kinds of text that the bodies of both programs have, and how their bounds are documented.

The rules of `text.py` measure a text once it is tidied, find every field at
fault and say what to change. So a bound that one of them enforces is only documented by
the model (`documented`), with the rule's own constant. Any other bound is the
model's, and msgspec keeps it.
"""

from typing import Annotated, Any, Final

from msgspec import Meta
from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH, EMAIL_MAX_LENGTH, EMAIL_PATTERN

from vivero_web.text import PASSWORD_MAX, PASSWORD_MIN, PERSON_MAX

SECRET_MAX: Final = 1024
"""Characters of what somebody proves themselves with; ours have a few dozen, and passwords 128."""
LARGEST: Final = 2**63 - 1
"""What a column of whole numbers holds."""


def documented(description: str, **bounds: Any) -> Meta:  # noqa: ANN401  of JSON Schema
    """Of what has bounds, named as in JSON Schema, that a rule keeps."""
    return Meta(description=description, extra_json_schema=bounds)


Email = Annotated[str, documented("An e-mail address.", minLength=3, maxLength=EMAIL_MAX_LENGTH, pattern=EMAIL_PATTERN)]
Company = Annotated[
    str, documented("Name of the company, as people read it.", minLength=1, maxLength=DISPLAY_NAME_MAX_LENGTH)
]
PersonName = Annotated[str, documented("Name of the person, as people read it.", maxLength=PERSON_MAX)]
NewPassword = Annotated[
    str,
    documented(
        "A password that is not easy to guess, as it was typed.", minLength=PASSWORD_MIN, maxLength=PASSWORD_MAX
    ),
]
TypedEmail = Annotated[str, Meta(max_length=EMAIL_MAX_LENGTH, description="The account's e-mail address.")]
TypedPassword = Annotated[str, Meta(max_length=SECRET_MAX, description="The account's password.")]
RefreshToken = Annotated[str, Meta(max_length=SECRET_MAX, description="The refresh token, as it was given.")]
AccessToken = Annotated[str, Meta(description="Send it as `Authorization: Bearer …`.")]
