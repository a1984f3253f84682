"""What a view shows: whether it fits its collection, and how it is kept, by the numbers of fields; pure.

A view is kept with the number of each field and the name that it had, so that a renamed field is found and one that
is gone can be named. What is gone, or does not fit its field since that has another type, is left out and said; but a
condition is never left out, because that would show records that the view hides: such a view is broken until it is
changed.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import InvalidValueError
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
from vivero_data.domain.views.schemas import RowHeight, Spec, ViewColumn, ViewKind
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list


class KeptSpec(msgspec.Struct, frozen=True):
    """A view as it is stored: fields are `f<number>`, system columns their names; `names` are those of the fields."""

    columns: tuple[tuple[str, int | None], ...] = ()
    where: dict[str, Any] | None = None
    search: str = ""
    sort: tuple[str, ...] = ()
    group_by: str | None = None
    folded: tuple[Any, ...] = ()
    sums: dict[str, Total] = {}
    start: str | None = None
    end: str | None = None
    height: RowHeight = RowHeight.NORMAL
    names: dict[str, str] = {}

    @property
    def references(self) -> set[str]:
        """Of the fields that it uses."""
        every = [*(one for one, _ in self.columns), *(one.removeprefix("-") for one in self.sort), *self.sums]
        where = set() if self.where is None else set(_fields_of(parse_tree(self.where)))
        return {*every, *where, *(one for one in (self.group_by, self.start, self.end) if one)}


class ReadSpec(msgspec.Struct, frozen=True):
    """A view as it was read: what is left of it, what is gone, and what does not fit any more."""

    spec: Spec
    gone: tuple[str, ...] = ()
    broken: bool = False
    problems: tuple[FieldError, ...] = ()


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
    _check_conditions(collection, spec)
    _check_group(collection, spec.group_by)
    _check_folded(collection, spec)
    parse_sort(collection, order_of(spec))
    for name, total in spec.sums.items():
        total_column(collection, name, total)
    _check_dates(collection, spec)


def check_kind(collection: Collection, spec: Spec) -> None:
    """Whether a view whose parts fit has what its kind needs.

    Raises:
        InvalidInputError: naming the part that it lacks.
    """
    if spec.kind is ViewKind.BOARD:
        column = column_of(collection, spec.group_by) if spec.group_by is not None else None
        if column is None:
            raise InvalidInputError.of("group_by", "is needed: the values of a field are the columns of a board")
        if not column.field.kind.board:
            label = column.field.kind.label.lower()
            raise InvalidInputError.of("group_by", f"cannot be {column.field.name} on a board, a {label}")
    if spec.kind is ViewKind.CALENDAR and spec.start is None:
        raise InvalidInputError.of("start", "is needed: a field with a date is what a calendar shows records by")


def _check_conditions(collection: Collection, spec: Spec) -> None:
    if spec.where is not None:
        if len(encode(spec.where)) > WHERE_LENGTH:
            raise InvalidInputError.of("where", f"must have at most {WHERE_LENGTH:,} characters")
        compiled(collection, parse_tree(spec.where))
    searched(collection, spec.search)


def _check_group(collection: Collection, name: str | None) -> None:
    if name is None:
        return
    column = column_of(collection, name)
    if column is None:
        raise InvalidInputError.of("group_by", f"names no field of {collection.name}")
    if not column.field.kind.sortable:
        raise InvalidInputError.of("group_by", f"cannot be {column.field.name}")


def _check_folded(collection: Collection, spec: Spec) -> None:
    column = column_of(collection, spec.group_by) if spec.group_by is not None else None
    if spec.folded and column is None:
        raise InvalidInputError.of("folded", "needs a group_by, whose values it has")
    for index, value in enumerate(spec.folded):
        try:
            if column and value is not None:
                parse(column.field, value)
        except InvalidValueError as error:
            raise InvalidInputError.of(f"folded[{index}]", str(error)) from error


def _check_dates(collection: Collection, spec: Spec) -> None:
    start = _dated(collection, "start", spec.start)
    end = _dated(collection, "end", spec.end)
    if end and not start:
        raise InvalidInputError.of("end", "needs a start")
    if start and end and (start.holds is not end.holds or start.name == end.name):
        raise InvalidInputError.of("end", f"must be another field of the same type as {start.name}")


def _dated(collection: Collection, place: str, name: str | None) -> Field | None:
    if name is None:
        return None
    column = column_of(collection, name)
    if column is None:
        raise InvalidInputError.of(place, f"names no field of {collection.name}")
    if not column.field.kind.dated:
        label = column.field.kind.label.lower()
        raise InvalidInputError.of(place, f"cannot be {column.field.name}, a {label}: a calendar needs dates")
    return column.field


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
        folded=spec.folded,
        sums={reference(name): total for name, total in spec.sums.items()},
        start=None if spec.start is None else reference(spec.start),
        end=None if spec.end is None else reference(spec.end),
        height=spec.height,
        names=used,
    )


def names_of(collection: Collection) -> dict[str, str]:
    """Today's names of the fields, by what stands for them in a stored view."""
    return {f"f{field.id}": field.name for field in collection.fields}


def read(collection: Collection, kind: ViewKind, stored: KeptSpec) -> ReadSpec:
    """A stored view, with today's names of its fields and what of it fits them."""
    names = names_of(collection)
    gone: dict[str, str] = {reference: name for reference, name in stored.names.items() if reference not in names}

    def name(reference: str) -> str:
        return names.get(reference) or gone.get(reference, reference)

    def left(reference: str | None) -> str | None:
        return None if reference is None or reference in gone else name(reference)

    where = None if stored.where is None else parse_tree(stored.where)
    spec = Spec(
        kind=kind,
        columns=tuple(ViewColumn(name(one), width) for one, width in stored.columns if one not in gone),
        where=None if where is None else as_json(renamed(where, name)),
        search=stored.search,
        sort=tuple(_signed(one, name) for one in stored.sort if one.removeprefix("-") not in gone),
        group_by=left(stored.group_by),
        folded=() if left(stored.group_by) is None else stored.folded,
        sums={name(one): total for one, total in stored.sums.items() if one not in gone},
        start=left(stored.start),
        end=left(stored.end),
        height=stored.height,
    )
    spec, problems = _fitting(collection, spec)
    said = [*problems, *_problems(_check_conditions, collection, spec)]
    kind_said = _problems(check_kind, collection, spec)
    return ReadSpec(spec, tuple(gone.values()), len(said) > len(problems), (*said, *kind_said))


def _fitting(collection: Collection, spec: Spec) -> tuple[Spec, list[FieldError]]:
    """Without the parts that do not fit their fields, and why; conditions are not among them."""
    problems: list[FieldError] = []

    def fits(check: Callable[..., object], *parts: object) -> bool:
        found = _problems(check, *parts)
        problems.extend(found)
        return not found

    sort = tuple(one for one in spec.sort if fits(parse_sort, collection, join_list([one])))
    sums = {name: total for name, total in spec.sums.items() if fits(total_column, collection, name, total)}
    group_by = spec.group_by if fits(_check_group, collection, spec.group_by) else None
    grouped = msgspec.structs.replace(spec, group_by=group_by)
    folded = spec.folded if group_by is not None and fits(_check_folded, collection, grouped) else ()
    start = spec.start if fits(_dated, collection, "start", spec.start) else None
    fitting = msgspec.structs.replace(spec, sort=sort, sums=sums, group_by=group_by, folded=folded, start=start)
    ends = start is None or fits(_check_dates, collection, fitting)
    return msgspec.structs.replace(fitting, end=fitting.end if start and ends else None), problems


def _problems(check: Callable[..., object], *parts: object) -> list[FieldError]:
    try:
        check(*parts)
    except InvalidInputError as error:
        return list(error.errors)
    return []


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
