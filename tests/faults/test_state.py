import base64
from typing import Any

from faults.state import Names, child, diff, ids, orphans, tenant

NAMES = Names("pool-a-x7k2m", "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11", "acme", "pool-a")


def secret(**content: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    meta = {"name": "database", "namespace": "tenant-x", "uid": "1", "resourceVersion": "7", "labels": {"a": "b"}}
    return {"kind": "Secret", "metadata": meta, "data": data}


def test_names_of_a_run_become_what_they_are() -> None:
    text = f"https://acme.example/ pool-a-x7k2m pool-a {NAMES.id} {NAMES.uid}"
    assert NAMES.neutral([text]) == ["https://<slug>.example/ <name> <pool> <id> <uid>"]


def test_random_values_are_worth_no_difference_and_others_are() -> None:
    one, other = secret(password="a" * 64, host="here"), secret(password="b" * 64, host="there")
    assert diff(child(one), child(other)) == ["data.host: undisturbed 'here', now 'there'"]


def test_a_missing_or_short_password_is_a_difference() -> None:
    assert diff(child(secret(password="a" * 64)), child(secret(password="short")))
    assert diff(child(secret(password="a" * 64)), child(secret()))


def test_versions_and_times_are_no_difference_but_labels_are() -> None:
    one, other = secret(), secret()
    other["metadata"] |= {"uid": "2", "resourceVersion": "8", "creationTimestamp": "now", "managedFields": []}
    assert diff(child(one), child(other)) == []
    other["metadata"]["labels"] = {}
    assert diff(child(one), child(other)) == ["metadata.labels.a: undisturbed 'b', now None"]


def a_tenant(generation: int, observed: int, since: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True", "reason": "Proven", "message": "Healthy", "lastTransitionTime": since}
    status = {"observedGeneration": observed, "conditions": [ready], "provenAt": since}
    status |= {"recovery": {"to": since}}
    return {"metadata": {"name": "a", "generation": generation}, "spec": {"plan": "p"}, "status": status}


def test_a_tenant_is_the_same_at_another_time() -> None:
    assert diff(tenant(a_tenant(1, 1, "then")), tenant(a_tenant(3, 3, "now"))) == []


def test_a_status_that_lags_is_a_difference() -> None:
    assert diff(tenant(a_tenant(3, 3, "now")), tenant(a_tenant(3, 2, "now"))) == [
        "status.current: undisturbed True, now False"
    ]


def test_objects_that_are_there_once_too_often_or_not_at_all() -> None:
    assert diff({"a": 1}, {"a": 1, "b": {"c": 2}}) == ["b: undisturbed None, now {'c': 2}"]
    assert diff({"a": [1, 2]}, {"a": [1]}) == ["a: undisturbed [1, 2], now [1]"]
    assert diff({"a": [1, 2]}, {"a": [1, 3]}) == ["a[1]: undisturbed 2, now 3"]


def test_ids_are_read_from_every_kind_of_name() -> None:
    names = ["vtabcdefgh23", "vtabcdefgh34a", "vivero-abcdefgh45", "tenant-abcdefgh56", "vivero-system", "mysql"]
    assert ids(names) == {"abcdefgh23", "abcdefgh34", "abcdefgh45", "abcdefgh56"}


def test_an_orphan_is_new_and_nobodys() -> None:
    now = {"schemas": {"old", "live", "left"}, "buckets": {"live"}}
    assert orphans(now, {"schemas": {"old"}, "buckets": set()}, {"live"}) == {"schemas": ["left"]}
