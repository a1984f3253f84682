"""A field's column: its SQL type, index and name; pure.

Physical names come from generated numbers (`c_17`, `f_42`), never from user
input.
"""

from collections.abc import Iterable
from typing import Final

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.kind import FieldKind

_FIXED_BYTES: Final = 16  # upper bound of any other type's size in a row
MAX_ROW_BYTES: Final = 60_000  # MariaDB's bound is 65,535 with the columns of our own


def table_name(collection_id: int) -> str:
    """The quoted name of a collection's table."""
    return f"`c_{int(collection_id)}`"


def column_name(field: Field) -> str:
    """The quoted name of the column that a field has now: a change of its type gives it another."""
    return f"`f_{int(field.column)}`"


def exact_column(field: Field) -> str:
    """The quoted name of the column with an exact field's unique key; the field's own collation ignores case."""
    return f"`x_{int(field.column)}`"


def unique_key(field: Field) -> str:
    """The name of the unique index of a field, as the database's errors quote it."""
    return f"u_{int(field.column)}"


def plain_key(field: Field) -> str:
    """The name of the index of a field that is sorted and filtered by."""
    return f"i_{int(field.column)}"


def row_bytes(kinds: Iterable[FieldKind]) -> int:
    """Upper bound of the row size of such fields in MariaDB: four bytes a character and two for the length."""
    lengths = (one.characters for one in kinds)
    return sum(_FIXED_BYTES if length is None else 4 * length + 2 for length in lengths)


def create_table(collection_id: int, fields: Iterable[Field]) -> str:
    """The idempotent statement that creates a collection's table."""
    parts = [
        "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
        "version INT UNSIGNED NOT NULL DEFAULT 1",
        "created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
        "updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
        "KEY created (created_at)",
        "KEY updated (updated_at)",
    ]
    for field in fields:
        # NULL even where it is required, which the program checks: NOT NULL is neither made nor undone instantly.
        parts.append(f"{column_name(field)} {field.kind.sql} NULL")
        exact = field.unique and field.exact
        if exact:
            # Stored, because no column can be added instantly beside a virtual one that has an index.
            parts.append(_exact(field, "STORED"))
        if field.unique:
            column = exact_column(field) if exact else column_name(field)
            parts.append(f"UNIQUE KEY {unique_key(field)} ({column})")
        if field.indexed and (exact or not field.unique):
            parts.append(f"KEY {plain_key(field)} ({column_name(field)})")
    return (
        f"CREATE TABLE IF NOT EXISTS {table_name(collection_id)} ({', '.join(parts)}) "
        "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"
    )


def _exact(field: Field, kept: str) -> str:
    """A generated column, so that older programs, which do not know it, comply as well."""
    kind = field.kind
    return (
        f"{exact_column(field)} {kind.sql} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        f" AS ({kind.exact_sql(column_name(field))}) {kept}"
    )


def drop_table(collection_id: int) -> str:
    return f"DROP TABLE IF EXISTS {table_name(collection_id)}"


def put_away(collection_id: int) -> str:
    """The table of a deleted collection gets a name that housekeeping, also of older programs, does not take for an orphan's."""
    return f"RENAME TABLE IF EXISTS {table_name(collection_id)} TO {_put_away(collection_id)}"


def bring_back(collection_id: int) -> str:
    return f"RENAME TABLE IF EXISTS {_put_away(collection_id)} TO {table_name(collection_id)}"


def drop_put_away(collection_id: int) -> str:
    return f"DROP TABLE IF EXISTS {_put_away(collection_id)}"


def _put_away(collection_id: int) -> str:
    return f"`d_{int(collection_id)}`"


def add_column(collection_id: int, field: Field) -> str:
    """An idempotent statement that adds a field's column, empty."""
    return (
        f"ALTER TABLE {table_name(collection_id)} ADD COLUMN IF NOT EXISTS {column_name(field)} {field.kind.sql} NULL"
    )


def allow_null(collection_id: int, field: Field) -> str:
    """For a column of an older program, which made those of required fields NOT NULL."""
    return f"ALTER TABLE {table_name(collection_id)} MODIFY COLUMN {column_name(field)} {field.kind.sql} NULL"


def add_keys(collection_id: int, field: Field) -> list[str]:
    """Idempotent statements that add the indexes of a field whose column has values."""
    exact = field.unique and field.exact
    parts = []
    if exact:
        # A stored one would copy the table.
        added = _exact(field, "VIRTUAL").replace(exact_column(field), f"IF NOT EXISTS {exact_column(field)}", 1)
        parts.append(f"ADD COLUMN {added}")
    if field.unique:
        column = exact_column(field) if exact else column_name(field)
        parts.append(f"ADD UNIQUE KEY IF NOT EXISTS {unique_key(field)} ({column})")
    if field.indexed and (exact or not field.unique):
        parts.append(f"ADD KEY IF NOT EXISTS {plain_key(field)} ({column_name(field)})")
    return [f"ALTER TABLE {table_name(collection_id)} {part}" for part in parts]


def add_plain_keys(collection_id: int, fields: Iterable[Field]) -> str:
    """An idempotent statement that adds the indexes which several fields are sorted and filtered by, in one pass."""
    parts = [f"ADD KEY IF NOT EXISTS {plain_key(field)} ({column_name(field)})" for field in fields]
    return f"ALTER TABLE {table_name(collection_id)} {', '.join(parts)}"


def drop_spare_keys(collection_id: int, before: Field, after: Field) -> list[str]:
    """Idempotent statements that drop what a field had for its rules, and needs no more."""
    spare = [one for one in _keys(before) if one not in _keys(after)]
    return [f"ALTER TABLE {table_name(collection_id)} DROP {what} IF EXISTS {name}" for what, name in spare]


def _keys(field: Field) -> list[tuple[str, str]]:
    exact = field.unique and field.exact
    return [
        *([("KEY", unique_key(field))] if field.unique else []),
        *([("KEY", plain_key(field))] if field.indexed and (exact or not field.unique) else []),
        *([("COLUMN", exact_column(field))] if exact else []),
    ]


def drop_column(collection_id: int, column: int) -> list[str]:
    """Idempotent statements that drop a column that no field has, with all that belongs to it."""
    number = int(column)
    parts = (
        f"KEY IF EXISTS u_{number}",
        f"KEY IF EXISTS i_{number}",
        f"COLUMN IF EXISTS x_{number}",
        f"COLUMN IF EXISTS f_{number}",
    )
    return [f"ALTER TABLE {table_name(collection_id)} DROP {part}" for part in parts]
