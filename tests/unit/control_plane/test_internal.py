"""Probes and metrics on the internal port."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from litestar.testing import TestClient
from prometheus_client import Counter
from vivero_control.lib.health import Health, Readiness, internal_app
from vivero_web.errors import UnavailableError

asked = Counter("vivero_control_test_asked", "Of this test alone")


class FakeHealth(Health):
    """As if the database were away, or not."""

    def __init__(self, *, ok: bool) -> None:
        self.ok = ok

    async def readiness(self) -> Readiness:
        return Readiness(ok=self.ok, database=self.ok, cluster=True)


@pytest.fixture
def kubelet() -> Iterator[TestClient[Any]]:
    with TestClient(internal_app(FakeHealth(ok=True)), base_url="http://10.0.0.7:9090") as client:
        yield client


def test_probes_and_scrapes_are_answered_whatever_the_host(kubelet: TestClient[Any]) -> None:
    asked.inc()
    for host in ("10.0.0.7:9090", "acme.vivero.localhost", "[::1]:9090"):
        assert kubelet.get("/healthz", headers={"host": host}).status_code == 200
        assert kubelet.get("/readyz", headers={"host": host}).json()["ok"] is True
        assert "vivero_control_test_asked_total 1.0" in kubelet.get("/metrics", headers={"host": host}).text


def test_nothing_else_is_there(kubelet: TestClient[Any]) -> None:
    for path in ("/", "/api/v1/plans", "/schema", "/static/app.css"):
        assert kubelet.get(path).status_code == 404


def test_an_unavailable_dependency_makes_it_unready() -> None:
    with TestClient(internal_app(FakeHealth(ok=False))) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


async def test_once_in_service_it_stays_so_without_the_database() -> None:
    """All replicas have the same one: taken out of service, none could say what is amiss."""

    class FakeDatabase:
        away = True

        async def ping(self) -> None:
            if self.away:
                raise UnavailableError

    database = FakeDatabase()
    health = Health(cast("Any", database), lambda: True)
    assert not (await health.readiness()).ok
    database.away = False
    assert (await health.readiness()).ok
    database.away = True
    known = await health.readiness()
    assert (known.ok, known.database) == (True, False)
