"""What a form says of an import, beside its file; pure."""

from collections.abc import Mapping
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.domain.collections.names import MAX_NAME, name_problem, path_problem
from vivero_data.domain.imports.plan import parse_mapping
from vivero_data.domain.imports.schemas import ImportOrder, Mode

_KNOWN: Final = frozenset({"name", "mode", "key", "dry_run", "mapping", "preview"})
_YES: Final[Mapping[str, bool]] = {"": False, "false": False, "0": False, "true": True, "1": True}


def parse_order(texts: Mapping[str, str]) -> ImportOrder:
    """What to do with the file.

    Raises:
        InvalidInputError: naming every part that cannot be accepted.
    """
    errors = [FieldError(name[:64], "is not part of this form") for name in texts if name not in _KNOWN]
    mode = texts.get("mode", "").strip() or Mode.INSERT
    if mode not in set(Mode):
        errors.append(FieldError("mode", "must be insert or upsert"))
    flags = {name: _YES.get(texts.get(name, "").strip().casefold()) for name in ("dry_run", "preview")}
    errors += [FieldError(name, "must be true or false") for name, flag in flags.items() if flag is None]
    key = texts.get("key", "").strip() or None
    try:
        mapping = parse_mapping(texts.get("mapping", ""))
    except InvalidInputError as error:
        errors += error.errors
        mapping = {}
    if errors:
        raise InvalidInputError.of_all(errors)
    order = ImportOrder(Mode(mode), key, bool(flags["dry_run"]), mapping=mapping)
    check_order(order)
    return order


def check_order(order: ImportOrder) -> None:
    """Refuse what contradicts itself.

    Raises:
        InvalidInputError: a mode without its key, or a key without its mode.
    """
    if order.mode is Mode.UPSERT and not order.key:
        raise InvalidInputError.of("key", "is needed for upsert: name the field that tells which record a row is")
    if order.mode is Mode.INSERT and order.key:
        raise InvalidInputError.of("key", "is only for upsert")


def wants_preview(texts: Mapping[str, str]) -> bool:
    return bool(_YES.get(texts.get("preview", "").strip().casefold()))


def new_name(texts: Mapping[str, str], file: str) -> str:
    """The name of the collection to make: as said, or the file's without its ending.

    Raises:
        InvalidInputError: it is no name.
    """
    name = texts.get("name", "").strip() or file.rsplit(".", 1)[0].strip().lstrip("-")[:MAX_NAME]
    problem = name_problem(name) or path_problem(name)
    if problem:
        raise InvalidInputError.of("name", problem)
    return name


def as_json(order: ImportOrder) -> dict[str, object]:
    """The mapping as it is stored."""
    return {column: msgspec.to_builtins(said) for column, said in order.mapping.items()}
