"""Detection of external changes of a Tenant from its managedFields."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.domain.tenants import external_changes
from vivero_control.domain.tenants.repository import MANAGER
from vivero_core.model.constants import FIELD_MANAGER

AT = "2026-11-28T10:00:00Z"


def entry(manager: str, fields: dict[str, Any] | None = None, **rest: str) -> dict[str, Any]:
    spec = {"f:plan": {}, "f:suspended": {"f:reason": {}}} if fields is None else fields
    return {"manager": manager, "operation": "Update", "time": AT, "fieldsV1": {"f:spec": spec}, **rest}


def body(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "acme", "uid": "u1", "managedFields": list(entries)}}


def test_an_external_write_is_reported_with_manager_time_and_fields() -> None:
    (one,) = external_changes.external_changes(body(entry("kubectl-edit"), entry(MANAGER), entry(FIELD_MANAGER)))
    assert (one.tenant, one.manager, one.operation) == ("acme", "kubectl-edit", "Update")
    assert one.at == datetime(2026, 11, 28, 10, tzinfo=UTC)
    assert one.fields == ("plan", "suspended")


@pytest.mark.parametrize(
    "none",
    [
        entry(MANAGER),
        entry(FIELD_MANAGER),
        entry("kubectl-edit", subresource="status"),
        entry("kubectl-label", fields={}),
        {"manager": "kubectl-annotate", "operation": "Update", "time": AT, "fieldsV1": {"f:metadata": {}}},
        {"manager": "old-server", "operation": "Update", "time": AT},
    ],
)
def test_our_own_writes_and_status_writes_are_not_external_changes(none: dict[str, Any]) -> None:
    assert external_changes.external_changes(body(none)) == []
    assert external_changes.external_changes({"metadata": {"name": "acme", "uid": "u1"}}) == []


WRITES = st.builds(
    external_changes.ExternalChange,
    tenant=st.just("acme"),
    uid=st.sampled_from(["u1", "u2"]),
    manager=st.text(max_size=128),
    operation=st.sampled_from(["Apply", "Update"]),
    at=st.datetimes(timezones=st.just(UTC)),
    fields=st.just(("plan",)),
)


@given(WRITES, WRITES)
def test_one_write_has_one_source_and_two_have_two(
    one: external_changes.ExternalChange, other: external_changes.ExternalChange
) -> None:
    assert (external_changes.observed(one).source == external_changes.observed(other).source) is (one == other)
    assert len(external_changes.observed(one).source) == 64
