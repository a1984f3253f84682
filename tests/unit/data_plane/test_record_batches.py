"""What is wrong with the rows of a batch is told by row, before anything is written."""

from typing import Any

import pytest
from unit.data_plane.builders import collection, field
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.batches import checked
from vivero_data.domain.records.schemas import NewRecord, RecordBatch, RowChanges, RowDeletion
from vivero_web.errors import InvalidInputError

THINGS = collection(field(FieldType.TEXT, 3, required=True), field(FieldType.INTEGER, 4, default=7))


def refused(batch: RecordBatch) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        checked(THINGS, batch)
    return [error.field for error in caught.value.errors]


def test_rows_become_columns_with_their_places() -> None:
    batch = RecordBatch(
        create=[NewRecord({"Text": "a"}), NewRecord({"Text": "b", "Integer": 1})],
        update=[RowChanges(5, {"Integer": None})],
        delete=[RowDeletion(6, 2)],
    )
    rows = checked(THINGS, batch)
    assert rows.create == [("create[0]", {3: "a", 4: 7}), ("create[1]", {3: "b", 4: 1})]
    assert rows.update == [("update[0]", batch.update[0], {4: None})]
    assert rows.delete == [("delete[0]", batch.delete[0])]


def test_every_row_at_fault_is_named() -> None:
    batch = RecordBatch(
        create=[NewRecord({"Text": "a"}), NewRecord({"Integer": "old", "Nope": 1})],
        update=[RowChanges(5, {"Text": None}), RowChanges(6, {"Text": "a"})],
    )
    fields = ["create[1].values.Nope", "create[1].values.Text", "create[1].values.Integer", "update[0].values.Text"]
    assert refused(batch) == fields


def test_a_record_is_in_a_batch_once() -> None:
    changes: dict[str, Any] = {"Integer": 1}
    batch = RecordBatch(update=[RowChanges(5, changes), RowChanges(5, changes)], delete=[RowDeletion(5)])
    assert refused(batch) == ["update[1].id", "delete[0].id"]


def test_a_batch_has_its_bounds() -> None:
    row = NewRecord({"Text": "a"})
    assert refused(RecordBatch()) == ["body"]
    assert refused(RecordBatch(create=[row] * 999, delete=[RowDeletion(1), RowDeletion(2)])) == ["body"]
    assert len(checked(THINGS, RecordBatch(create=[row] * 999, delete=[RowDeletion(1)])).create) == 999
    assert len(refused(RecordBatch(create=[NewRecord({})] * 200))) == 50
