"""The in-memory copy of Tenants."""

import asyncio
from typing import Any

import pytest
from unit.control_plane.builders import tenant_body
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.hosts import HostService
from vivero_control.domain.tenants.schemas import HostState
from vivero_control.errors import UnavailableError
from vivero_core.backends.kube.client import Change, Listing


def directory(*bodies: dict[str, Any]) -> TenantDirectory:
    made = TenantDirectory()
    made.take(Listing(list(bodies), "1"))
    return made


def test_a_list_replaces_and_changes_follow() -> None:
    mirror = directory(tenant_body("a1b"), tenant_body("b2c"))
    mirror.take(Change("MODIFIED", tenant_body("a1b", plan="starter")))
    mirror.take(Change("DELETED", tenant_body("b2c")))
    mirror.take(Change("ADDED", tenant_body("c3d")))
    assert {one.name: one.spec.plan for one in mirror.all()} == {"a1b": "starter", "c3d": "trial"}
    mirror.take(Listing([tenant_body("d4e")], "9"))
    assert [one.name for one in mirror.all()] == ["d4e"]
    assert mirror.by_slug("a1b") is None


def test_found_by_slug_and_host_whatever_its_name() -> None:
    mirror = directory(tenant_body("by-hand", slug="acme", hosts=["app.acme.com"]))
    assert mirror.has("acme")
    assert mirror.has("by-hand")
    assert mirror.by_host("app.acme.com") is mirror.by_slug("acme")
    mirror.take(Change("MODIFIED", tenant_body("by-hand", slug="acme")))
    assert mirror.by_host("app.acme.com") is None


def test_one_odd_object_does_not_blind_for_the_others(caplog: pytest.LogCaptureFixture) -> None:
    odd = tenant_body("odd")
    odd["spec"]["slug"] = 7
    mirror = directory(odd, tenant_body("fine"))
    assert [one.name for one in mirror.all()] == ["fine"]
    assert "odd" in caplog.text


async def test_subscribers_hear_of_their_object_only() -> None:
    mirror = directory()
    with mirror.subscribe("acme") as changed:
        mirror.take(Change("ADDED", tenant_body("other")))
        assert not changed.is_set()
        mirror.take(Change("ADDED", tenant_body("acme")))
        await asyncio.wait_for(changed.wait(), 1)
    mirror.take(Change("DELETED", tenant_body("acme")))


def test_what_a_host_stands_for() -> None:
    suspended = tenant_body("closed", suspended={"reason": "Unpaid", "message": "Pay."}, hosts=["own.example.com"])
    hosts = HostService(directory(suspended, tenant_body("young")), "vivero.localhost")
    closed = hosts.status("closed.vivero.localhost")
    assert (closed.state, closed.reason, closed.message) == (HostState.SUSPENDED, "Unpaid", "Pay.")
    assert hosts.status("own.example.com").state is HostState.SUSPENDED
    assert hosts.status("young.vivero.localhost").state is HostState.STARTING
    assert hosts.status("nobody.vivero.localhost").state is HostState.UNKNOWN
    assert hosts.status("vivero.localhost.evil.example").state is HostState.UNKNOWN
    assert hosts.is_own("vivero.localhost")


def test_before_the_first_list_nothing_is_unknown() -> None:
    with pytest.raises(UnavailableError):
        HostService(TenantDirectory(), "vivero.localhost").status("acme.vivero.localhost")
