"""Entries of the audit log about records, which are named as they are called at that time; pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from vivero_data.domain.audit.repository import NewEntry
from vivero_data.domain.collections.schemas import Collection, present
from vivero_data.domain.records.finder import name_field
from vivero_data.domain.records.schemas import Record


def subject_of(collection: Collection, record_id: int) -> str:
    return f"{collection.name}/{record_id}"


def entry_of(
    action: str,
    collection: Collection,
    record: Record,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> NewEntry:
    """What is to be written about a record."""
    field = name_field(collection)
    name = str(record.values.get(field.name) or "") if field else ""
    return NewEntry(action, subject_of(collection, record.id), before, after, name)


def entry_of_change(collection: Collection, record: Record, values: Mapping[int, Any]) -> NewEntry:
    """What is to be written about a change of a record to these column values, by field id."""
    changed = [field for field in collection.fields if field.id in values]
    before = {field.name: record.values[field.name] for field in changed}
    after = {field.name: present(field, values[field.id]) for field in changed}
    then = msgspec.structs.replace(record, values={**record.values, **after})
    return entry_of("record.update", collection, then, before=before, after=after)
