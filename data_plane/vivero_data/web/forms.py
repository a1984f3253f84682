"""From what a browser posts to typed values, and back to what a form shows; nothing typed is lost."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from litestar import Request
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotAllowedError, TooLargeError, WebError

from vivero_data.domain.collections.schemas import Field, FieldType
from vivero_data.errors import PlanLimitError

_SECONDS: Final = len("2026-11-22T15:41:00")
_LOCAL: Final = re.compile(r"^[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?$")

# What a form shows beside its fields, with what was typed; all else is an error page.
FORM_ERRORS: Final = (InvalidInputError, ConflictError, PlanLimitError, NotAllowedError, TooLargeError)

Form = Mapping[str, str]


async def read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The texts of a posted form, the first of each name; files and repeats are left out."""
    posted = await request.form()
    texts: dict[str, str] = {}
    for key, value in posted.multi_items():
        if isinstance(value, str):
            texts.setdefault(key, value)
    return texts


def input_name(field: Field) -> str:
    """The name and id of a field's input: its number, so that no user's word becomes markup."""
    return f"f{field.id}"


def typed_values(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What was typed, by field name."""
    return {field.name: form.get(input_name(field), "") for field in fields}


def record_values(fields: Sequence[Field], typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as values for the service, which says what is wrong with those that have not the right form."""
    return {field.name: _value(field, typed.get(field.name, "")) for field in fields}


def _value(field: Field, text: str) -> Any:  # noqa: ANN401  a field's value may be of any of its types
    if field.type is FieldType.BOOLEAN:
        # A required one is a checkbox, which is absent when it is off.
        return text == "true" if field.required or text else None
    if not text.strip():
        return None
    if field.type is FieldType.LONG_TEXT:
        return text.replace("\r\n", "\n")  # forms send every line end so
    text = text.strip()
    if field.type is FieldType.DATETIME and _LOCAL.match(text):
        return f"{text}Z"  # datetime-local has no zone; the label says UTC
    return text


def shown_values(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, str]:
    """A record's values, or the defaults of a new one, as its form shows them."""
    return {field.name: shown(values.get(field.name)) for field in fields}


def shown(value: object) -> str:
    """One value in the spelling that its input takes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        text = (value if value.tzinfo is None else value.astimezone(UTC)).replace(tzinfo=None).isoformat()
        return text.removesuffix(":00") if len(text) == _SECONDS else text
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


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
