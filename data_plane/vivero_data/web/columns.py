"""The columns that a form chooses, and their order; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.web.list_state import labelled

_STEPS: Final = {"earlier": -1, "later": 1}


def key_of(field: Field) -> str:
    """What names a column in a form; when a record was made and changed are no fields with a number."""
    return str(field.id or field.name)


def listed(collection: Collection, shown: Sequence[Field]) -> list[Field]:
    """What the form lists: the columns shown, in their order, then the others."""
    names = {field.name for field in shown}
    return [*shown, *(field for field in collection.fields if field.name not in names)]


def chosen(collection: Collection, form: Mapping[str, str]) -> list[Field]:
    """The columns in the order of the form, or as `order` or `move` of it say; the first field leads."""
    lead, *others = (field for _, field in labelled(collection))
    known = {key_of(field): field for field in others}
    keys = [name.removeprefix("column-") for name in form if name.startswith("column-")]
    ordered = [key for key in dict.fromkeys(form.get("order", "").split(".")) if key in keys]
    keys = [key for key in (*ordered, *(key for key in keys if key not in ordered)) if key in known]
    return [lead, *(known[key] for key in _moved(keys, form.get("move", "")))]


def _moved(keys: Sequence[str], move: str) -> list[str]:
    """With one a place earlier or later; as they are where there is no such place."""
    key, _, step = move.rpartition(":")
    if key not in keys or step not in _STEPS:
        return list(keys)
    place = keys.index(key)
    rest = [one for one in keys if one != key]
    return [*rest[: max(0, place + _STEPS[step])], key, *rest[max(0, place + _STEPS[step]) :]]
