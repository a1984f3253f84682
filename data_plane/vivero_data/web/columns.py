"""Which fields a collection's table shows: chosen by the user, remembered in a cookie, the first few until then."""

from collections.abc import Mapping, Sequence
from typing import Final

from litestar.datastructures import Cookie

from vivero_data.domain.collections.schemas import Collection, Field, FieldType

FIRST_COLUMNS: Final = 5  # what 1,440 px hold beside the sidebar with words in each
MAX_COLUMNS: Final = 8
_YEAR: Final = 365 * 86_400  # seconds


def _name(collection: Collection) -> str:
    return f"__Host-columns-{collection.id}"


def chosen_columns(collection: Collection, cookies: Mapping[str, str]) -> list[Field]:
    """The fields to show; the first one always, because it links to the record."""
    wanted = {part for part in cookies.get(_name(collection), "").split(".") if part}
    lead, *others = collection.fields
    chosen = [field for field in others if str(field.id) in wanted]
    if not chosen and not wanted:
        chosen = [field for field in others if field.type is not FieldType.LONG_TEXT][: FIRST_COLUMNS - 1]
    return [lead, *chosen][:MAX_COLUMNS]


def columns_cookie(collection: Collection, field_ids: Sequence[int]) -> Cookie:
    """Remembers the choice; the leading field is in it, so that "only that one" differs from "none chosen"."""
    value = ".".join(str(number) for number in [collection.fields[0].id, *field_ids])
    return Cookie(_name(collection), value=value, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax")
