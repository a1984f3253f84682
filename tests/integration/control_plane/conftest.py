"""A control plane of our own on the real services: its schema, its cache user, its server on 127.0.0.1."""

import asyncio
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pymysql
import pytest
from integration.control_plane.agreements import COMPANY
from integration.control_plane.leftovers import erase_signups
from integration.control_plane.own import own_settings
from integration.control_plane.support import ADMIN, DOMAIN, PASSWORD, Names, TestClock, add_member, listening
from support import good
from support.asgi import ask, running
from support.hostile import Program
from support.payments import Payments, payments
from support.programs import staff as staff_headers
from vivero_control import composition
from vivero_control.app import create_program
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.signups import reachability
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.signups.provisioning import Provisioner, TenantRequest
from vivero_control.domain.staff.service import seed_admin
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.lib import valkey
from vivero_control.settings import Settings
from vivero_control.web.pages import pages
from vivero_control.worker import Worker
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_web.security import FORM, JSON


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Limits of a second are exceeded where all lanes of a run start at once: counts then fall back to each process, and
    a connection that is given up before its handshake began is left to the garbage collector (CPython 3.13)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valkey, "CONNECT_SECONDS", 30)
        patch.setattr(valkey, "ANSWER_SECONDS", 30)
        patch.setattr(reachability, "PROBE_TIMEOUT", 10)
        yield


@pytest.fixture(scope="session")
def kubeconfig(platform: dict[str, Any]) -> Path:
    return Path(platform["kubeconfig"])


@pytest.fixture(scope="session")
def settings(platform: dict[str, Any], admin_sql: pymysql.Connection) -> Iterator[Settings]:
    """A migrated schema and a cache user of this run, which are deleted at its end."""
    with own_settings(platform, admin_sql) as made:
        asyncio.run(seed_admin(made, TestClock()))
        yield made


@pytest.fixture(scope="session")
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def later(clock: TestClock) -> Iterator[Callable[[timedelta], None]]:
    """Moves the clock for the length of a test."""

    def move(ahead: timedelta) -> None:
        clock.ahead = ahead

    yield move
    clock.ahead = timedelta(0)


@pytest.fixture(autouse=True)
def _clock_goes_back(clock: TestClock) -> Iterator[None]:
    """All tests of the run share it."""
    yield
    assert clock.ahead == timedelta(0), "move it with the fixture `later`"


@pytest.fixture
def standin() -> Iterator[Payments]:
    """Of the payment provider."""
    with payments() as made:
        yield made


@pytest.fixture
def selling(settings: Settings, standin: Payments) -> Settings:
    return settings.model_copy(update={"billing": standin.settings})


@pytest.fixture
async def sold(selling: Settings, clock: TestClock) -> AsyncIterator[composition.Infrastructure]:
    """The clients of a process that sells, once it knows the plans."""
    made = composition.infrastructure(selling, clock)
    async with made.open(), made.watching():
        async with asyncio.timeout(30):
            while not made.plans.synced:  # noqa: ASYNC110  the informer says nothing
                await asyncio.sleep(0.05)
        yield made


@pytest.fixture(scope="module")
def names(kubeconfig: Path) -> Iterator[Names]:
    made = Names(f"t{secrets.token_hex(2)}")
    yield made
    erase_signups(kubeconfig, made.used)


@pytest.fixture(scope="session")
def server(settings: Settings, clock: TestClock) -> Iterator[str]:
    """The address of a running control plane."""
    with listening(settings, clock) as address:
        yield address


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    """A client with its own address, so that tests do not share rate limits."""
    caller = f"198.51.100.{secrets.randbelow(250) + 1}"
    headers = {"Host": f"{DOMAIN}:8443", "X-Forwarded-For": caller}
    with httpx.Client(base_url=server, headers=headers, timeout=20) as made:
        yield made


@pytest.fixture
def staff(client: httpx.Client) -> httpx.Client:
    """Logged in as the seeded administrator."""
    answer = client.post("/api/v1/auth/login", json={"email": ADMIN[0], "password": ADMIN[1]})
    assert answer.status_code == 200, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


@pytest.fixture
def sql(settings: Settings, admin_sql: pymysql.Connection) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs SQL in the control plane's schema."""

    def ask(statement: str, *values: object) -> list[tuple[Any, ...]]:
        admin_sql.select_db(settings.database.name)
        with admin_sql.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    return ask


@pytest.fixture
async def kube(kubeconfig: Path) -> AsyncIterator[KubeClient]:
    async with KubeClient(kube_config.load(kubeconfig), field_manager="tests") as client:
        yield client


@pytest.fixture
async def infrastructure(settings: Settings, clock: TestClock) -> AsyncIterator[composition.Infrastructure]:
    """The clients of a worker process."""
    made = composition.infrastructure(settings, clock)
    async with made.open():
        yield made


@pytest.fixture
def drain(infrastructure: composition.Infrastructure) -> Callable[[], Awaitable[None]]:
    """Processes all due jobs, like a worker."""
    return Worker(infrastructure).drain


@pytest.fixture(scope="session")
def mails(platform: dict[str, Any]) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """The mails in the sink for an address."""
    tls = ssl.create_default_context(cafile=platform["ca"])
    with httpx.Client(base_url=platform["mail"]["url"], verify=tls, timeout=60) as sink:

        def to(address: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = sink.get("/api/messages", params={"to": address}).json()["messages"]
            return found

        yield to


@pytest.fixture
async def contracting(settings: Settings, clock: TestClock) -> AsyncIterator[composition.Infrastructure]:
    """The clients of a process whose company writes invoices, once it knows the plans."""
    made = composition.infrastructure(settings.model_copy(update={"company": COMPANY}), clock)
    async with made.open(), made.watching():
        async with asyncio.timeout(30):
            while not made.plans.synced:  # noqa: ASYNC110  the informer says nothing
                await asyncio.sleep(0.05)
        yield made


@pytest.fixture
def quotes(contracting: composition.Infrastructure) -> QuoteService:
    return composition.services(contracting).quotes


@pytest.fixture
def contracts(contracting: composition.Infrastructure) -> ContractService:
    return composition.services(contracting).contracts


@pytest.fixture
async def program(
    settings: Settings,
    clock: TestClock,
    infrastructure: composition.Infrastructure,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Program]:
    """Signups are recorded without a Tenant, and then withdrawn; staff routes concern one member."""

    async def taken(_: Provisioner, tenant_request: TenantRequest) -> None:
        raise SlugTakenError(tenant_request.slug)

    monkeypatch.setattr(Provisioner, "provision", taken)
    roomy = settings.model_copy(
        update={"limits": settings.limits.model_copy(update={"requests_per_minute": 10_000_000})}
    )
    app, somebody = create_program(roomy, pages(), clock).public, await add_member(infrastructure)
    # Of its own: odd requests before it may have used up the attempts of the seeded administrator.
    person = (await add_member(infrastructure, "admin")).email
    async with running(app):
        async with asyncio.timeout(30):
            while (await ask(app, "GET", "/readyz", host=DOMAIN)).status != 200:  # noqa: ASYNC110  the informers say nothing
                await asyncio.sleep(0.1)
        form = urlencode({"email": person, "password": PASSWORD}).encode()
        headers = [("content-type", FORM), ("content-length", str(len(form))), ("sec-fetch-site", "same-origin")]
        answer = await ask(app, "POST", "/staff/login", headers, [form], DOMAIN)
        assert answer.status == 303, answer.body
        cookie = dict(answer.headers)[b"set-cookie"].decode()
        session = cookie.partition(f"{SESSION_COOKIE}=")[2].partition(";")[0]
        login = json.dumps({"email": person, "password": PASSWORD}).encode()
        headers = [("content-type", JSON), ("content-length", str(len(login)))]
        answer = await ask(app, "POST", "/api/v1/auth/login", headers, [login], DOMAIN)
        token = json.loads(answer.body)["access_token"]
        yield Program(
            app=app,
            host=DOMAIN,
            headers=lambda route: [] if route.endswith("/logout") else staff_headers(session, token),
            values=lambda _: {
                "name": "no-such-tenant",
                "which": "suspend",
                "operation": "no-such-operation",
                "signup_id": "0" * 32,
                "staff_id": str(somebody.id),
                "letter": "0",
                "number": "0",
                "view": "1",
                "key_id": "1",
                "quote": "1",
                "contract": "1",
                "webhook": "1",
                "message": "msg_0",
                "tile": "signup",
                "month": "2026-11",
                "run": "1",
                "ident": "zzzzzzzzzz",
                "file_path": "x.css",
            },
            bodies=good.CONTROL_BODIES,
            queries=good.CONTROL_QUERIES,
            cookies=(SESSION_COOKIE,),
        )
    await asyncio.sleep(0.25)  # aiohttp closes TLS connections a moment after their session
