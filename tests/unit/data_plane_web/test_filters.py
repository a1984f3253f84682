from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.collections.definition import as_field
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record
from vivero_data.web.filters import record_title

NOW = datetime(2026, 11, 22, 15, 41, tzinfo=UTC)
LEAD = as_field(NewField(name="Name", type=FieldType.TEXT), 1)


def record(name: object) -> Record:
    return Record(7, 1, {LEAD.name: name}, NOW, NOW)


@given(st.text(min_size=1, max_size=500))
def test_a_record_is_known_by_the_beginning_of_its_first_value(name: str) -> None:
    said = record_title(record(name), LEAD)
    assert said == name or (said.endswith("…") and name.startswith(said.removesuffix("…")))
    assert len(said) <= 200


def test_a_record_without_such_a_value_is_known_by_its_number() -> None:
    assert record_title(record(None), LEAD) == "Record 7"
    assert record_title(record(""), LEAD) == "Record 7"
