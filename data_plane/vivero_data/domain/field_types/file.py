"""Files of a record: several a cell, each uploaded before or into it."""

import re
from typing import Annotated, Any, Final

import msgspec

from vivero_data.domain.field_types.kind import (
    Definition,
    FieldKind,
    InvalidValueError,
    Operator,
    Value,
)
from vivero_data.lib.json import encode

MAX_FILES: Final = 20
"""Of one cell."""
ID_PATTERN: Final = "[a-z2-7]{26}"
"""128 random bits in base 32."""
_ID: Final = re.compile(ID_PATTERN)


class RecordFile(msgspec.Struct, frozen=True):
    """A file of a record, as it is read; to write one its `id` is enough. None of this ever changes."""

    id: Annotated[str, msgspec.Meta(description="Where it is: `…/records/{record_id}/files/{id}`.")]
    name: Annotated[str, msgspec.Meta(description="As uploaded, without invisible characters.")] = ""
    size: Annotated[int, msgspec.Meta(description="Of its content in bytes.")] = 0
    media_type: Annotated[str, msgspec.Meta(description="By its first bytes where they tell.")] = ""

    def __str__(self) -> str:
        return self.name


class File(FieldKind):
    """Stored as a JSON array with each file's name, size and type, which never change, so that no list has to ask for them.

    What `parse` makes of an id alone still lacks them: `domain/records/files.py` completes it.
    """

    label = "Files"
    sql = "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    operators = (Operator.CONTAINS, Operator.EMPTY, Operator.FILLED)
    sortable = False
    unique = False
    uploaded = True
    operator_labels = {"contains": "name contains", "empty": "has no files", "filled": "has files"}  # noqa: RUF012  as in FieldKind

    def example(self, definition: Definition) -> list[dict[str, str]]:
        return [{"id": "2n4q6s7u3w5y7a2c4e6g7i2k3m"}]

    def parse(self, value: Value, definition: Definition) -> str:
        given = files_of(value) if isinstance(value, str) else value
        if not isinstance(given, list) or not given:
            raise InvalidValueError("must be a list of files, each with its id")
        files = {file.id: file for file in map(_file, given)}
        if len(files) > MAX_FILES:
            raise InvalidValueError(f"must have at most {MAX_FILES} files")
        return encode(list(files.values()))

    def present(self, stored: Value, definition: Definition) -> list[RecordFile]:
        return files_of(stored)

    def text_sql(self, column: str) -> str:
        # Of the extracted names only quotes are still written as JSON has them.
        names = f"REPLACE(JSON_EXTRACT({column}, '$[*].name'), '\\\\\"', '\"')"
        return f"({names} COLLATE utf8mb4_unicode_520_nopad_ci)"


def files_of(stored: str) -> list[RecordFile]:
    """The files of a column's value.

    Raises:
        InvalidValueError: it is none.
    """
    try:
        return msgspec.json.decode(stored, type=list[RecordFile])
    except msgspec.MsgspecError as error:
        raise InvalidValueError("must be a list of files, each with its id") from error


def _file(value: Any) -> RecordFile:  # noqa: ANN401  any JSON value
    try:
        file = RecordFile(value) if isinstance(value, str) else msgspec.convert(value, RecordFile, from_attributes=True)
    except msgspec.MsgspecError:
        file = RecordFile("")
    if not _ID.fullmatch(file.id):
        raise InvalidValueError("must be a list of files, each with its id")
    return file
