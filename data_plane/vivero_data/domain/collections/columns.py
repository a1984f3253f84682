"""A field's column: its SQL type, index and name; pure.

Physical names come from generated numbers (`c_17`, `f_42`), never from user
input.
"""

from collections.abc import Iterable
from typing import Final

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.registry import FieldType

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


def row_bytes(types: Iterable[FieldType]) -> int:
    """Upper bound of the row size of such fields in MariaDB: four bytes a character and two for the length."""
    lengths = (one.kind.characters for one in types)
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
        null = "NOT NULL" if field.required else "NULL"
        parts.append(f"{column_name(field)} {field.type.kind.sql} {null}")
        exact = field.unique and field.exact
        if exact:
            parts.append(_exact(field))
        if field.unique:
            column = exact_column(field) if exact else column_name(field)
            parts.append(f"UNIQUE KEY {unique_key(field)} ({column})")
        if field.indexed and (exact or not field.unique):
            parts.append(f"KEY {plain_key(field)} ({column_name(field)})")
    return (
        f"CREATE TABLE IF NOT EXISTS {table_name(collection_id)} ({', '.join(parts)}) "
        "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"
    )


def _exact(field: Field) -> str:
    """A generated column, so that older programs, which do not know it, comply as well."""
    kind = field.type.kind
    return (
        f"{exact_column(field)} {kind.sql} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        f" AS ({kind.exact_sql(column_name(field))}) VIRTUAL"
    )


def drop_table(collection_id: int) -> str:
    return f"DROP TABLE IF EXISTS {table_name(collection_id)}"
