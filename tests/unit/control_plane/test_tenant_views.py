"""Saved views of the tenants' list: as text and back, their names, their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.fakes import ADMIN, SUPPORT
from unit.control_plane_web.view_fakes import view
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.schemas import MOST, NAME_MAX, Column, NewView, Wanted
from vivero_control.domain.tenants.schemas import Only, TenantState

WANTED = st.builds(
    Wanted,
    search=st.text(max_size=200),
    plan=st.text(max_size=253),
    state=st.none() | st.sampled_from(TenantState),
    only=st.none() | st.sampled_from(Only),
    sort=st.sampled_from(["name", "created_at", "plan", "state", "trial_ends_at"]),
    descending=st.booleans(),
    columns=st.sets(st.sampled_from(Column)).map(lambda some: tuple(one for one in Column if one in some)),
)


@given(WANTED)
def test_what_is_written_is_read_as_the_same(wanted: Wanted) -> None:
    assert policies.read(policies.written(wanted)) == wanted


@given(st.dictionaries(st.sampled_from(["q", "state", "plan", "only", "sort", "columns"]), st.text(max_size=300)))
def test_what_is_unknown_is_left_out(params: dict[str, str]) -> None:
    found = policies.read(params)
    assert policies.read(policies.written(found)) == found


def test_columns_are_in_the_order_of_the_list_however_they_were_named() -> None:
    assert policies.read({"columns": "age,status,nonsense,age"}).columns == (Column.STATUS, Column.AGE)


@pytest.mark.parametrize(
    ("name", "others", "said"),
    [
        ("", [], "Give it a name."),
        (" \t ", [], "Give it a name."),
        ("x" * (NAME_MAX + 1), [], f"at most {NAME_MAX}"),
        ("soon\u202e", [], "invisible"),
        ("  SOON ", ["soon"], "of this name already"),
        ("one more", [str(number) for number in range(MOST)], f"{MOST} views"),
    ],
)
def test_a_name_is_one_that_can_be_told_from_the_others(name: str, others: list[str], said: str) -> None:
    (found,) = policies.problems(NewView(name=name), others)
    assert found.field == "name"
    assert said in found.message


@pytest.mark.parametrize("name", ["Soon", "试用", "x" * NAME_MAX])
def test_a_good_name_is_taken_up_to_the_last_view(name: str) -> None:
    assert policies.problems(NewView(name=name), [str(number) for number in range(MOST - 1)]) == []


def test_ones_own_come_first_each_by_name() -> None:
    views = (view(1, "b"), view(2, "A", is_own=False), view(3, "a"), view(4, "C"))
    assert [one.id for one in policies.in_order(views)] == [3, 1, 4, 2]


def test_ones_own_are_changed_and_by_admins_those_of_others() -> None:
    assert policies.may_change(SUPPORT, SUPPORT.id)
    assert policies.may_change(ADMIN, SUPPORT.id)
    assert not policies.may_change(SUPPORT, ADMIN.id)
