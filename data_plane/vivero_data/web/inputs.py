"""The inputs of a record's form: what they show, which of them a person changed, and what was typed; pure.

Browsers rewrite what inputs hold: line ends, fractions of a second. So a form
carries a mark of what each input showed, and one that still matches it was
left alone: nothing of it is stored.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from vivero_data.domain.collections.schemas import Field, FieldType
from vivero_data.domain.records.numbers import UnsureNumberError, typed_number, written
from vivero_data.domain.records.values import Unreadable, default_of
from vivero_data.web.forms import Form

_SECONDS: Final = len("2026-11-22T15:41:00")
_LOCAL: Final = re.compile(r"^[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?$")


def input_name(field: Field) -> str:
    """The name and id of a field's input: its number, so that no user's word becomes markup."""
    return f"f{field.id}"


def mark_name(field: Field) -> str:
    """The name of the hidden input that tells what the field's own input showed at first."""
    return f"{input_name(field)}-was"


def typed_values(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What was typed, by field name."""
    return {field.name: _text(field, form) for field in fields}


def touched(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields whose input a person changed; an input that was not sent is none of them."""
    return [
        field
        for field in fields
        if _sent(field, form) and mark(field, _text(field, form)) != form.get(mark_name(field))
    ]


def entered(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields of a new record that have a value of the person's own; a default they left alone is set by the service."""
    changed = touched(fields, form)
    return [field for field in fields if field in changed or field.default is None]


def mark(field: Field, text: str) -> str:
    """A short mark of what an input shows, the same for every spelling that browsers make of it.

    A mark and not the text: long texts twice would not fit the body's bound.
    """
    return urlsafe_b64encode(
        blake2b(_canonical(field, text).encode(errors="surrogatepass"), digest_size=9).digest()
    ).decode()


def _sent(field: Field, form: Form) -> bool:
    # A checkbox that is off is not sent; its mark tells that it was there.
    return input_name(field) in form or (is_checkbox(field) and mark_name(field) in form)


def is_checkbox(field: Field) -> bool:
    """A yes or no that must be one of them; one that may be neither is a menu."""
    return field.type is FieldType.BOOLEAN and field.required


def _text(field: Field, form: Form) -> str:
    return form.get(input_name(field), "")


def _canonical(field: Field, text: str) -> str:
    if field.type is FieldType.LONG_TEXT:
        return lines(text)
    if field.type is FieldType.DATETIME:
        # Browsers drop zeros and seconds as they like.
        return _moment(text) or text
    return str(text == "true") if is_checkbox(field) else text


def _moment(text: str) -> str | None:
    try:
        return datetime.fromisoformat(text).isoformat() if _LOCAL.match(text) else None
    except ValueError:
        return None


def lines(text: str) -> str:
    """A text with one sign for each line end, where forms send two."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def record_values(fields: Sequence[Field], form: Form) -> dict[str, Any]:
    """What was typed as values for the service, which says what is wrong with those that have not the right form."""
    return {field.name: typed_value(field, _text(field, form)) for field in fields}


def typed_value(field: Field, text: str) -> Any:  # noqa: ANN401  a field's value may be of any of its types
    """What a person typed as the service takes it; None for nothing."""
    if field.type is FieldType.BOOLEAN:
        # A required one is a checkbox, which is absent when it is off.
        return text == "true" if field.required or text else None
    return _READERS.get(field.type, str.strip)(text) if text.strip() else None


def _number(text: str) -> Decimal | Unreadable:
    try:
        return typed_number(text)
    except UnsureNumberError as error:
        return Unreadable(str(error))


def _moment_in_utc(text: str) -> str:
    text = text.strip()
    return f"{text}Z" if _LOCAL.match(text) else text  # datetime-local has no zone; the label says UTC


_READERS: Final[Mapping[FieldType, Callable[[str], Any]]] = {
    FieldType.TEXT: str,
    FieldType.LONG_TEXT: lines,
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _number,
    FieldType.DATETIME: _moment_in_utc,
}


def shown_values(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, str]:
    """A record's values as its form shows them."""
    return {field.name: shown(values.get(field.name)) for field in fields}


def shown_defaults(fields: Sequence[Field]) -> dict[str, str]:
    """The values of a new record as its form shows them."""
    return shown_values(fields, {field.name: default_of(field) for field in fields})


def shown(value: object) -> str:
    """One value in the spelling that its input takes; of a moment's fraction the three digits that browsers know."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = (value if value.tzinfo is None else value.astimezone(UTC)).replace(tzinfo=None)
        text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "auto")
        return text.removesuffix(":00") if len(text) == _SECONDS else text
    if isinstance(value, date):
        return value.isoformat()
    return written(value) if isinstance(value, int | Decimal) else str(value)
