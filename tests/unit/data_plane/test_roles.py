"""Roles by names and by numbers, and what an access is made of; pure."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import collection
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.seen import seen
from vivero_data.domain.records.access import access_to, everything
from vivero_data.domain.roles.definition import named_form, stored_form
from vivero_data.domain.roles.rights import CollectionRights, OwnRole, Right
from vivero_data.domain.roles.schemas import NewRole, RoleRule
from vivero_data.domain.users.schemas import Actor, Permission, Role
from vivero_web.errors import InvalidInputError, NotAllowedError

THINGS = msgspec.structs.replace(collection(), records=9)
NAMES = [field.name for field in THINGS.fields]
FLAGS = st.fixed_dictionaries({right.value: st.booleans() for right in Right})


def asks(rights: CollectionRights | None) -> Actor:
    """Somebody whose role has these rights on THINGS."""
    rules = {} if rights is None else {THINGS.id: rights}
    return Actor(5, "sam@example.com", "Sam", Role.OWN, own=OwnRole(1, "Sales", collections=rules))


@given(FLAGS, st.lists(st.sampled_from(NAMES), max_size=len(NAMES) - 1, unique=True), st.lists(st.sampled_from(NAMES)))
def test_a_role_is_the_same_by_names_and_by_numbers(
    flags: dict[str, Any], hidden: list[str], closed: list[str]
) -> None:
    rule = RoleRule(THINGS.name, **flags, hidden=hidden, read_only=closed)
    stored = stored_form([THINGS], NewRole("Sales", collections=[rule]), 1)
    rules, broken = named_form({THINGS.id: THINGS}, stored)
    (again,) = rules
    assert broken == []
    assert set(again.hidden) == set(hidden)
    assert set(again.read_only) == set(closed) - set(hidden)
    assert stored_form([THINGS], NewRole("Sales", collections=rules), 1) == stored


@given(FLAGS)
def test_an_access_has_the_rights_of_its_role_and_no_others(flags: dict[str, Any]) -> None:
    access = access_to(asks(CollectionRights(**flags)), THINGS)
    assert access is not None
    for right in Right:
        if flags[right.value]:
            access.require(right)
        else:
            with pytest.raises(NotAllowedError, match="Your role Sales may not"):
                access.require(right)


@given(st.sets(st.sampled_from([field.id for field in THINGS.fields])))
def test_hidden_fields_are_not_there(hidden: set[int]) -> None:
    actor = asks(CollectionRights(hidden=frozenset(hidden)))
    shown = seen(actor, THINGS)
    left = [field for field in THINGS.fields if field.id not in hidden]
    assert (list(shown.fields) if shown else []) == left
    access = access_to(actor, THINGS)
    assert (access is None) is (not left)
    if access:
        assert access.whole is THINGS
        assert access.unlimited.collection is THINGS


def test_without_a_rule_a_collection_is_not_there() -> None:
    assert access_to(asks(None), THINGS) is None
    assert access_to(Actor(1, "a@example.com", "", Role.VIEWER), THINGS) == everything(
        Actor(1, "a@example.com", "", Role.VIEWER), THINGS
    )


def condition(field: str, value: Any = "x") -> dict[str, Any]:  # noqa: ANN401  JSON
    return {"field": field, "operator": "eq", "value": value}


def test_a_condition_narrows_and_hides_how_many_there_are() -> None:
    person = next(field for field in THINGS.fields if field.type == "person")
    rule = RoleRule(THINGS.name, where=condition(person.name, "me"))
    stored = stored_form([THINGS], NewRole("Sales", collections=[rule]), 1)
    access = access_to(asks(stored.collections[THINGS.id]), THINGS)
    assert access is not None
    assert [clause.params for clause in access.rows] == [(5,)]
    assert (access.collection.records, access.collection.partial) == (0, True)


def test_a_condition_that_fits_no_more_lets_nothing_through() -> None:
    """A renamed field is found by its number; one that is gone or of another type is not."""
    person = next(field for field in THINGS.fields if field.type == "person")
    rights = CollectionRights(where=condition(f"f{person.id}", "me"))
    renamed = tuple(
        msgspec.structs.replace(one, name="Renamed") if one.id == person.id else one for one in THINGS.fields
    )
    without = tuple(one for one in THINGS.fields if one.id != person.id)

    def rows(fields: Any) -> list[str]:  # noqa: ANN401  fields of a collection
        access = access_to(asks(rights), msgspec.structs.replace(THINGS, fields=fields))
        return [clause.sql for clause in access.rows] if access else []

    assert rows(renamed) == rows(THINGS.fields) != ["FALSE"]
    assert rows(without) == ["FALSE"]
    gone: Collection = msgspec.structs.replace(THINGS, fields=without)
    assert named_form({gone.id: gone}, OwnRole(1, "Sales", collections={gone.id: rights}))[1] == [gone.name]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"hidden": NAMES}, "hidden"),
        ({"hidden": ["Nowhere"]}, "hidden"),
        ({"read_only": ["Nowhere"]}, "read_only"),
        ({"where": condition("Nowhere")}, "where.field"),
        ({"where": {"any": []}}, "where.any"),
        ({"where": condition("x" * 9_000)}, "where"),
    ],
)
def test_a_rule_that_does_not_fit_names_its_place(rule: dict[str, Any], field: str) -> None:
    new = NewRole("Sales", collections=[RoleRule(THINGS.name, **rule)])
    with pytest.raises(InvalidInputError) as refused:
        stored_form([THINGS], new)
    assert [error.field for error in refused.value.errors] == [f"collections[0].{field}"]


def test_who_adds_can_give_what_is_needed() -> None:
    first, *others = THINGS.fields
    needs = msgspec.structs.replace(THINGS, fields=(msgspec.structs.replace(first, required=True), *others))
    refused: list[dict[str, Any]] = [{"hidden": [first.name]}, {"read_only": [first.name]}]
    for closed in refused:
        stored_form([needs], NewRole("A", collections=[RoleRule(needs.name, **closed)]))
        with pytest.raises(InvalidInputError, match=first.name):
            stored_form([needs], NewRole("A", collections=[RoleRule(needs.name, create=True, **closed)]))


@given(FLAGS, st.booleans())
def test_permissions_follow_from_the_rules(flags: dict[str, Any], files: bool) -> None:  # noqa: FBT001  drawn
    role = OwnRole(1, "Sales", files, {1: CollectionRights(**flags)})
    actor = Actor(5, "sam@example.com", "", Role.OWN, own=role)
    writes = any(given for name, given in flags.items() if name != "export")
    expected = {Permission.READ: True, Permission.WRITE_RECORDS: writes}
    expected |= dict.fromkeys((Permission.READ_FILES, Permission.WRITE_FILES), files)
    assert actor.permissions == {permission for permission, given in expected.items() if given}
    key = msgspec.structs.replace(actor, scopes=frozenset({Permission.READ}))
    assert key.permissions == {Permission.READ}
    assert Actor(5, "sam@example.com", "", Role.OWN).permissions == frozenset()
