from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from vivero_core.model.conditions import Condition, Status, find, is_true, merge
from vivero_core.model.constants import DeletionPolicy
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.naming import tenant_id
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UID = "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11"
BODY = {
    "apiVersion": "vivero.dev/v1alpha1",
    "kind": "Tenant",
    "metadata": {"name": "acme", "uid": UID, "generation": 3, "resourceVersion": "17", "managedFields": []},
    "spec": {"displayName": "Acme", "slug": "acme", "plan": "trial", "owner": {"email": "a@b.co"}, "newer": 1},
}


def condition(kind: str, status: Status, at: datetime = NOW, reason: str = "Some") -> Condition:
    return Condition(type=kind, status=status, reason=reason, last_transition_time=at)


def test_a_tenant_is_read_from_what_the_api_server_says() -> None:
    tenant = Tenant.parse(BODY)
    assert tenant.name == "acme"
    assert tenant.id == tenant_id(UID)
    assert tenant.metadata.resource_version == "17"
    assert tenant.spec.deletion_policy is DeletionPolicy.RETAIN
    assert tenant.status.conditions == ()


def test_an_adopting_tenant_has_the_adopted_id() -> None:
    body = {**BODY, "spec": {**BODY["spec"], "adopt": "abcdefghij"}}  # type: ignore[dict-item]
    assert Tenant.parse(body).id == "abcdefghij"


def test_dump_is_camel_case_without_absent_fields() -> None:
    dumped = Tenant.parse(BODY).spec.dump()
    assert dumped == {
        "displayName": "Acme",
        "slug": "acme",
        "hosts": [],
        "hostCertificates": [],
        "plan": "trial",
        "owner": {"email": "a@b.co", "confirmed": True},
        "deletionPolicy": "Retain",
    }


def test_a_spare_has_no_slug_and_no_owner_and_goes_with_its_data() -> None:
    spare = Tenant.parse({**BODY, "spec": {"displayName": "Spare", "plan": "trial", "pool": "trial"}})
    assert (spare.is_spare, spare.spec.owner, spare.goes_with_its_data) == (True, None, True)
    claimed = Tenant.parse(BODY)
    assert (claimed.is_spare, claimed.goes_with_its_data) == (False, False)


def test_a_spec_without_a_plan_is_refused() -> None:
    with pytest.raises(ValidationError, match="plan"):
        Tenant.parse({**BODY, "spec": {"displayName": "Acme", "slug": "acme", "owner": {"email": "a@b.co"}}})


def test_null_limits_are_unlimited() -> None:
    plan = Plan.parse(
        {
            "metadata": {"name": "enterprise"},
            "spec": {
                "displayName": "Enterprise",
                "price": {"amountCents": 1500000, "startingAt": True},
                "limits": {"records": None, "connections": 100},
            },
        }
    )
    assert plan.name == "enterprise"
    assert plan.spec.limits.records is None
    assert plan.spec.limits.connections == 100


def test_a_database_server_has_defaults() -> None:
    spec = {"host": "db.example", "adminSecret": "admin", "caConfigMap": "ca"}
    server = DatabaseServer.parse({"metadata": {"name": "main"}, "spec": spec})
    assert (server.name, server.spec.port, server.spec.cordoned) == ("main", 3306, False)


def test_merge_keeps_the_time_of_an_unchanged_status() -> None:
    later = NOW + timedelta(minutes=1)
    old = (condition("Ready", Status.TRUE), condition("CacheReady", Status.FALSE))
    new = (
        condition("CacheReady", Status.TRUE, later),
        condition("Ready", Status.TRUE, later, "Other"),
        condition("Suspended", Status.FALSE, later),
    )
    merged = merge(old, new)
    assert [one.type for one in merged] == ["Ready", "CacheReady", "Suspended"]
    assert merged[0].last_transition_time == NOW
    assert merged[0].reason == "Other"
    assert merged[1].last_transition_time == later


def test_find_and_is_true() -> None:
    some = (condition("Ready", Status.UNKNOWN), condition("Suspended", Status.TRUE))
    assert find(some, "Ready") is some[0]
    assert find(some, "Absent") is None
    assert is_true(some, "Suspended")
    assert not is_true(some, "Ready")
    assert not is_true(some, "Absent")
