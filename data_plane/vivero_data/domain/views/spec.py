"""What a view shows: whether it fits its collection, and how it is kept, by the numbers of fields; pure.

A view is kept with the number of each field and the name that it had, so that a renamed field is found and one that
is gone can be named. What is gone is left out; but a condition is never left out, because that would show records
that the view hides: such a view is broken until somebody changes it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.filters import (
    WHERE_LENGTH,
    AllOf,
    Condition,
    Not,
    Tree,
    as_json,
    parse_tree,
    renamed,
)
from vivero_data.domain.records.lists import total_column
from vivero_data.domain.records.query import column_of, parse_sort
from vivero_data.domain.records.schemas import Total
from vivero_data.domain.records.where import compiled, searched
from vivero_data.domain.views.schemas import Spec, ViewColumn
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list


class KeptSpec(msgspec.Struct, frozen=True):
    """A view as it is stored: fields are `f<number>`, system columns their names; `names` are those of the fields."""

    columns: tuple[tuple[str, int | None], ...] = ()
    where: dict[str, Any] | None = None
    search: str = ""
    sort: tuple[str, ...] = ()
    group_by: str | None = None
    sums: dict[str, Total] = {}
    names: dict[str, str] = {}

    @property
    def references(self) -> set[str]:
        """Of the fields that it uses."""
        every = [*(one for one, _ in self.columns), *(one.removeprefix("-") for one in self.sort), *self.sums]
        where = set() if self.where is None else set(_fields_of(parse_tree(self.where)))
        return {*every, *where, *([self.group_by] if self.group_by else [])}


class ReadSpec(msgspec.Struct, frozen=True):
    """A view as it was read: what is left of it, and what is gone."""

    spec: Spec
    gone: tuple[str, ...] = ()
    broken: bool = False


def check(collection: Collection, spec: Spec) -> None:
    """Whether every part fits the collection.

    Raises:
        InvalidInputError: naming the part that does not.
    """
    for index, column in enumerate(spec.columns):
        if column_of(collection, column.field) is None:
            raise InvalidInputError.of(f"columns[{index}].field", f"names no field of {collection.name}")
    if len({tidy(column.field) for column in spec.columns}) < len(spec.columns):
        raise InvalidInputError.of("columns", "must be different fields")
    if spec.where is not None:
        if len(encode(spec.where)) > WHERE_LENGTH:
            raise InvalidInputError.of("where", f"must have at most {WHERE_LENGTH:,} characters")
        compiled(collection, parse_tree(spec.where))
    searched(collection, spec.search)
    _check_group(collection, spec.group_by)
    parse_sort(collection, order_of(spec))
    for name, total in spec.sums.items():
        total_column(collection, name, total)


def _check_group(collection: Collection, name: str | None) -> None:
    if name is None:
        return
    column = column_of(collection, name)
    if column is None:
        raise InvalidInputError.of("group_by", f"names no field of {collection.name}")
    if not column.field.type.kind.sortable:
        raise InvalidInputError.of("group_by", f"cannot be {column.field.name}")


def order_of(spec: Spec) -> str:
    """The `sort` of its list: groups stand together, and inside them its own order holds."""
    if spec.group_by is None:
        return join_list(spec.sort)
    group = tidy(spec.group_by)
    first = next((one for one in spec.sort if tidy(one.removeprefix("-")) == group), group)
    return join_list([first, *(one for one in spec.sort if one != first)])


def kept(collection: Collection, spec: Spec) -> KeptSpec:
    """A view that was checked, as it is stored."""
    numbers = {name: reference for reference, name in names_of(collection).items()}
    used: dict[str, str] = {}

    def reference(name: str) -> str:
        number = numbers.get(tidy(name))
        if number is None:
            return tidy(name)  # a column of the system
        used[number] = tidy(name)
        return number

    return KeptSpec(
        columns=tuple((reference(column.field), column.width) for column in spec.columns),
        where=as_json(renamed(parse_tree(spec.where), reference)) if spec.where is not None else None,
        search=spec.search,
        sort=tuple(_signed(text, reference) for text in spec.sort),
        group_by=None if spec.group_by is None else reference(spec.group_by),
        sums={reference(name): total for name, total in spec.sums.items()},
        names=used,
    )


def names_of(collection: Collection) -> dict[str, str]:
    """Today's names of the fields, by what stands for them in a stored view."""
    return {f"f{field.id}": field.name for field in collection.fields}


def read(collection: Collection, stored: KeptSpec) -> ReadSpec:
    """A stored view, with today's names of its fields."""
    names = names_of(collection)
    gone: dict[str, str] = {reference: name for reference, name in stored.names.items() if reference not in names}

    def name(reference: str) -> str:
        return names.get(reference) or gone.get(reference, reference)

    def left(reference: str) -> bool:
        return reference.removeprefix("-") not in gone

    where = None if stored.where is None else parse_tree(stored.where)
    spec = Spec(
        columns=tuple(ViewColumn(name(reference), width) for reference, width in stored.columns if left(reference)),
        where=None if where is None else as_json(renamed(where, name)),
        search=stored.search,
        sort=tuple(_signed(reference, name) for reference in stored.sort if left(reference)),
        group_by=name(stored.group_by) if stored.group_by is not None and left(stored.group_by) else None,
        sums={name(reference): total for reference, total in stored.sums.items() if left(reference)},
    )
    return ReadSpec(spec, tuple(gone.values()), broken=where is not None and bool(gone.keys() & set(_fields_of(where))))


def _signed(text: str, of: Callable[[str], str]) -> str:
    bare = text.removeprefix("-")
    return f"{'-' if text != bare else ''}{of(bare)}"


def _fields_of(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Condition):
        yield tree.field
        return
    inside = (tree.part,) if isinstance(tree, Not) else tree.all if isinstance(tree, AllOf) else tree.any
    for part in inside:
        yield from _fields_of(part)
