"""A probe on the real services: our pages of this very code, and a workspace that the platform's operator makes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from integration.control_plane.support import DOMAIN, Names, eventually, signup_body
from vivero_control import composition
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.figures.repository import JourneyRepository
from vivero_control.domain.probes import service
from vivero_control.domain.probes.customer import Asks, Person
from vivero_control.domain.probes.service import LEFT_AFTER, SignupProbe
from vivero_control.domain.probes.web import Answer, ProbeFailedError, Web
from vivero_control.domain.signups.access import signup_digest
from vivero_control.settings import Settings
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_dev.localhost import local_client
from vivero_web.clock import now

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


class Way:
    """Requests of a probe: to the control plane of this test, and through the ingress to workspaces."""

    def __init__(self, pages: httpx.Client, workspaces: httpx.Client, port: int | None) -> None:
        self._pages = pages
        self._workspaces = workspaces
        self._port = port
        self.broken = ""
        """Path of what answers as if it was not there."""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        wanted: int,
        slug: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        client = self._workspaces if slug else self._pages
        base = f"https://{slug}.{DOMAIN}:{self._port}" if slug else ""
        told = {"Origin": base or f"https://{DOMAIN}:8443", **(headers or {})}
        found = await asyncio.to_thread(
            client.request, method, base + path, headers=told, data=form, json=json, follow_redirects=False
        )
        if path == self.broken or found.status_code != wanted:
            raise ProbeFailedError(f"{method} {path} answered {found.status_code}")
        cookies = {one.name: one.value or "" for one in found.cookies.jar}
        return Answer(found.status_code, {"Location": found.headers.get("location", "")}, cookies, found.content)


@pytest.fixture
def way(client: httpx.Client, platform: dict[str, Any]) -> Iterator[Way]:
    with local_client(Path(platform["ca"]), timeout=30) as workspaces:
        yield Way(client, workspaces, urlsplit(platform["control_plane_url"]).port)


@pytest.fixture
def probe(infrastructure: composition.Infrastructure, way: Way) -> SignupProbe:
    @asynccontextmanager
    async def web() -> AsyncIterator[Asks]:
        yield way

    return SignupProbe(
        database=infrastructure.database,
        tenants=infrastructure.tenants,
        audit=AuditService(infrastructure.database, infrastructure.clock),
        web=web,
        every=timedelta(hours=2),
        plan=None,
        clock=infrastructure.clock,
    )


def told() -> tuple[float, float]:
    return service.ok._value.get(), service.late_from._value.get()  # noqa: SLF001  as its own tests do


async def labelled(kube: KubeClient, signup_id: str) -> list[dict[str, Any]]:
    """The Tenants of a signup that are not on their way out."""
    found = await kube.list(TENANT, label_selector=f"vivero.dev/signup={signup_digest(signup_id)}")
    return [one for one in found.items if "deletionTimestamp" not in one["metadata"]]


async def test_it_signs_up_works_and_leaves_nothing(
    probe: SignupProbe, sql: Ask, kube: KubeClient, infrastructure: composition.Infrastructure
) -> None:
    before = sql("SELECT COUNT(*) FROM signups"), sql("SELECT COUNT(*) FROM accounts")
    await probe.run()
    ok, late = told()
    assert ok == 1.0
    assert late > infrastructure.clock().timestamp() + 3600
    assert (sql("SELECT COUNT(*) FROM signups"), sql("SELECT COUNT(*) FROM accounts")) == before
    actor, subject = sql("SELECT actor, subject FROM audit WHERE action = 'delete' AND actor = 'probe'")[-1]
    assert actor == "probe"
    name = subject.partition("/")[2]
    eventually(lambda: sql("SELECT outcome FROM audit WHERE subject = %s", subject) == [("done",)])
    assert name not in [one["metadata"]["name"] for one in (await kube.list(TENANT)).items if _is_there(one)]
    await probe.run()
    assert told() == (ok, late), "it is not due"


def _is_there(item: dict[str, Any]) -> bool:
    return "deletionTimestamp" not in item["metadata"]


async def test_one_that_fails_counts_for_nothing_and_is_cleared_away_by_a_later_one(
    probe: SignupProbe,
    way: Way,
    sql: Ask,
    kube: KubeClient,
    mails: Callable[[str], list[dict[str, Any]]],
    drain: Callable[[], Any],
    infrastructure: composition.Infrastructure,
    later: Later,
) -> None:
    way.broken = "/api/v1/collections"
    await probe.run()
    assert told()[0] == 0.0
    ((signup_id, email),) = sql("SELECT id, email FROM signups WHERE email LIKE '%%@probe.invalid'")
    (tenant,) = await labelled(kube, signup_id)
    assert tenant["spec"]["owner"]["email"] == email
    await drain()
    assert mails(email) == []
    async with infrastructure.database.transaction() as session:
        journeys, since = JourneyRepository(session), now() - timedelta(days=1)
        assert signup_id not in await journeys.without(since)
        assert signup_id not in {one.id for one in await journeys.prospects(since)}
    way.broken = "/signup"
    later(LEFT_AFTER + timedelta(minutes=1))
    await probe.run()
    assert sql("SELECT id FROM signups WHERE id = %s", signup_id) == []
    assert await labelled(kube, signup_id) == []


async def test_a_workspace_whose_signup_is_gone_is_cleared_away_as_well(
    probe: SignupProbe, way: Way, sql: Ask, kube: KubeClient, later: Later
) -> None:
    way.broken = "/api/v1/collections"
    await probe.run()
    ((signup_id,),) = sql("SELECT id FROM signups WHERE email LIKE '%%@probe.invalid'")
    sql("DELETE FROM signups WHERE id = %s", signup_id)
    way.broken = "/signup"
    later(LEFT_AFTER - timedelta(minutes=5))
    await probe.run()
    assert len(await labelled(kube, signup_id)) == 1, "a probe may be working with it"
    later(LEFT_AFTER + timedelta(minutes=5))
    await probe.run()
    assert await labelled(kube, signup_id) == []


async def test_another_persons_signup_is_none_of_its_own(
    client: httpx.Client, names: Names, probe: SignupProbe, way: Way, sql: Ask, later: Later
) -> None:
    made = await asyncio.to_thread(client.post, "/api/v1/signups", json=signup_body(names.new()))
    way.broken = "/signup"
    later(LEFT_AFTER + timedelta(minutes=1))
    await probe.run()
    assert len(sql("SELECT id FROM signups WHERE id = %s", made.json()["id"])) == 1


async def test_its_own_requests_reach_the_platform_as_a_browsers_do(
    settings: Settings, platform: dict[str, Any]
) -> None:
    """Through the ingress, with the platform's certificate; what answers otherwise is an error that says so."""
    port = urlsplit(platform["control_plane_url"]).port
    ingress = settings.ingress.model_copy(update={"address": "127.0.0.1", "port": port})
    async with Web(settings.model_copy(update={"ingress": ingress})) as web:
        assert b'name="email"' in (await web.ask("GET", "/signup", wanted=200)).body
        with pytest.raises(ProbeFailedError, match="GET /nothing answered 404"):
            await web.ask("GET", "/nothing", wanted=200)
        form = {"company": "", "email": Person().email, "password": "", "slug": "", "key": ""}
        assert b"Enter" in (await web.ask("POST", "/signup", wanted=422, form=form)).body
    async with Web(settings.model_copy(update={"ingress": ingress.model_copy(update={"port": 1})})) as web:
        with pytest.raises(ProbeFailedError, match="GET /signup: ClientConnector"):
            await web.ask("GET", "/signup", wanted=200)
