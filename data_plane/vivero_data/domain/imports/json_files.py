"""JSON: an array of objects, or an object a line; read in pieces, never as a whole."""

import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from vivero_data.domain.imports.schemas import MAX_COLUMNS
from vivero_data.domain.imports.text_files import Open, problem
from vivero_data.lib.json import encode, exact
from vivero_data.lib.lists import join_list
from vivero_data.lib.numbers import written

_PIECE: Final = 256 * 1024  # characters
_OBJECT: Final = 1024 * 1024  # characters of one


def json_rows(open_file: Open) -> Iterator[list[str]]:
    """A row of names, which every object's fields are, and then each object's values.

    Raises:
        InvalidInputError: it is no JSON of objects.
    """
    names: dict[str, int] = {}
    for found in _objects(open_file):
        for name in found:
            names.setdefault(name, len(names))
        if len(names) > MAX_COLUMNS:
            raise problem(f"has objects with more than {MAX_COLUMNS} fields together")
    if names:
        yield list(names)
    for found in _objects(open_file):
        row = [""] * len(names)
        for name, value in found.items():
            row[names[name]] = _text(value)
        yield row


def _objects(open_file: Open) -> Iterator[dict[str, Any]]:
    pieces, text, place = _pieces(open_file), "", 0
    opened = 0
    while True:
        between = _BETWEEN.match(text, place)
        if between is not None:
            opened += between[0].count("[") - between[0].count("]")
            place = between.end()
        if place < len(text):
            try:
                found, place = _DECODER.raw_decode(text, place)
            except (json.JSONDecodeError, RecursionError) as error:
                if len(text) - place > _OBJECT:
                    raise problem(f"is no JSON: {_WANTED}, each of at most {_OBJECT:,} characters") from error
            else:
                if not isinstance(found, dict):
                    raise problem(f"is no table: it {_WANTED}")
                yield found
                continue
        more = next(pieces, "")
        if not more:
            break
        text, place = text[place:] + more, 0
    if place < len(text) or opened:
        raise problem(f"ends in the middle, or is no JSON: it {_WANTED}")


_BETWEEN: Final = re.compile(r"[\s,\[\]]*")
_WANTED: Final = "must be an array of objects, or an object a line"
_DECODER: Final = json.JSONDecoder(parse_float=exact, parse_constant=str)


def _pieces(open_file: Open) -> Iterator[str]:
    with open_file() as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        try:
            while piece := text.read(_PIECE):
                yield piece
        except UnicodeDecodeError as error:
            raise problem("is no UTF-8, as JSON has to be") from error


def _text(value: Any) -> str:  # noqa: ANN401  any JSON
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return written(value) if Decimal(value).is_finite() else str(value)
    if isinstance(value, list):
        return join_list(_text(item) for item in value)
    return value if isinstance(value, str) else encode(value)
