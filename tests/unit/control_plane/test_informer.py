"""The in-memory copy of Tenants."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from unit.control_plane.builders import spare_body, tenant_body
from vivero_control.domain.tenants.directory import TenantDirectory, secret_key, slug_key
from vivero_control.domain.tenants.hosts import HostService, as_error
from vivero_control.domain.tenants.schemas import HostState, HostStatus
from vivero_core.backends.kube.client import Change, Listing
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant


def directory(*bodies: dict[str, Any]) -> TenantDirectory:
    made = TenantDirectory()
    made.apply(Listing(list(bodies), "1"))
    return made


def test_a_list_replaces_and_changes_follow() -> None:
    informer = directory(tenant_body("a1b"), tenant_body("b2c"))
    informer.apply(Change("MODIFIED", tenant_body("a1b", plan="starter")))
    informer.apply(Change("DELETED", tenant_body("b2c")))
    informer.apply(Change("ADDED", tenant_body("c3d")))
    assert {one.name: one.spec.plan for one in informer.all()} == {"a1b": "starter", "c3d": "trial"}
    informer.apply(Listing([tenant_body("d4e")], "9"))
    assert [one.name for one in informer.all()] == ["d4e"]
    assert informer.by_slug("a1b") is None


def test_found_by_slug_and_host_whatever_its_name() -> None:
    informer = directory(tenant_body("by-hand", slug="acme", hosts=["app.acme.com"]))
    assert informer.has("acme")
    assert informer.has("by-hand")
    assert informer.by_host("app.acme.com") is informer.by_slug("acme")
    informer.apply(Change("MODIFIED", tenant_body("by-hand", slug="acme")))
    assert informer.by_host("app.acme.com") is None


def test_one_unreadable_object_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    odd = tenant_body("odd")
    odd["spec"]["slug"] = 7
    informer = directory(odd, tenant_body("fine"))
    assert [one.name for one in informer.all()] == ["fine"]
    assert [vars(record)["object"] for record in caplog.records] == ["odd"]


def unreadable_body(name: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401  as tenant_body
    return tenant_body(name, trialEndsAt="2026-12-01T00:00:00+99:00", **spec)


def test_unreadable_objects_are_listed_with_the_reason() -> None:
    informer = directory(unreadable_body("odd"), tenant_body("fine"))
    assert [one.name for one in informer.all()] == ["fine"]
    (odd,) = informer.unreadable()
    assert (odd.name, "trialEndsAt" in odd.why) == ("odd", True)
    assert REGISTRY.get_sample_value("vivero_control_unreadable_objects", {"kind": "Tenant"}) == 1
    assert informer.has("odd"), "its name and its slug are taken"
    informer.apply(Change("MODIFIED", tenant_body("odd")))
    assert {one.name for one in informer.all()} == {"odd", "fine"}
    assert not informer.unreadable()
    assert REGISTRY.get_sample_value("vivero_control_unreadable_objects", {"kind": "Tenant"}) == 0


@pytest.mark.parametrize("last", ["DELETED", "list"])
def test_an_object_that_became_unreadable_is_not_served_stale_and_can_be_deleted(last: str) -> None:
    informer = directory(tenant_body("odd", hosts=["app.odd.com"]))
    informer.apply(Change("MODIFIED", unreadable_body("odd", hosts=["app.odd.com"])))
    assert (informer.all(), informer.by_slug("odd")) == ([], None)
    assert informer.has("odd")
    hosts = HostService(informer, "vivero.localhost")
    assert hosts.status("odd.vivero.localhost").state is HostState.STARTING, "it is there, so 503"
    assert hosts.status("app.odd.com").state is HostState.STARTING
    informer.apply(Listing([], "9") if last == "list" else Change("DELETED", unreadable_body("odd")))
    assert not informer.unreadable()
    assert hosts.status("odd.vivero.localhost").state is HostState.UNKNOWN


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["fine", "odd", "gone"]))))
def test_an_object_is_in_exactly_one_index(events: list[tuple[str, str]]) -> None:
    informer, now = directory(), dict[str, str]()
    for version, (letter, what) in enumerate(events, 10):
        name = f"tenant-{letter}"
        body = unreadable_body(name) if what == "odd" else tenant_body(name)
        body["metadata"]["resourceVersion"] = str(version)
        informer.apply(Change("DELETED" if what == "gone" else "MODIFIED", body))
        now[name] = what
    assert {one.name for one in informer.all()} == {name for name, what in now.items() if what == "fine"}
    assert {one.name for one in informer.unreadable()} == {name for name, what in now.items() if what == "odd"}


async def test_subscribers_are_notified_of_their_object_only() -> None:
    informer = directory()
    with informer.subscribe(slug_key("acme")) as changed:
        informer.apply(Change("ADDED", tenant_body("other")))
        assert not changed.is_set()
        informer.apply(Change("ADDED", tenant_body("trial-x7k2m", slug="acme")))
        await asyncio.wait_for(changed.wait(), 10)
        changed.clear()
        informer.apply(Change("DELETED", tenant_body("trial-x7k2m", slug="acme")))
        assert changed.is_set()
    informer.apply(Change("ADDED", tenant_body("acme")))


async def test_a_claim_notifies_the_signups_subscribers() -> None:
    informer = directory(spare_body("trial-x7k2m"))
    with informer.subscribe(secret_key("signup-1")) as changed:
        informer.apply(Change("MODIFIED", spare_body("trial-x7k2m", version=8)))
        assert not changed.is_set()
        informer.apply(Change("MODIFIED", claimed_body("trial-x7k2m", version=9)))
        assert changed.is_set()
    found = informer.by_secret("signup-1")
    assert found is not None
    assert (found.name, found.spec.slug) == ("trial-x7k2m", "acme")
    assert informer.has("acme")
    assert informer.has("trial-x7k2m")


def test_of_two_with_one_slug_the_first_is_found_until_it_goes() -> None:
    informer = directory(tenant_body("first", slug="acme"), tenant_body("second", slug="acme"))
    informer.apply(Change("MODIFIED", tenant_body("first", slug="acme", plan="starter")))
    assert name_of(informer) == "first"
    informer.apply(Change("DELETED", tenant_body("first", slug="acme")))
    assert name_of(informer) == "second"


def name_of(informer: TenantDirectory) -> str | None:
    found = informer.by_slug("acme")
    return found.name if found else None


@given(st.lists(st.sampled_from(["spare", "claimed", "own"]), min_size=1, unique=True))
def test_the_newest_version_wins_not_the_last_event(heard: list[str]) -> None:
    """Version 8 is the operator's write of the spare, 9 our claim: seen as our own answer, as the watch's, or both."""
    informer = directory(spare_body("trial-x7k2m"))
    for one in heard:
        if one == "own":
            informer.record_write(Tenant.parse(claimed_body("trial-x7k2m", version=9)))
        else:
            body = spare_body("trial-x7k2m", version=8) if one == "spare" else claimed_body("trial-x7k2m", version=9)
            informer.apply(Change("MODIFIED", body))
    assert informer.has("acme") is (heard != ["spare"])


def test_our_own_write_does_not_restore_a_deleted_object() -> None:
    informer = directory(spare_body("trial-x7k2m"))
    gone = claimed_body("trial-x7k2m", version=10)
    informer.apply(Change("DELETED", gone))
    informer.record_write(Tenant.parse(claimed_body("trial-x7k2m", version=9)))
    assert informer.all() == []


def test_a_list_older_than_our_own_write_does_not_undo_it() -> None:
    informer = directory()
    informer.record_write(Tenant.parse(tenant_body("acme")))
    informer.apply(Listing([], "6"))
    assert informer.has("acme")
    informer.apply(Listing([], "8"))
    assert not informer.has("acme")


def test_a_process_without_a_watch_keeps_nothing() -> None:
    informer = TenantDirectory()
    informer.record_write(Tenant.parse(tenant_body("acme")))
    assert informer.all() == []


def claimed_body(name: str, *, version: int) -> dict[str, Any]:
    body = tenant_body(name, slug="acme", owner={"email": "a@example.com", "passwordHashSecret": "signup-1"})
    body["metadata"]["resourceVersion"] = str(version)
    return body


def test_the_status_of_a_host() -> None:
    suspended = tenant_body("closed", suspended={"reason": "Unpaid", "message": "Pay."}, hosts=["own.example.com"])
    nobodys = spare_body("trial-x7k2m", hosts=["spare.example.com"])
    old = tenant_body("old") | {"status": {"provenAt": "2026-11-22T12:00:00Z"}}
    hosts = HostService(directory(suspended, tenant_body("young"), old, nobodys), "vivero.localhost")
    closed = hosts.status("closed.vivero.localhost")
    assert closed.account_url == "", "nothing is sold"
    assert (closed.state, closed.reason, closed.message) == (HostState.SUSPENDED, "Unpaid", "Pay.")
    assert hosts.status("own.example.com").state is HostState.SUSPENDED
    assert hosts.status("young.vivero.localhost").state is HostState.STARTING
    assert hosts.status("old.vivero.localhost").state is HostState.AWAY
    assert hosts.status("nobody.vivero.localhost").state is HostState.UNKNOWN
    assert hosts.status("trial-x7k2m.vivero.localhost").state is HostState.UNKNOWN
    assert hosts.status("spare.example.com").state is HostState.UNKNOWN
    assert hosts.status("vivero.localhost.evil.example").state is HostState.UNKNOWN
    assert hosts.is_own("vivero.localhost")


def test_before_the_first_list_nothing_is_unknown() -> None:
    hosts = HostService(TenantDirectory(), "vivero.localhost")
    assert hosts.status("acme.vivero.localhost").state is HostState.UNSURE


@pytest.mark.parametrize(
    ("host", "status", "retry"),
    [
        (HostStatus(host="a", state=HostState.STARTING), 503, "3"),
        (HostStatus(host="a", state=HostState.AWAY), 503, "3"),
        (HostStatus(host="a", state=HostState.UNSURE), 503, "3"),
        (HostStatus(host="a", state=HostState.SUSPENDED, reason=SuspensionReason.UNPAID, message="Pay."), 503, None),
        (HostStatus(host="a", state=HostState.UNKNOWN), 404, None),
        (HostStatus(host="a\x00\u202e", state=HostState.UNKNOWN), 404, None),
    ],
)
def test_responses_to_programs_at_a_host(host: HostStatus, status: int, retry: str | None) -> None:
    error = as_error(host)
    assert (error.status, error.headers.get("Retry-After")) == (status, retry)
    assert error.detail.isprintable()
    assert error.detail.endswith(".")
