"""What would make a slow list fast: an index over what it compares and sorts by, or nothing; pure but for one look.

A list is not judged beforehand: it runs, with a bound, and only one that met the bound asks for advice
(`lists.py`). So a list is never called slow that is not, and none that is slow is waited for.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from vivero_data.db.database import Connection
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.kind import ORDER, Operator
from vivero_data.domain.records.filters import AllOf, Condition, Tree, parse_filter, parse_where
from vivero_data.domain.records.query import Clause, Column, Key, Sort, column_of, parse_sort
from vivero_data.domain.records.schemas import RecordQuery

_RANGES: Final = (*ORDER, Operator.STARTS)
_EQUALS: Final = 2  # columns before the sorted ones: more make the index larger and the list hardly faster
KEY_BYTES: Final = 3_000  # of an index; InnoDB's bound is 3,072
_FIXED_BYTES: Final = 16  # upper bound of a column without characters


class Advice(msgspec.Struct, frozen=True):
    """Why a list is slow and what helps.

    Attributes:
        place: the part of the query that makes it slow.
        sentence: for people.
        index: the columns of the index that helps, with `-` before a descending one; empty if none would.
    """

    place: str
    sentence: str
    index: tuple[str, ...] = ()


def surely_fast(sort: Sort, clauses: Sequence[Clause]) -> bool:
    """Whether an index gives the rows in order and none is passed over."""
    first, *others = sort.keys
    return not clauses and first.column.field.indexed and all(key.column.sql == "id" for key in others)


async def advise(connection: Connection, collection: Collection, query: RecordQuery) -> Advice:
    """What would help a list that took too long."""
    keys = wanted_index(collection, query)
    order = {key.column.sql for key in parse_sort(collection, query.sort).keys}
    equal = sum(key.column.sql not in order for key in keys)
    if keys and not covered(keys, await _indexes(connection, collection), equal=equal):
        return _offer(collection, query, keys)
    return _no_index(collection, query)


def wanted_index(collection: Collection, query: RecordQuery) -> tuple[Key, ...]:
    """Columns that are compared with one value, then those sorted by, or else one compared with a range."""
    compared = [(one.operator, column) for one in _required(query) if (column := column_of(collection, one.field))]
    equal = [Key(column, descending=False) for operator, column in compared if operator == Operator.EQ][:_EQUALS]
    ranges = [Key(column, descending=False) for operator, column in compared if operator in _RANGES][:1]
    # The id is the last column of every index.
    order = [key for key in parse_sort(collection, query.sort).keys if key.column.sql != "id"]
    found: dict[str, Key] = {}
    for key in [*equal, *(order or ranges)]:
        if key.column.field.kind.sortable:
            found.setdefault(key.column.sql, key)
    return tuple(fitting(found.values()))


def covered(keys: Sequence[Key], indexes: Iterable[Sequence[tuple[str, bool]]], *, equal: int = 0) -> bool:
    """Whether an index begins with these columns, in these directions or all in the others.

    An index is read from either end. Of the first `equal` columns, which have one value, the direction does not matter.
    """
    wanted = [(key.column.sql.strip("`"), key.descending) for key in keys]
    for columns in indexes:
        pairs = list(zip(wanted, columns, strict=False))
        same = [one[0] == other[0] for one, other in pairs]
        flips = {one[1] != other[1] for one, other in pairs[equal:]}
        if len(pairs) == len(wanted) and all(same) and len(flips) <= 1:
            return True
    return False


def _required(query: RecordQuery) -> list[Condition]:
    """The conditions that hold for every record of the list."""
    texts = (parse_filter(text) for text in query.filters)
    view = query.narrowing.where if query.narrowing else None
    trees = [
        *([] if view is None else [view]),
        *(found.condition for found in texts if found),
        *([parse_where(query.where)] if query.where else []),
    ]
    return [condition for tree in trees for condition in _conjuncts(tree)]


def _conjuncts(tree: Tree) -> list[Condition]:
    if isinstance(tree, Condition):
        return [tree]
    return [condition for part in tree.all for condition in _conjuncts(part)] if isinstance(tree, AllOf) else []


def fitting(keys: Iterable[Key]) -> Iterable[Key]:
    """As many columns as fit an index."""
    room = KEY_BYTES
    for key in keys:
        room -= _width(key.column)
        if room < 0:
            return
        yield key


def _width(column: Column) -> int:
    characters = column.field.kind.characters
    return _FIXED_BYTES if characters is None else 4 * characters + 3


def _offer(collection: Collection, query: RecordQuery, keys: Sequence[Key]) -> Advice:
    names = [key.column.field.name for key in keys]
    place = "sort" if query.sort else "where" if query.where else "filter"
    sentence = f"{_size(collection)}: this list takes long without an index on {', '.join(names)}."
    return Advice(place, sentence, tuple(f"{'-' if key.descending else ''}{key.column.field.name}" for key in keys))


def _no_index(collection: Collection, query: RecordQuery) -> Advice:
    place = "search" if query.search else "where" if query.where else "filter" if query.filters else "sort"
    return Advice(
        place, f"{_size(collection)}: this list takes long, and no index helps. A narrower condition on a field would."
    )


def _size(collection: Collection) -> str:
    return f"{collection.name} has {collection.records:,} records"


async def _indexes(connection: Connection, collection: Collection) -> list[list[tuple[str, bool]]]:
    """The columns of every index, in order, and whether they descend."""
    rows = await connection.fetch_all(
        "SELECT index_name, column_name, collation FROM information_schema.statistics"
        " WHERE table_schema = DATABASE() AND table_name = %s ORDER BY index_name, seq_in_index",
        table_name(collection.id).strip("`"),
    )
    found: dict[str, list[tuple[str, bool]]] = {}
    for index, column, direction in rows:
        found.setdefault(index, []).append((column, direction == "D"))
    return list(found.values())
