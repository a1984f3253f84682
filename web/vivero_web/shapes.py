"""Whether what a program sent has the shape that its route reads, and which fields have not; pure."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, TypeVar, get_args

import msgspec

from vivero_web.errors import FieldError, InvalidInputError

T = TypeVar("T")

_NAME_SHOWN: Final = 64  # characters of a name that somebody made up
_TOLD: Final = 50  # fields at fault; who has more of them learns of the rest next time
_REQUIRED: Final = "This field is required."
# msgspec names a missing field and a path inside the body in these forms.
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_PATH: Final = re.compile(r"( - at )?`\$\.?([^`]*)`$")


def check_document(document: Any, kind: Any) -> None:  # noqa: ANN401  any JSON, and a type
    """Refuse a JSON document that is not of a type: a text is no number here, and 0 is not false.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        every = list(islice(_every(document, kind), _TOLD))
        raise InvalidInputError.of_all(every or [field_error("", str(error))]) from error


def said(field: str, text: str, kind: type[T], wanted: str) -> T | None:
    """What a text in an address says; None without one. The framework would take `null` for nothing, and 0 for 1970.

    Raises:
        InvalidInputError: it says something else; `wanted` ends the sentence "must be …".
    """
    try:
        return msgspec.convert(text, kind) if text else None
    except msgspec.ValidationError as error:
        raise InvalidInputError.of(field, f"must be {wanted}") from error


def field_error(key: str, message: str) -> FieldError:
    """The parser's words: name the field, not the place in our code; say what to change."""
    if missing := _MISSING.search(message):
        return FieldError(missing[1], _REQUIRED)
    if path := _PATH.search(message):
        key = path[2] or key
        message = message[: path.start()]
    if key in {"", "data"}:
        return FieldError("body", "Send a JSON object.")
    return FieldError(key.removeprefix("data."), message)


def _every(document: Any, kind: Any) -> Iterator[FieldError]:  # noqa: ANN401  as above
    """The fields that are wrong each by itself: the parser stops at the first."""
    structs = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    if not structs or not isinstance(document, dict):
        return
    fields = msgspec.structs.fields(structs[0])
    if structs[0].__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        yield from (FieldError(name[:_NAME_SHOWN], "There is no such field.") for name in document if name not in known)
    for field in fields:
        name = field.encode_name
        if name not in document:
            if field.required:
                yield FieldError(name, _REQUIRED)
            continue
        try:
            msgspec.convert(document[name], field.type)
        except msgspec.ValidationError as error:
            message, _, inside = str(error).partition(" - at `$")
            yield FieldError(f"{name}{inside.removesuffix('`')}", message)
