"""The inputs of a record's form: what they show, which of them were changed, and what was typed; pure.

Browsers normalize input values: line breaks, fractions of a second. So a form
carries a hash of what each input showed, and an input that still matches it was
not changed and is not stored.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from vivero_data.domain.collections.schemas import Field, default_of
from vivero_data.lib.lists import join_list
from vivero_data.lib.notation import UNSET, Notation, in_zone
from vivero_data.lib.numbers import written
from vivero_data.web.forms import Form

_SECONDS: Final = len("2026-11-22T15:41:00")


def input_name(field: Field) -> str:
    """The name and id of a field's input: its number, so that user input never becomes markup."""
    return f"f{field.id}"


def hash_name(field: Field) -> str:
    """The name of the hidden input with the hash of what the field's input showed at first."""
    return f"{input_name(field)}-was"


def typed_values(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What was typed, by field name."""
    return {field.name: _text(field, form) for field in fields}


def changed_fields(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields whose input was changed; an input that was not sent was not."""
    return [
        field
        for field in fields
        if _sent(field, form) and input_hash(field, _text(field, form)) != form.get(hash_name(field))
    ]


def filled_fields(fields: Sequence[Field], form: Form) -> list[Field]:
    """The filled fields of a new record; unchanged defaults are left to the service."""
    changed = changed_fields(fields, form)
    return [
        field
        for field in fields
        if field in changed or (field.default is None and is_typed(field)) or uploaded_files(field, form)
    ]


def uploaded_files(field: Field, form: Form) -> dict[str, str]:
    """Names by id of the files that a new record's form uploaded for a field; nothing for fields of other types."""
    prefix = f"{input_name(field)}."
    names = [name for name in form if field.kind.uploaded and name.startswith(prefix)]
    return {name.removeprefix(prefix): form[name] for name in names}


def input_hash(field: Field, text: str) -> str:
    """A short hash of what an input shows, independent of browsers' normalization.

    Not the text itself: long texts sent twice would exceed the body limit.
    """
    return urlsafe_b64encode(
        blake2b(_canonical(field, text).encode(errors="surrogatepass"), digest_size=9).digest()
    ).decode()


def _sent(field: Field, form: Form) -> bool:
    # An unchecked checkbox is not sent; its hash shows that it was in the form.
    if not is_typed(field):
        return False
    return input_name(field) in form or ((is_checkbox(field) or field.kind.several) and hash_name(field) in form)


def is_typed(field: Field) -> bool:
    """Whether people type its values: the workspace writes some itself, and files are uploaded."""
    return not (field.kind.computed or field.kind.uploaded)


def is_checkbox(field: Field) -> bool:
    """Whether the field is a checkbox: a required boolean; an optional one is a menu."""
    return field.kind.two_valued and field.required


def _text(field: Field, form: Form) -> str:
    if field.kind.several and input_name(field) not in form:
        return join_list(value for name, value in form.items() if name.startswith(f"{input_name(field)}."))
    return form.get(input_name(field), "")


def _canonical(field: Field, text: str) -> str:
    return str(text == "true") if is_checkbox(field) else field.kind.canonical(text)


def record_values(fields: Sequence[Field], form: Form, notation: Notation = UNSET) -> dict[str, Any]:
    """The typed values, and the ids of files, for the service, which validates them."""
    return {
        field.name: list(uploaded_files(field, form))
        if field.kind.uploaded
        else field.kind.typed(_text(field, form), notation, required=field.required)
        for field in fields
    }


def shown_values(fields: Sequence[Field], values: Mapping[str, Any], notation: Notation = UNSET) -> dict[str, str]:
    """A record's values as its form shows them."""
    return {field.name: shown(values.get(field.name), notation) for field in fields}


def shown_defaults(fields: Sequence[Field], notation: Notation = UNSET) -> dict[str, str]:
    """The values of a new record as its form shows them."""
    return shown_values(fields, {field.name: default_of(field) for field in fields}, notation)


def shown(value: object, notation: Notation = UNSET) -> str:
    """One value in the format of its input; times with milliseconds, the most that browsers support."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return join_list(map(str, value))
    if isinstance(value, datetime):
        moment = in_zone(value, notation.zone)
        text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "auto")
        return text.removesuffix(":00") if len(text) == _SECONDS else text
    if isinstance(value, date):
        return value.isoformat()
    return written(value, notation.numbers) if isinstance(value, int | Decimal) else str(value)
