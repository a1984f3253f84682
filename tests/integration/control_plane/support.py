"""Runs a control plane in a thread; shared helpers of its tests."""

import asyncio
import contextlib
import re
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from litestar import Litestar
from support.sockets import free_port, open_sockets, until_closed
from vivero_control import composition
from vivero_control.app import create_program
from vivero_control.db.tables import StaffMember
from vivero_control.domain.staff.schemas import Role
from vivero_control.domain.tenants.policies import timestamp
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload
from vivero_control.lib import serving
from vivero_control.settings import Settings
from vivero_control.web.pages import pages
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.constants import API_VERSION
from vivero_core.model.tenant import Tenant
from vivero_dev.backing.valkey import CONTROL_PLANE_RULES
from vivero_web.clock import now

DOMAIN = "vivero.localhost"
# The platform's mails go to the same sink, so addresses are unique to this run.
ADMIN = (f"admin-{secrets.token_hex(4)}@vivero.localhost", "integration-admin-1")
PASSWORD = "blue kettle 9 moon"
PATIENCE_SECONDS = 60.0


@dataclass
class TestClock:
    """The real time plus an offset."""

    __test__ = False
    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Names:
    """Slugs of this run; their Tenants are deleted at its end."""

    prefix: str
    used: list[str] = field(default_factory=list)

    def new(self) -> str:
        self.used.append(f"{self.prefix}-{secrets.token_hex(3)}")
        return self.used[-1]


class FunctionJob(JobKind):
    """A job kind that calls a function."""

    def __init__(self, do: Callable[[Payload], Awaitable[None]]) -> None:
        self._do = do

    async def perform(self, payload: Payload) -> None:
        await self._do(payload)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("a test", str(payload))


def rules(prefix: str) -> list[str]:
    """The ACL rules of the platform's cache user with another prefix, so that a missing right fails a test."""
    return CONTROL_PLANE_RULES.replace("control:", prefix).split()


@contextlib.contextmanager
def listening(settings: Settings, clock: TestClock, ready: int = 200) -> Iterator[str]:
    """A control plane in a thread, once its /readyz answers `ready`."""
    with running(create_program(settings, pages(), clock).public, ready) as address:
        yield address


@contextlib.contextmanager
def running(app: Litestar, ready: int = 200, port: int = 0) -> Iterator[str]:
    """Runs an ASGI app on a port of 127.0.0.1, a free one if none is given."""
    port = port or free_port()
    web = uvicorn.Server(serving.listening(app, "127.0.0.1", port))
    thread = threading.Thread(target=lambda: asyncio.run(_serve(web)), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    _wait(address, ready)
    yield address
    web.should_exit = True
    thread.join(20)
    assert not thread.is_alive(), "it still runs, and would take part in the tests that follow"


def signup_body(chosen: str, **changed: object) -> dict[str, object]:
    return {
        "company": f"Company {chosen}",
        "email": f"owner@{chosen}.example.com",
        "password": PASSWORD,
        "slug": chosen,
    } | changed


async def make_workspace(kube: KubeClient, slug: str, trial_ends_at: datetime, **spec: object) -> Tenant:
    """A Tenant on trial, as a signup makes one."""
    wanted = {
        "displayName": "Söhne & Co",
        "slug": slug,
        "plan": "trial",
        "owner": {"email": f"owner@{slug}.example.com"},
        "trialEndsAt": timestamp(trial_ends_at),
    }
    body = {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": {"name": slug}, "spec": wanted | spec}
    return Tenant.parse(await kube.create(body))


def link_in(mail: dict[str, Any]) -> str:
    """The one-time link in a mail."""
    found = re.search(r"https://\S+", mail["text"])
    assert found
    return found[0]


def host_of(url: str) -> str | None:
    """The port is that of our settings at first, and the platform's once its operator has made the workspace."""
    return urlsplit(url).hostname


def choose(client: httpx.Client, code: str, password: str) -> int:
    """Set a password with a link; returns the response's status."""
    return client.put("/api/v1/auth/password", json={"code": code, "password": password}).status_code


async def add_member(infrastructure: composition.Infrastructure, role: Role = "support") -> StaffMember:
    """Add a staff member whose password is PASSWORD."""
    hashed = await infrastructure.passwords.hash(PASSWORD)
    email = f"staff-{secrets.token_hex(6)}@{DOMAIN}.example"
    made = StaffMember(email=email, password_hash=hashed, role=role, created_at=now())
    async with infrastructure.database.transaction() as session:
        session.add(made)
    return made


def log_in(client: httpx.Client, email: str, password: str) -> httpx.Response:
    return client.post("/api/v1/auth/login", json={"email": email, "password": password})


def eventually(look: Callable[[], object]) -> None:
    """Polls until `look` returns something true, with a timeout longer than any busy machine needs."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.05)


async def _serve(web: uvicorn.Server) -> None:
    before = open_sockets()
    await web.serve()
    await until_closed(before)


def _wait(address: str, status: int) -> None:
    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{address}/readyz", headers={"Host": DOMAIN}).status_code == status
        return False

    eventually(answers)
