"""The inputs of a record's form: what they show, which of them a person changed, and what was typed; pure.

Browsers rewrite what inputs hold: line ends, fractions of a second. So a form
carries a mark of what each input showed, and one that still matches it was
left alone: nothing of it is stored.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from vivero_data.domain.collections.schemas import Field, default_of
from vivero_data.domain.field_types.number import written
from vivero_data.web.forms import Form

_SECONDS: Final = len("2026-11-22T15:41:00")


def input_name(field: Field) -> str:
    """The name and id of a field's input: its number, so that no user's word becomes markup."""
    return f"f{field.id}"


def mark_name(field: Field) -> str:
    """The name of the hidden input that tells what the field's own input showed at first."""
    return f"{input_name(field)}-was"


def typed_values(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What was typed, by field name."""
    return {field.name: _text(field, form) for field in fields}


def changed_fields(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields whose input a person changed; an input that was not sent is none of them."""
    return [
        field
        for field in fields
        if _sent(field, form) and mark(field, _text(field, form)) != form.get(mark_name(field))
    ]


def filled_fields(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields of a new record that have a value of the person's own; a default they left alone is set by the service."""
    changed = changed_fields(fields, form)
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
    return field.type.kind.two_valued and field.required


def _text(field: Field, form: Form) -> str:
    return form.get(input_name(field), "")


def _canonical(field: Field, text: str) -> str:
    return str(text == "true") if is_checkbox(field) else field.type.kind.canonical(text)


def record_values(fields: Sequence[Field], form: Form) -> dict[str, Any]:
    """What was typed as values for the service, which says what is wrong with those that have not the right form."""
    return {field.name: field.type.kind.typed(_text(field, form), required=field.required) for field in fields}


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
