"""What a table of records shows, from its address: through a saved view, or as it was changed since; pure.

The address of a saved view is `?view=7`. What is changed on the page goes into the address as a whole, `?view=7&edited=1&…`,
so that the view itself stays as it is until somebody saves it, and a link shows the same to everybody who sees the view.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy, whole_number

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records.filters import AllOf, Condition, Not, Tree, as_json, parse_tree, parse_where
from vivero_data.domain.records.query import column_of
from vivero_data.domain.records.schemas import Narrowing, RecordQuery, Total
from vivero_data.domain.views.schemas import MAX_FOLDED, RowHeight, Spec, View, ViewColumn, ViewKind
from vivero_data.domain.views.spec import order_of
from vivero_data.lib.json import decode, encode
from vivero_data.lib.lists import join_list, split_list
from vivero_data.web.listing import Address, address, chosen_columns, collection_href, parse_filters, record_href

KNOWN: Final = (
    *("view", "edited", "kind", "sort", "filter", "where", "search", "columns", "group", "folded", "sums"),
    *("start", "end", "height", "day", "span", "cursor", "back", "slow"),
)
Word = TypeVar("Word", bound=StrEnum)
ALL: Final = "all"
"""Of `view`: no view, even where the collection has one that it shows first."""


class ListState(msgspec.Struct, frozen=True):
    """What is shown.

    Attributes:
        here: the address as it is, for pages of the same list.
        where: the conditions, those of `filter` with them.
        base: the address that says all of it, for links that change a part.
    """

    collection: Collection
    here: Address
    base: Address
    view: View | None
    spec: Spec
    where: Tree | None
    columns: list[Field]

    @property
    def edited(self) -> bool:
        return self.view is not None and bool(self.here.get("edited"))

    @property
    def narrowed(self) -> bool:
        return self.where is not None or bool(self.spec.search.strip())

    @property
    def plain(self) -> bool:
        """Whether nothing is there to save."""
        return self.view is None and not self.narrowed and self.spec == Spec()

    @property
    def sort(self) -> str:
        return order_of(self.spec)

    @property
    def query(self) -> RecordQuery:
        """What the page asks for."""
        return RecordQuery(
            cursor=self.here.get("cursor") or None,
            sort=self.sort,
            where="" if self.where is None else encode(self.where),
            search=self.spec.search,
            allow_slow=bool(self.here.get("slow")),
        )

    @property
    def new_record(self) -> Address:
        """Where a record is made, whose form leads back to this list."""
        return Address(f"{self.base.path}/new").put("shown", self.base.query)

    @property
    def unfolded(self) -> RecordQuery:
        """What a table asks for: without the records of folded groups."""
        group, folded = self.spec.group_by, self.spec.folded
        if group is None or not folded:
            return self.query
        values = [value for value in folded if value is not None]
        hidden = [Not(Condition(group, "in", values))] if values else []
        shown = [Condition(group, "filled")] if None in folded else []
        return msgspec.structs.replace(self.query, narrowing=Narrowing(AllOf((*hidden, *shown)), ""))

    def with_folded(self, values: Sequence[Any]) -> Address:
        """The address with these groups folded, and no others."""
        return self.base.put("folded", encode(values) if values else "")

    @property
    def widths(self) -> dict[str, int]:
        """Of columns, by hand: those of the view, whatever else was changed since."""
        saved = self.view.columns if self.view else ()
        return {tidy(one.field): one.width for one in (*saved, *self.spec.columns) if one.width}

    def where_also(self, condition: Tree) -> Tree:
        """The conditions of the list, and one more."""
        return condition if self.where is None else AllOf((self.where, condition))

    def with_where(self, where: Tree | None) -> Address:
        return self.base.drop("filter").put("where", "" if where is None else encode(where))


def read_state(
    collection: Collection, pairs: Sequence[tuple[str, str]], view: View | None, cookies: Mapping[str, str]
) -> ListState:
    """The state of an address; what cannot be read in it is refused.

    Raises:
        InvalidInputError: `where` is no tree.
    """
    here = address(collection_href(collection.name), pairs, *KNOWN)
    spec = view.spec if view and not here.get("edited") else _said(here)
    where = _where(spec, here)
    base = _base(here, spec, view)
    return ListState(collection, here, base, view, spec, where, _columns(collection, spec, view, cookies))


def shown_in(collection: Collection, text: str) -> Address:
    """The address of the table that a form was sent from; it comes as one value, so that browsers leave it as it is."""
    return address(collection_href(collection.name), parse_qsl(text), *KNOWN)


def back_to_record(collection: Collection, record_id: int, shown: str, part: str) -> str:
    """The address of a part of the record's page, which one came to from the table that was `shown`."""
    return f"{record_href(shown_in(collection, shown), record_id)}#{part}"


def as_spec(state: ListState) -> Spec:
    """What is shown, as a view is saved."""
    named = [tidy(one.field) for one in state.spec.columns] or [field.name for field in state.columns]
    columns = tuple(ViewColumn(name, state.widths.get(name)) for name in named)
    where = None if state.where is None else as_json(state.where)
    every = len(columns) == len(state.collection.fields) and not any(column.width for column in columns)
    as_defined = every and named == [field.name for field in state.collection.fields]
    return msgspec.structs.replace(state.spec, columns=() if as_defined else columns, where=where)


def fields_of(collection: Collection, columns: Sequence[ViewColumn]) -> list[Field]:
    """The fields of a view's columns."""
    found = (column_of(collection, column.field) for column in columns)
    return [column.field for column in found if column]


def _said(here: Address) -> Spec:
    """What the address itself says."""
    where = here.get("where")
    return Spec(
        kind=_one_of(ViewKind, "kind", here.get("kind") or ViewKind.GRID),
        columns=tuple(_column(text) for text in split_list(here.get("columns"))) if here.get("columns") else (),
        where=as_json(parse_where(where)) if where else None,
        search=here.get("search"),
        sort=tuple(split_list(here.get("sort"))) if here.get("sort") else (),
        group_by=here.get("group") or None,
        folded=_folded(here.get("folded")) if here.get("folded") and here.get("group") else (),
        sums=dict(_sum(text) for text in split_list(here.get("sums"))) if here.get("sums") else {},
        start=here.get("start") or None,
        end=here.get("end") or None,
        height=_one_of(RowHeight, "height", here.get("height") or RowHeight.NORMAL),
    )


def _one_of(words: type[Word], place: str, text: str) -> Word:
    """The word that a part of the address is."""
    try:
        return words(text)
    except ValueError as error:
        raise InvalidInputError.of(place, f"must be {', '.join(words)}") from error


def _folded(text: str) -> tuple[Any, ...]:
    """Values as a list of JSON."""
    try:
        said = decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInputError.of("folded", "must be JSON") from error
    if not isinstance(said, list) or len(said) > MAX_FOLDED:
        raise InvalidInputError.of("folded", f"must be a list of at most {MAX_FOLDED} values")
    return tuple(said)


def _column(text: str) -> ViewColumn:
    """`Name` or `Name:120`, a width behind it."""
    name, mark, width = text.rpartition(":")
    number = whole_number(width) if mark else None
    return ViewColumn(text) if number is None else ViewColumn(name, number)


def _sum(text: str) -> tuple[str, Total]:
    name, _, total = text.rpartition(":")
    return name, _one_of(Total, "sums", total)


def _where(spec: Spec, here: Address) -> Tree | None:
    """The conditions of the tree and of `filter`, as one tree."""
    parts: list[Tree] = [one.condition for one in parse_filters(here.all("filter"))]
    if spec.where is not None:
        tree = parse_tree(spec.where)
        parts += tree.all if isinstance(tree, AllOf) else [tree]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Condition) else AllOf(tuple(parts))


def _base(here: Address, spec: Spec, view: View | None) -> Address:
    """The address with all that is shown in it, of the first page."""
    if view is None or here.get("edited"):
        return here.drop("cursor", "back", "slow")
    said = {
        "view": str(view.id),
        "edited": "1",
        "where": encode(spec.where) if spec.where is not None else "",
        "search": spec.search,
        "sort": join_list(spec.sort),
        "columns": join_list(one.field for one in spec.columns),
        "group": spec.group_by or "",
        "folded": encode(spec.folded) if spec.folded else "",
        "sums": sums_text(spec),
        "kind": "" if spec.kind is ViewKind.GRID else spec.kind.value,
        "start": spec.start or "",
        "end": spec.end or "",
        "height": "" if spec.height is RowHeight.NORMAL else spec.height.value,
    }
    return Address(here.path, tuple((name, text) for name, text in said.items() if text))


def sums_text(spec: Spec) -> str:
    return join_list(f"{name}:{total.value}" for name, total in spec.sums.items())


def _columns(collection: Collection, spec: Spec, view: View | None, cookies: Mapping[str, str]) -> list[Field]:
    """A view's own columns, else those that were chosen in this browser."""
    if spec.columns:
        return fields_of(collection, spec.columns) or list(collection.fields)
    return list(collection.fields) if view else chosen_columns(collection, cookies)


def labelled(collection: Collection) -> list[tuple[str, Field]]:
    """Every field that can be asked for, with its label: those of the collection, and when a record was made and changed."""
    times = (("Created", column_of(collection, "created_at")), ("Last changed", column_of(collection, "updated_at")))
    return [*((field.name, field) for field in collection.fields), *((label, one.field) for label, one in times if one)]


def label_of(collection: Collection, name: str) -> str:
    wanted = tidy(name)
    return next((label for label, field in labelled(collection) if field.name == wanted), name)
