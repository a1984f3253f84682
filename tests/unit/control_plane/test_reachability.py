"""A new workspace is probed at its address by one task, for a bounded time, and only while its route is new."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from msgspec import UNSET
from unit.control_plane.builders import NOW, condition, tenant
from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.signups import access
from vivero_control.domain.signups import views as module
from vivero_control.domain.signups.access import BearerTokens, LoginTickets
from vivero_control.domain.signups.reachability import ROUTE_IS_NEW, Reachability, is_new, with_result
from vivero_control.domain.signups.views import ReaderDeps, SignupReader, SignupViews, StreamSlots
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.jobs.repository import JobStatus
from vivero_core.backends.kube.client import Listing
from vivero_core.model.constants import ANNOTATION_TRACE
from vivero_core.model.tenant import Tenant
from vivero_core.tracing.context import Context

PATIENCE = 0.5
PARTS = ["DatabaseReady", "StorageReady", "CacheReady", "WorkloadReady", "RouteReady", "OwnerReady", "Ready"]


def nothing() -> None:
    """A sleep that returns at once."""


class FakeIngress:
    """An ingress that knows the route from a given probe on."""

    def __init__(self, opens_after: int) -> None:
        self.opens_after = opens_after
        self.asked: list[tuple[str, str]] = []

    async def probe(self, slug: str, tenant_id: str) -> bool:
        self.asked.append((slug, tenant_id))
        await asyncio.sleep(0)
        return len(self.asked) > self.opens_after


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def ready(name: str = "acme", *, routed: timedelta = timedelta(0), **spec: object) -> Tenant:
    """A ready Tenant with a route of this age."""
    conditions = [condition(kind) for kind in PARTS]
    for one in conditions:
        one["lastTransitionTime"] = (NOW - routed).isoformat()
    return tenant(name, conditions=conditions, **spec)


def test_a_route_is_new_for_a_minute_and_unknown_until_it_is_made() -> None:
    assert is_new(tenant(), NOW)
    assert is_new(ready(), NOW)
    assert not is_new(ready(), NOW + ROUTE_IS_NEW)


async def test_concurrent_waiters_share_one_probe() -> None:
    door, told = FakeIngress(2), list[str]()
    reachability = Reachability(door.probe, PATIENCE, Now())
    looks = [reachability.probe(ready(), then=lambda: told.append("then")) for _ in range(50)]
    assert not reachability.is_reachable(ready())
    (probe,) = set(looks)
    assert probe is not None
    await probe
    await asyncio.sleep(0)
    assert door.asked == [("acme", ready().id)] * 3
    assert told == ["then"]
    assert reachability.is_reachable(ready())
    assert reachability.probe(ready(), then=nothing) is None


async def test_an_unreachable_workspace_counts_as_reached_after_a_timeout_which_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = FakeIngress(10_000)
    reachability = Reachability(door.probe, PATIENCE, Now())
    probe = reachability.probe(ready(), then=nothing)
    assert probe is not None
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(probe, 20 * PATIENCE)
    assert reachability.is_reachable(ready())
    assert [vars(record)["slug"] for record in caplog.records] == ["acme"]
    assert "workspace not reachable" in caplog.text
    assert 1 < len(door.asked) <= 9, "ever more slowly"


async def test_an_old_route_is_not_probed() -> None:
    door = FakeIngress(0)
    reachability = Reachability(door.probe, PATIENCE, Now())
    old = ready(routed=ROUTE_IS_NEW)
    assert reachability.is_reachable(old)
    assert reachability.probe(old, then=nothing) is None
    assert Reachability(door.probe, 0, Now()).probe(ready(), then=nothing) is None, "switched off"
    assert door.asked == []


def test_results_are_forgotten_when_the_route_is_old() -> None:
    known: dict[str, datetime] = {}
    for minute in range(10):
        known = with_result(known, f"uid-{minute}", NOW + minute * ROUTE_IS_NEW)
    assert list(known) == ["uid-7", "uid-8", "uid-9"]


async def test_a_failed_probe_task_is_not_restarted() -> None:
    async def broken(*_: str) -> bool:
        raise ValueError

    reachability = Reachability(broken, PATIENCE, Now())
    probe = reachability.probe(ready(), then=nothing)
    assert probe is not None
    with pytest.raises(ValueError):  # noqa: PT011  whatever it is
        await probe
    assert reachability.is_reachable(ready())


async def test_closing_cancels_all_probes() -> None:
    reachability = Reachability(FakeIngress(10_000).probe, 30, Now())
    probe = reachability.probe(ready(), then=nothing)
    assert probe is not None
    reachability.close()
    await asyncio.wait([probe], timeout=10)
    assert probe.cancelled()


class OneSignup(SignupReader):
    """A view of one signup, with a given row."""

    signup = Signup(
        id="5f2c", email="a@acme.example", company="Acme", slug="acme", slug_claim="acme", plan="trial", created_at=NOW
    )

    async def _load(self, signup_id: str) -> tuple[Signup, JobStatus | None]:
        del signup_id
        return self.signup, None


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BEARERS = BearerTokens(b"k" * 32)


class FakeTickets:
    def login_url(self, url: str, *, trace: Context | None, **_: object) -> str:
        return f"{url}/login/ticket#{trace or 't'}"


def service(door: FakeIngress, seen: Tenant) -> OneSignup:
    directory = TenantDirectory()
    directory.apply(Listing([], "0"))
    directory.record_write(seen)
    reachability = Reachability(door.probe, PATIENCE, Now())
    tickets, tenant_url = cast("LoginTickets", FakeTickets()), "https://{}.vivero.localhost".format
    return OneSignup(
        ReaderDeps(
            database=cast("Database", None),
            directory=directory,
            views=SignupViews(directory, reachability, tickets, tenant_url, Now()),
            bearers=BEARERS,
            streams=StreamSlots(9),
            clock=Now(),
        )
    )


def signed_up(**changes: Any) -> Tenant:  # noqa: ANN401  as `ready`
    owner = {"email": "a@acme.example", "passwordHashSecret": access.secret_name("5f2c")}
    return ready(owner=owner, **changes)


async def test_a_stream_says_ready_when_the_address_answers() -> None:
    door = FakeIngress(3)
    stream = await service(door, signed_up()).follow("5f2c", BEARERS.issue("5f2c"))
    views = [view async for view in stream if view]
    assert [view.state for view in views] == ["provisioning", "ready"]
    assert [step.state for step in views[0].steps] == ["done"] * 6 + ["running"]
    assert [bool(view.login_url) for view in views] == [False, True]
    assert len(door.asked) == 4


@pytest.mark.parametrize(
    "bearer", [None, "", "5f2c", BEARERS.issue("another"), BearerTokens(b"o" * 32).issue("5f2c"), "\udce9é"]
)
async def test_the_id_alone_shows_the_progress_and_no_login(bearer: str | None) -> None:
    about = service(FakeIngress(0), signed_up())
    seen = [view async for view in await about.follow("5f2c", bearer) if view]
    for view in (*seen, await about.get("5f2c", bearer)):
        assert (view.login_url, view.bearer) == (UNSET, UNSET)
    assert seen[-1].state == "ready"
    assert (await about.get("5f2c", BEARERS.issue("5f2c"))).login_url == "https://acme.vivero.localhost/login/ticket#t"


@pytest.mark.parametrize(("annotation", "named"), [(TRACE, TRACE), ("x" * 5000, "t"), ("", "t")])
async def test_the_login_belongs_to_the_signups_trace(annotation: str, named: str) -> None:
    """What someone else wrote into the annotation is in no ticket."""
    seen = signed_up()
    seen.metadata.annotations[ANNOTATION_TRACE] = annotation
    view = await service(FakeIngress(0), seen).get("5f2c", BEARERS.issue("5f2c"))
    assert view.login_url == f"https://acme.vivero.localhost/login/ticket#{named}"


async def test_polling_gets_ready_when_the_address_answers() -> None:
    door = FakeIngress(3)
    about = service(door, signed_up())
    views = await asyncio.gather(*(about.get("5f2c") for _ in range(20)))
    assert {view.state for view in views} == {"ready"}
    assert len(door.asked) == 4


async def test_polling_waits_only_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.05)
    about = service(FakeIngress(10_000), signed_up())
    assert (await about.get("5f2c")).state == "provisioning"
    await asyncio.sleep(PATIENCE)
    assert (await about.get("5f2c")).state == "ready"


@pytest.mark.parametrize(
    "make",
    [
        lambda: signed_up(suspended={"reason": "Manual"}),
        lambda: tenant(owner={"email": "a@acme.example", "passwordHashSecret": access.secret_name("5f2c")}),
    ],
)
async def test_suspended_or_unready_workspaces_are_not_probed(make: Callable[[], Tenant]) -> None:
    door = FakeIngress(0)
    about = service(door, make())
    await about.get("5f2c")
    assert door.asked == []
