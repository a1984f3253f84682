"""Which fields a collection's table shows: chosen by the user, remembered in a cookie, all until then."""

from collections.abc import Mapping, Sequence
from typing import Final

from litestar.datastructures import Cookie

from vivero_data.domain.collections.schemas import Collection, Field

_YEAR: Final = 365 * 86_400  # seconds


def _name(collection: Collection) -> str:
    return f"__Host-columns-{collection.id}"


def chosen_columns(collection: Collection, cookies: Mapping[str, str]) -> list[Field]:
    """The fields to show; the first one always, because it links to the record."""
    wanted = set(cookies.get(_name(collection), "").split(".")) - {""}
    lead, *others = collection.fields
    return [lead, *(field for field in others if not wanted or str(field.id) in wanted)]


def columns_cookie(collection: Collection, field_ids: Sequence[int]) -> Cookie:
    """Remembers the choice; the leading field is in it, so that "only that one" differs from "none chosen"."""
    value = ".".join(str(number) for number in [collection.fields[0].id, *field_ids])
    return Cookie(_name(collection), value=value, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax")
