"""Changes of one record by several people at once: other fields are merged, the same field is a conflict.

`record_changes` has the version in which each field of a record changed last. A
writer that does not know that table (an older program) leaves it behind the
record's own version: then every field counts as changed, and nobody's value is
overwritten by guess. Rows are kept as long as anybody may reasonably have a
form open (housekeeping.py).
"""

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from vivero_web import clock
from vivero_web.conditions import Conditions, tag_of

from vivero_data.db.database import Connection, batches
from vivero_data.domain.collections.schemas import Collection, present
from vivero_data.domain.records.errors import ChangedFieldError
from vivero_data.domain.records.schemas import Record
from vivero_data.lib.json import encode

_DIGITS: Final = 12  # no record has as many versions


class Touched(msgspec.Struct, frozen=True):
    """What is known of a record's last changes."""

    version: int
    since: int
    fields: dict[int, int]

    def after(self, base: int, current: int) -> Some[int] | None:
        """The ids of the fields that changed after version `base`; None if that is not known."""
        if self.version != current or base < self.since:
            return None
        return {number for number, version in self.fields.items() if version > base}


class Written(msgspec.Struct, frozen=True):
    """A record, the version that a change of it made, and the fields that it changed."""

    record_id: int
    version: int
    field_ids: Iterable[int]


async def remember(tx: Connection, collection_id: int, changes: Sequence[Written]) -> None:
    """Note what was changed; the records are locked by this transaction."""
    for part in batches(changes):
        rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(part))
        params = [
            param
            for one in part
            for param in (
                collection_id,
                one.record_id,
                one.version,
                one.version - 1,
                encode({str(number): one.version for number in one.field_ids}),
            )
        ]
        # Assigned from left to right: `version` is still the one before, until it is set.
        await tx.execute(
            f"INSERT INTO record_changes (collection_id, record_id, version, since, fields) VALUES {rows}"  # noqa: S608  placeholders
            " ON DUPLICATE KEY UPDATE since = IF(version = VALUES(since), since, VALUES(since)),"
            " fields = IF(version = VALUES(since), JSON_MERGE_PATCH(fields, VALUES(fields)), VALUES(fields)),"
            " version = VALUES(version)",
            *params,
        )


async def touched(tx: Connection, collection_id: int, record_ids: Sequence[int]) -> dict[int, Touched]:
    """What is known of these records' changes, by record."""
    rows = await tx.fetch_all(
        "SELECT record_id, version, since, fields FROM record_changes WHERE collection_id = %s AND record_id IN %s",
        collection_id,
        tuple(record_ids),
    )
    return {
        number: Touched(version, since, msgspec.json.decode(fields, type=dict[int, int]))
        for number, version, since, fields in rows
    }


async def purge(tx: Connection, before: datetime, limit: int) -> int:
    """Remove what nobody with an open form can still need; how many rows."""
    return await tx.execute("DELETE FROM record_changes WHERE changed_at < %s LIMIT %s", clock.naive(before), limit)


async def conflicts(
    tx: Connection,
    collection: Collection,
    bases: Mapping[int, int],
    wanted: Mapping[int, tuple[Record, dict[int, Any]]],
) -> dict[int, list[ChangedFieldError]]:
    """The fields that somebody else changed to another value, by record; `wanted` are records and what is to be written.

    `bases` has the version on which each change is based, where that is not the present one.
    """
    stale = [number for number, base in bases.items() if number in wanted and wanted[number][1] and base]
    known = await touched(tx, collection.id, stale) if stale else {}
    found = {}
    for number in stale:
        record, values = wanted[number]
        changes = known.get(number)
        changed = changes.after(bases[number], record.version) if changes else None
        clashes = clashing(collection, record, values, changed)
        if clashes:
            found[number] = clashes
    return found


def clashing(
    collection: Collection, record: Record, values: Mapping[int, Any], changed: Some[int] | None
) -> list[ChangedFieldError]:
    """The fields of `values` that were changed meanwhile, with both values; pure. None: any may have been."""
    return [
        ChangedFieldError(
            field.name,
            "was changed by somebody else meanwhile",
            theirs=record.values[field.name],
            yours=present(field, values[field.id]),
        )
        for field in collection.fields
        if field.id in values and (changed is None or field.id in changed)
    ]


def base_of(conditions: Conditions, version: int | None, current: int) -> int | None:
    """The earlier version that a change is based on; None if it is the present one, or any.

    Raises:
        PreconditionFailedError: If-Match names no version that this record has had.
    """
    if conditions.match is not None and not conditions.allow(tag_of(current)):
        earlier = [number for number in map(_number, conditions.match) if number and number < current]
        if not earlier:
            conditions.check(tag_of(current))
        return max(earlier)
    return version if version is not None and version < current else None


def _number(tag: str) -> int:
    digits = tag.strip('"')
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _DIGITS else 0
