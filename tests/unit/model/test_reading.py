"""Whatever the API server hands over: read, or said to be unreadable; never raised."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.operator.made import KINDS, SPECS, body, condition
from vivero_core.model.constants import DeletionPolicy
from vivero_core.model.naming import tenant_id
from vivero_core.model.reading import Unreadable, read, salvaged
from vivero_core.model.tenant import Tenant

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=4)


def fields(kind: str, part: str) -> list[str]:
    """Names of the fields of spec or status, as they stand in an object."""
    model: Any = KINDS[kind].model_fields[part].annotation
    return [one.alias for one in model.model_fields.values()]


@st.composite
def bodies(draw: st.DrawFn, /, kind: str, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Its metadata is sound. Spec and status are anything, or as they should be but for some fields."""
    made = body(kind, "odd", **metadata)
    for part, sound in (("spec", SPECS[kind]), ("status", {})):
        odd = st.dictionaries(st.sampled_from(fields(kind, part)), JSON | st.text(max_size=30), max_size=3)
        known = st.builds(lambda sound, odd: {**sound, **odd}, st.just(sound), odd)
        made[part] = draw(st.one_of(known, OBJECTS, JSON, st.just(sound)))
    return made


@pytest.mark.parametrize("kind", KINDS)
class TestRead:
    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_anything(self, kind: str, data: st.DataObject) -> None:
        given = data.draw(bodies(kind))
        found = read(KINDS[kind], given)
        assert (found.name, found.metadata.uid) == ("odd", "uid-odd")
        if isinstance(found, Unreadable):
            assert found.body is given
            assert 0 < len(found.why) <= 900
        else:
            assert found.spec == KINDS[kind].model_validate({**given, "status": {}}).spec
            again = read(KINDS[kind], {**found.dump(), "kind": kind})
            assert not isinstance(again, Unreadable)
            assert (again.metadata, again.spec, again.status) == (found.metadata, found.spec, found.status)

    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_a_status_that_cannot_be_read_is_no_reason(self, kind: str, data: st.DataObject) -> None:
        made = body(kind, "odd")
        made["status"] = data.draw(st.dictionaries(st.sampled_from(fields(kind, "status")), JSON) | OBJECTS | JSON)
        found = read(KINDS[kind], made)
        assert not isinstance(found, Unreadable)
        known = made["status"] if isinstance(made["status"], dict) else {}
        assert set(found.unread_status) <= known.keys()

    def test_what_can_be_read_of_a_status_is_kept(self, kind: str) -> None:
        sound = condition("Ready", "Proven", truth=True)
        found = read(KINDS[kind], body(kind, "odd", status={"conditions": [sound], "observedGeneration": "odd"}))
        assert not isinstance(found, Unreadable)
        assert found.unread_status == ("observedGeneration",)
        assert [one.reason for one in found.status.conditions] == ["Proven"]

    def test_a_field_under_two_names_costs_the_status(self, kind: str) -> None:
        status = {"observedGeneration": "odd", "observed_generation": "odd", "x": 1}
        found = read(KINDS[kind], body(kind, "odd", status=status))
        assert not isinstance(found, Unreadable)
        assert found.unread_status == ("observedGeneration", "observed_generation", "x")

    def test_why_says_the_field_and_no_value(self, kind: str) -> None:
        made = body(kind, "odd")
        first = next(iter(SPECS[kind]))
        made["spec"][first] = {"password": "hunter2"}
        found = read(KINDS[kind], made)
        assert isinstance(found, Unreadable)
        assert f"spec.{first}" in found.why
        assert "hunter2" not in found.why

    def test_without_a_spec(self, kind: str) -> None:
        made = body(kind, "odd")
        del made["spec"]
        assert isinstance(read(KINDS[kind], made), Unreadable)


class TestSalvaged:
    @settings(max_examples=150, deadline=None)
    @given(bodies("Tenant"))
    def test_anything(self, made: dict[str, Any]) -> None:
        found = read(Tenant, made)
        if isinstance(found, Unreadable):
            tenant = salvaged(found)
            assert tenant.metadata == found.metadata
            assert not tenant.is_spare  # the data of one goes with it

    def of(self, **spec: Any) -> Tenant:  # noqa: ANN401  JSON
        found = read(Tenant, body("Tenant", "odd", {"trialEndsAt": "2026-11-22T12:00:00+99:00", **spec}))
        assert isinstance(found, Unreadable)
        return salvaged(found)

    def test_what_can_be_read_is_kept(self) -> None:
        found = self.of(adopt="a" * 10, hosts=["a.example.com"], deletionPolicy="Delete")
        assert (found.id, found.spec.hosts, found.spec.slug) == ("a" * 10, ("a.example.com",), "acme")
        assert found.spec.deletion_policy is DeletionPolicy.DELETE

    @pytest.mark.parametrize("policy", ["delete", 5, None, {}])
    def test_a_deletion_policy_that_cannot_be_read_keeps_the_data(self, policy: object) -> None:
        assert self.of(deletionPolicy=policy).spec.deletion_policy is DeletionPolicy.RETAIN

    @pytest.mark.parametrize("slug", [None, 5, []])
    def test_without_a_slug_it_is_no_spare(self, slug: object) -> None:
        found = self.of(slug=slug, owner=None, pool="trial")
        assert (found.is_spare, found.goes_with_its_data, found.id) == (False, False, tenant_id("uid-odd"))

    def test_metadata_that_cannot_be_read_is_a_bug(self) -> None:
        found = read(Tenant, body("Tenant", "odd", {"hosts": 5}))
        assert isinstance(found, Unreadable)
        with pytest.raises(ValueError, match="metadata"):
            salvaged(Unreadable(found.metadata, {"metadata": {}, "spec": {"hosts": 5}}, "x"))
