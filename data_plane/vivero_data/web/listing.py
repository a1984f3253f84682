"""A table's state is its URL: sort, filters and place; pure functions from one address to the next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec
from litestar.datastructures import Cookie

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records.filters import Filter, parse_filter

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


MAX_FILTERS: Final = 8  # a query with more is a mistake or an attack

Direction = Literal["ascending", "descending", "none"]


class Address(msgspec.Struct, frozen=True):
    """A path with its query, each pair in the order it came."""

    path: str
    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of a parameter; empty when absent."""
        return next((value for key, value in self.items if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key == name]

    def put(self, name: str, value: str) -> "Address":
        """The same address with one parameter set; an empty value removes it."""
        rest = self.drop(name)
        return msgspec.structs.replace(rest, items=(*rest.items, (name, value))) if value else rest

    def add(self, name: str, value: str) -> "Address":
        return msgspec.structs.replace(self, items=(*self.items, (name, value)))

    def drop(self, *names: str) -> "Address":
        return msgspec.structs.replace(self, items=tuple(pair for pair in self.items if pair[0] not in names))

    def drop_pair(self, name: str, value: str) -> "Address":
        return msgspec.structs.replace(self, items=tuple(pair for pair in self.items if pair != (name, value)))

    def keep(self, *names: str) -> "Address":
        """Only the parameters a page knows, without empty ones, so that a stray one does not travel."""
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
    """The address of the page being shown, with the parameters it knows."""
    return Address(path, tuple(pairs)).keep(*known)


def segment(text: str) -> str:
    """A user's word as one path segment: nothing in it can end the segment."""
    return quote(text, safe="")


def collection_href(name: str) -> str:
    """Where a collection's records are."""
    return f"/collections/{segment(name)}"


def sorted_by(sort: str, field: str) -> Direction:
    """Which way a column is sorted, in ARIA's words."""
    if sort == field:
        return "ascending"
    return "descending" if sort == f"-{field}" else "none"


def next_sort(sort: str, field: str) -> str:
    """What a click on a column's head asks for: up, then down, then the natural order."""
    return {"none": field, "ascending": f"-{field}", "descending": ""}[sorted_by(sort, field)]


def parse_filters(texts: Iterable[str]) -> list[Filter]:
    """The conditions that can be read, each once, at most MAX_FILTERS."""
    found = (parse_filter(text) for text in texts)
    return list(dict.fromkeys(item for item in found if item))[:MAX_FILTERS]


MAX_TRAIL: Final = 1500  # characters of remembered cursors; with more an address grows beyond what proxies take
_FIRST: Final = "-"  # stands for the first page, which has no cursor


class PageLinks(msgspec.Struct, frozen=True):
    """Where the pager's two buttons lead; empty when there is nothing."""

    previous: str
    next: str


def page_links(here: Address, next_cursor: str | None) -> PageLinks:
    """A keyset only goes forward, so the address remembers the cursors of the pages before it."""
    cursor, trail = here.get("cursor"), here.all("back")
    base = here.drop("cursor", "back")
    previous = _at(base, trail[:-1], trail[-1] if trail else _FIRST) if cursor else ""
    following = _at(base, _newest_that_fit([*trail, cursor or _FIRST]), next_cursor) if next_cursor else ""
    return PageLinks(previous, following)


def _newest_that_fit(trail: list[str]) -> list[str]:
    """The end of a trail that fits; who goes back further than that gets to the first page."""
    start = len(trail) - 1
    while start > 0 and sum(len(item) for item in trail[start - 1 :]) <= MAX_TRAIL:
        start -= 1
    return trail[start:]


def _at(base: Address, trail: Iterable[str], cursor: str) -> str:
    placed = base
    for item in trail:
        placed = placed.add("back", item)
    return str(placed if cursor == _FIRST else placed.add("cursor", cursor))
