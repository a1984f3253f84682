"""A table's state is in its URL: sort, filters and position; pure functions from one URL to the next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec
from litestar.datastructures import Cookie

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records.filters import Filter, parse_filter
from vivero_data.domain.views.schemas import ViewKind

VIEW_ICONS: Final = {ViewKind.GRID: "table-2", ViewKind.BOARD: "columns-3", ViewKind.CALENDAR: "calendar"}
_YEAR: Final = 365 * 86_400  # seconds


def _name(collection: Collection) -> str:
    return f"__Host-columns-{collection.id}"


def chosen_columns(collection: Collection, cookies: Mapping[str, str]) -> list[Field]:
    """The fields to show, in the order that they were put in; always first the one that links to the record."""
    lead, *others = collection.fields
    wanted = cookies.get(_name(collection), "")
    if not wanted:
        return [lead, *others]
    by_number = {str(field.id): field for field in others}
    return [lead, *(by_number[number] for number in dict.fromkeys(wanted.split(".")) if number in by_number)]


def columns_cookie(collection: Collection, field_ids: Sequence[int]) -> Cookie:
    """Remembers the choice; the leading field is in it, so that "only that one" differs from "none chosen"."""
    value = ".".join(str(number) for number in [collection.fields[0].id, *field_ids])
    return Cookie(_name(collection), value=value, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax")


MAX_FILTERS: Final = 8  # more are ignored

Direction = Literal["ascending", "descending", "none"]


class Address(msgspec.Struct, frozen=True):
    """A path with its query parameters in order."""

    path: str
    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of a parameter; empty when absent."""
        return next((value for key, value in self.items if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key == name]

    def put(self, name: str, value: str) -> "Address":
        """A copy with one parameter set; an empty value removes it."""
        rest = self.drop(name)
        return msgspec.structs.replace(rest, items=(*rest.items, (name, value))) if value else rest

    def add(self, name: str, value: str) -> "Address":
        return msgspec.structs.replace(self, items=(*self.items, (name, value)))

    def drop(self, *names: str) -> "Address":
        return msgspec.structs.replace(self, items=tuple(pair for pair in self.items if pair[0] not in names))

    def drop_pair(self, name: str, value: str) -> "Address":
        return msgspec.structs.replace(self, items=tuple(pair for pair in self.items if pair != (name, value)))

    def keep(self, *names: str) -> "Address":
        """A copy with only the given parameters, without empty ones, so that unknown ones are not propagated."""
        return msgspec.structs.replace(
            self, items=tuple((key, value) for key, value in self.items if key in names and value)
        )

    @property
    def query(self) -> str:
        return urlencode(self.items)

    def __str__(self) -> str:
        query = self.query
        return f"{self.path}?{query}" if query else self.path


def address(path: str, pairs: Iterable[tuple[str, str]], *known: str) -> Address:
    """The URL of the page being shown, with the parameters that it supports."""
    return Address(path, tuple(pairs)).keep(*known)


def segment(text: str) -> str:
    """User input as one percent-encoded path segment."""
    return quote(text, safe="")


def collection_href(name: str) -> str:
    """Where a collection's records are."""
    return f"/collections/{segment(name)}"


def view_href(collection: str, view_id: int) -> str:
    """What a saved view shows."""
    return f"{collection_href(collection)}?view={view_id}"


def sorted_by(sort: str, field: str) -> Direction:
    """Which way a column is sorted, in ARIA's words."""
    if sort == field:
        return "ascending"
    return "descending" if sort == f"-{field}" else "none"


def next_sort(sort: str, field: str) -> str:
    """The next sort order after a click on a column's header: ascending, descending, default."""
    return {"none": field, "ascending": f"-{field}", "descending": ""}[sorted_by(sort, field)]


def parse_filters(texts: Iterable[str]) -> list[Filter]:
    """The valid conditions without duplicates, at most MAX_FILTERS."""
    found = (parse_filter(text) for text in texts)
    return list(dict.fromkeys(item for item in found if item))[:MAX_FILTERS]


MAX_TRAIL: Final = 1500  # characters of previous cursors in the URL, so that it stays within the limits of proxies
_FIRST: Final = "-"  # represents the first page, which has no cursor


class PageLinks(msgspec.Struct, frozen=True):
    """The URLs of the pager's two buttons; empty if there is no such page."""

    previous: str
    next: str


def page_links(here: Address, next_cursor: str | None) -> PageLinks:
    """Keyset pagination only goes forward, so the URL carries the cursors of the previous pages."""
    cursor, trail = here.get("cursor"), here.all("back")
    base = here.drop("cursor", "back")
    previous = _at(base, trail[:-1], trail[-1] if trail else _FIRST) if cursor else ""
    following = _at(base, _newest_that_fit([*trail, cursor or _FIRST]), next_cursor) if next_cursor else ""
    return PageLinks(previous, following)


def _newest_that_fit(trail: list[str]) -> list[str]:
    """The newest previous cursors that fit; going back further leads to the first page."""
    start = len(trail) - 1
    while start > 0 and sum(len(item) for item in trail[start - 1 :]) <= MAX_TRAIL:
        start -= 1
    return trail[start:]


def _at(base: Address, trail: Iterable[str], cursor: str) -> str:
    placed = base
    for item in trail:
        placed = placed.add("back", item)
    return str(placed if cursor == _FIRST else placed.add("cursor", cursor))


def record_href(shown: Address, number: int) -> str:
    """The page of a record that is opened from a list, which it keeps."""
    return str(Address(f"{shown.path}/records/{number}", (("shown", shown.query),) if shown.query else ()))
