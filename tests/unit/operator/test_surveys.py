"""Surveys of the backing servers: each for itself, whatever the others do, and what is kept of them."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from reconcile.world import SERVER, World, tenant_body
from unit.operator.waiting import until
from vivero_core.errors import BackendUnfinishedError
from vivero_operator import metrics
from vivero_operator.backend_clients import BackendClient, BackendClients, PlatformObjects
from vivero_operator.policies import backoff
from vivero_operator.reconcile import surveys
from vivero_operator.reconcile.surveys import Surveyor

IDENT = "u5g5446au3"


class Hanging:
    """A circuit breaker whose server does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    async def call(self, *_: object) -> None:
        self.asked += 1
        await asyncio.Event().wait()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(surveys, "SERVERS_SECONDS", 0.01)
    monkeypatch.setattr(surveys, "GOES_ON_SECONDS", 0.01)


@asynccontextmanager
async def surveying(world: World) -> AsyncIterator[Surveyor]:
    surveyor = Surveyor(world.services, lambda *_: None)
    task = asyncio.create_task(surveyor.run())
    yield surveyor
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


def looks(world: World) -> dict[str, int]:
    return {name: server.calls.count("survey") for name, server in world.backends.all().items()}


SECOND = {**SERVER, "metadata": {"name": "second", "uid": "s"}}


@pytest.mark.usefixtures("quick")
class TestEachServerForItself:
    @pytest.mark.parametrize("ill", ["main", "s3", "valkey"])
    async def test_one_that_hangs_delays_no_other(self, ill: str, monkeypatch: pytest.MonkeyPatch) -> None:
        world, hanging = World(), Hanging()
        world.put(SERVER)
        world.put(SECOND)
        clients: dict[str, Callable[..., Any]] = {
            "main": world.backends.database,
            "s3": world.backends.storage,
            "valkey": world.backends.cache,
        }

        async def client(*server: Any) -> Any:  # noqa: ANN401  in place of any of the three
            if ill == "main" and server[0].name != "main":
                return await clients["main"](*server)
            return BackendClient(world.backends.all()[ill], cast("Any", hanging))

        world.backends.servers["main"].ping()
        monkeypatch.setattr(world.backends, {"main": "database", "s3": "storage", "valkey": "cache"}[ill], client)
        async with surveying(world):
            await until(lambda: all(count > 5 for name, count in looks(world).items() if name != ill))
        assert looks(world)[ill] == 0
        assert hanging.asked == 1

    @pytest.mark.parametrize("ill", ["main", "s3", "valkey"])
    @pytest.mark.parametrize(
        "error", [KeyError("password"), ssl.SSLError("no PEM"), UnicodeError("host"), RuntimeError("bug")]
    )
    async def test_a_bug_at_one_ends_neither_the_others_nor_the_loop(
        self, ill: str, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        world, waits = World(), list[int]()
        world.put(SERVER)
        world.put(SECOND)
        server = world.backends.servers["main"] if ill == "main" else world.backends.all()[ill]
        failures = [error] * 3

        def survey() -> dict[str, str]:
            if failures:
                raise failures.pop()
            server.calls.append("survey")
            return {}

        def delay(count: int, _spread: float) -> float:
            waits.append(count)
            return 0.001

        monkeypatch.setattr(server, "survey", survey)
        monkeypatch.setattr(backoff, "delay", delay)
        system = f"mariadb/{ill}" if ill == "main" else ill
        before = metrics.SURVEY_ERRORS.labels(system)._value.get()  # noqa: SLF001  the library has no reader
        async with surveying(world):
            await until(lambda: all(count > 3 for count in looks(world).values()))
        assert waits == [1, 2, 3]
        assert metrics.SURVEY_ERRORS.labels(system)._value.get() - before == 3  # noqa: SLF001
        assert [
            record.exc_info is not None
            for record in caplog.records
            if record.message == "survey failed with an unexpected error"
        ] == [True] * 3

    async def test_a_server_that_comes_gets_its_loop_and_one_that_goes_loses_it(self) -> None:
        world = World()
        world.put(SERVER)
        async with surveying(world):
            await until(lambda: looks(world).get("main", 0) > 0)
            world.put(SECOND)
            await until(lambda: looks(world).get("second", 0) > 0)
            gone = world.backends.servers["second"]
            world.cluster.servers.drop("second", "s")
            await until(lambda: "second" not in world.backends.servers)
            before = gone.calls.count("survey")
            count = looks(world)["main"]
            await until(lambda: looks(world)["main"] > count + 5)
            assert gone.calls.count("survey") == before

    async def test_a_look_that_is_too_long_for_one_call_goes_on_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        monkeypatch.setattr(surveys, "EVERY_SECONDS", 60.0)
        parts = [BackendUnfinishedError("s3", "many buckets")] * 3

        def survey() -> dict[str, str]:
            if parts:
                raise parts.pop()
            world.backends.s3.calls.append("survey")
            return {}

        monkeypatch.setattr(world.backends.s3, "survey", survey)
        async with surveying(world):
            await until(lambda: looks(world)["s3"] == 1)


async def test_a_wrong_secret_of_one_server_ends_no_survey(caplog: pytest.LogCaptureFixture) -> None:
    """On the real way to the servers: the Secret lacks a key, the authority is not a PEM."""
    world = World()
    world.kube.put(
        {"kind": "ConfigMap", "metadata": {"name": "vivero-ca", "namespace": "vivero-system"}, "data": {"ca.crt": "-"}}
    )
    world.put(SERVER)
    objects = PlatformObjects(cast("Any", world.kube), "vivero-system")
    services = replace(world.services, backends=BackendClients(world.services.settings, objects))
    caplog.set_level(logging.INFO)
    await Surveyor(services, lambda *_: None).look()
    said = [record.message for record in caplog.records if "survey failed, retrying" in record.message]
    assert len(said) == 3
    assert all("ConfigMap vivero-system/vivero-ca key ca.crt is not a PEM certificate" in one for one in said)


class TestHarmed:
    """What is not as it should be is no measure: put right and lost once more, it looks the same."""

    @pytest.mark.parametrize(
        ("aspect", "step"), [("DatabaseReady", "database"), ("StorageReady", "storage"), ("CacheReady", "cache")]
    )
    async def test_it_is_suspect_at_every_look(self, aspect: str, step: str) -> None:
        world, suspects = World(), list[tuple[str, str]]()
        world.put(SERVER)
        world.put(tenant_body())
        for server in (world.backends.servers["main"], world.backends.s3, world.backends.valkey):
            server.users |= {f"vt{IDENT}a": "secret", f"vivero-{IDENT}": "secret", f"vt{IDENT}": "secret"}
        surveyor = Surveyor(world.services, lambda *whose: suspects.append(whose))
        await surveyor.look()

        async def look(status: str) -> list[tuple[str, str]]:
            since = "2026-11-22T12:00:00Z"
            condition = {"type": aspect, "status": status, "reason": "Any", "lastTransitionTime": since}
            known = {"provenAt": since, "conditions": [condition]}
            world.put({"kind": "Tenant", "metadata": {"name": "acme"}, "status": known})
            suspects.clear()
            await surveyor.look()
            return list(suspects)

        seen = [await look(status) for status in ("True", "False", "False", "False", "True", "True")]
        assert seen == [[], [], [(IDENT, step)], [(IDENT, step)], [(IDENT, step)], []]

    async def test_what_changes_is_looked_at_twice(self) -> None:
        """Put right and changed in the same way by the next look, it would seem to have stayed as it is."""
        world, suspects = World(), list[tuple[str, str]]()
        world.put(SERVER)
        world.put(tenant_body())
        users = world.backends.servers["main"].users
        users[f"vt{IDENT}a"] = "secret"
        surveyor = Surveyor(world.services, lambda *whose: suspects.append(whose))
        await surveyor.look()
        for _ in range(3):
            users[f"vt{IDENT}a"] = "changed by hand"
            await surveyor.look()
        assert suspects == [(IDENT, "database")] * 2
