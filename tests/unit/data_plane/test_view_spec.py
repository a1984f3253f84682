"""A view whose fields are deleted or get another type says so, and shows what is left."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from unit.data_plane import builders
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Total
from vivero_data.domain.views.schemas import RowHeight, Spec, ViewColumn, ViewKind
from vivero_data.domain.views.spec import ReadSpec, check, check_kind, kept, read
from vivero_web.errors import InvalidInputError

TITLE = builders.field(FieldType.TEXT, 1, name="Title")
KINDS = [*FieldType]


def things(kind: FieldType | None) -> Collection:
    """With a field Odd of this type, or without it."""
    odd = [builders.field(kind, 2, name="Odd")] if kind else []
    last = [builders.field(FieldType.DATE, 3, name="Last"), builders.field(FieldType.DATETIME, 4, name="Late")]
    return builders.collection(TITLE, *odd, *last)


def fits(collection: Collection, spec: Spec) -> bool:
    try:
        check(collection, spec)
        check_kind(collection, spec)
    except InvalidInputError:
        return False
    return True


def everything(collection: Collection) -> Spec:
    """As much of the field Odd as its type lets a view have."""
    found = Spec(columns=(ViewColumn("Title"), ViewColumn("Odd", 120)), height=RowHeight.TALL)
    tried: list[dict[str, Any]] = [
        {"sort": ("-Odd",)},
        {"group_by": "Odd"},
        *({"sums": {"Odd": total}} for total in Total),
        *({"where": {"field": "Odd", "operator": operator}} for operator in ("empty", "filled")),
        *({"start": "Odd", "end": end} for end in (None, "Last", "Late")),
        {"kind": ViewKind.BOARD},
        {"kind": ViewKind.CALENDAR},
    ]
    for parts in tried:
        one = structs.replace(found, **parts)
        found = one if fits(collection, one) else found
    return found


@pytest.mark.parametrize("before", KINDS)
def test_a_view_outlives_the_deletion_of_a_field(before: FieldType) -> None:
    spec = everything(things(before))
    found = read(things(None), spec.kind, kept(things(before), spec))
    assert found.gone == ("Odd",)
    assert found.spec.columns == (ViewColumn("Title"),)
    assert found.broken == (spec.where is not None)
    shows_what_is_left(things(None), spec, found)


@pytest.mark.parametrize(("before", "after"), [*product(KINDS, KINDS)])
def test_a_view_outlives_another_type_of_a_field(before: FieldType, after: FieldType) -> None:
    spec = everything(things(before))
    found = read(things(after), spec.kind, kept(things(before), spec))
    assert found.gone == ()
    assert found.spec.columns == spec.columns
    shows_what_is_left(things(after), spec, found)
    if before is after:
        assert (found.spec, found.problems, found.broken) == (spec, (), False)


def shows_what_is_left(collection: Collection, before: Spec, found: ReadSpec) -> None:
    """All parts fit but conditions, which stay; what does not is said, unless the field is gone, which is said too."""
    after = structs.replace(found.spec, kind=ViewKind.GRID, where=None if found.broken else found.spec.where)
    check(collection, after)
    assert found.spec.where == before.where
    lost = [
        name
        for name in ("sort", "group_by", "sums", "start", "end")
        if getattr(found.spec, name) != getattr(before, name)
    ]
    said = {one.field.split(".")[0] for one in found.problems}
    if not found.gone:
        assert set(lost) - {"end"} <= said
    if not fits(collection, structs.replace(after, kind=before.kind)):
        assert {"group_by" if before.kind is ViewKind.BOARD else "start"} & said


@given(st.sampled_from(KINDS), st.booleans())
def test_a_board_and_a_calendar_need_their_field(kind: FieldType, named: bool) -> None:  # noqa: FBT001  Hypothesis
    collection = things(kind)
    name = "Odd" if named else None
    assert fits(collection, Spec(kind=ViewKind.BOARD, group_by=name)) == (named and kind.kind.board)
    assert fits(collection, Spec(kind=ViewKind.CALENDAR, start=name)) == (named and kind.kind.dated)


def test_an_end_is_another_field_of_the_same_type() -> None:
    collection = things(FieldType.DATE)
    assert fits(collection, Spec(kind=ViewKind.CALENDAR, start="Odd", end="Last"))
    for end in ("Odd", "Late", "Title", "None"):
        with pytest.raises(InvalidInputError) as caught:
            check(collection, Spec(start="Odd", end=end))
        assert caught.value.errors[0].field == "end"
    with pytest.raises(InvalidInputError) as caught:
        check(collection, Spec(end="Last"))
    assert caught.value.errors[0].field == "end"
