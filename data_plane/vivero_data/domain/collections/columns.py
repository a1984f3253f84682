"""A field's column: its SQL type, index and name; pure.

Physical names come from numbers that we gave out (`c_17`, `f_42`), never from
what a user typed.
"""

from collections.abc import Iterable
from typing import Final

from vivero_data.domain.collections.schemas import CHOICE_LENGTH, Field, FieldType

TEXT_LENGTH: Final = 255
EMAIL_LENGTH: Final = 254
URL_LENGTH: Final = 500
NUMBER_DIGITS: Final = 24
NUMBER_DECIMALS: Final = 8
LONG_TEXT_LENGTH: Final = 16_000  # of 4 bytes each it still fits TEXT's 65,535

_TYPES: Final = {
    FieldType.TEXT: f"VARCHAR({TEXT_LENGTH})",
    FieldType.LONG_TEXT: "TEXT",
    FieldType.NUMBER: f"DECIMAL({NUMBER_DIGITS},{NUMBER_DECIMALS})",
    FieldType.INTEGER: "BIGINT",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "DATETIME(6)",
    FieldType.CHOICE: f"VARCHAR({CHOICE_LENGTH})",
    FieldType.EMAIL: f"VARCHAR({EMAIL_LENGTH})",
    FieldType.URL: f"VARCHAR({URL_LENGTH})",
}
_LENGTHS: Final = {
    FieldType.TEXT: TEXT_LENGTH,
    FieldType.CHOICE: CHOICE_LENGTH,
    FieldType.EMAIL: EMAIL_LENGTH,
    FieldType.URL: URL_LENGTH,
}
_FIXED_BYTES: Final = 16  # upper bound of any other type's place in a row
MAX_ROW_BYTES: Final = 60_000  # MariaDB's bound is 65,535 with the columns of our own


def table_name(collection_id: int) -> str:
    """The quoted name of a collection's table."""
    return f"`c_{int(collection_id)}`"


def column_name(field_id: int) -> str:
    """The quoted name of a field's column."""
    return f"`f_{int(field_id)}`"


def exact_column(field_id: int) -> str:
    """The quoted name of the column by which an exact field is unique; the field's own compares as people read."""
    return f"`x_{int(field_id)}`"


def unique_key(field_id: int) -> str:
    """The name of the unique index of a field, as the database's errors quote it."""
    return f"u_{int(field_id)}"


def row_bytes(types: Iterable[FieldType]) -> int:
    """How much of MariaDB's row such fields take at most: four bytes a character and two for the length."""
    return sum(4 * _LENGTHS[kind] + 2 if kind in _LENGTHS else _FIXED_BYTES for kind in types)


def create_table(collection_id: int, fields: Iterable[Field]) -> str:
    """The statement that creates a collection's table, safe to repeat."""
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
        parts.append(f"{column_name(field.id)} {_TYPES[field.type]} {null}")
        exact = field.unique and field.exact
        if exact:
            parts.append(_exact(field))
        if field.unique:
            column = exact_column(field.id) if exact else column_name(field.id)
            parts.append(f"UNIQUE KEY {unique_key(field.id)} ({column})")
        if field.indexed and (exact or not field.unique):
            parts.append(f"KEY i_{int(field.id)} ({column_name(field.id)})")
    return (
        f"CREATE TABLE IF NOT EXISTS {table_name(collection_id)} ({', '.join(parts)}) "
        "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"
    )


def _exact(field: Field) -> str:
    """A column that the database computes, so that programs which do not know it keep to it as well."""
    own = column_name(field.id)
    # Mail servers tell apart what is before the @, and nothing behind it.
    compared = f"CONCAT(SUBSTRING_INDEX({own}, '@', 1), LOWER(SUBSTRING({own}, LOCATE('@', {own}))))"
    return (
        f"{exact_column(field.id)} {_TYPES[field.type]} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        f" AS ({compared if field.type is FieldType.EMAIL else own}) VIRTUAL"
    )


def drop_table(collection_id: int) -> str:
    return f"DROP TABLE IF EXISTS {table_name(collection_id)}"
