"""Whether a new workspace is reachable at its public address (ADR 0015).

The ingress learns of a route some time after the operator created it. A browser that comes in between gets the page
for hosts without a workspace, and keeps that route for as long as its connection lives. So a signup is ready only once
a probe through the ingress, on a new connection as that browser's would be, was answered by the workspace.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Self

import aiohttp
from vivero_core.backends.connections import Connector
from vivero_core.model import conditions
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.settings import Settings

logger = logging.getLogger(__name__)

PROBE_TIMEOUT: Final = 1.0
CONNECTIONS: Final = 20  # probes at once; more wait for a free connection
OK: Final = 200
NO_CONTENT: Final = 204
ANSWER_BYTES: Final = 16 * 1024  # of a workspace; one that says more says nothing that we understand
FIRST_PAUSE: Final = 0.03
LONGEST_PAUSE: Final = 0.5
GROWTH: Final = 1.3  # ingresses take 0.1 to 0.6 s: six to nine probes
ROUTE_IS_NEW: Final = timedelta(minutes=1)
"""Every ingress knows an older route: it is not probed, and no result is kept."""

Probe = Callable[[str, str], Awaitable[bool]]
"""One probe: whether the workspace of this id answers at the address of this slug."""


class Ingress:
    """Asks workspaces through the ingress, at hosts below our own domain only; an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = trust(settings)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # A connection keeps the routes that were known when it was opened, so each probe has its own.
        connector = Connector(ssl=self._tls, limit=CONNECTIONS, force_close=True)
        timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def probe(self, slug: str, tenant_id: str) -> bool:
        """Whether the workspace of this id answers at the address of this slug; an error is False."""
        return await self.status(f"{slug}.{self._settings.domain}", f"/healthz/{tenant_id}") == NO_CONTENT

    async def status(self, host: str, path: str) -> int | None:
        """With which status a host of ours answers to a GET; None without an answer."""
        answer = await self._send("GET", host, path, {})
        return None if answer is None else answer[0]

    async def ask(self, slug: str, path: str, bearer: str) -> bytes | None:
        """What the workspace of this slug answers to us within PROBE_TIMEOUT; None if it does not, or not with 200."""
        host = f"{slug}.{self._settings.domain}"
        answer = await self._send("GET", host, path, {"Authorization": f"Bearer {bearer}"})
        return answer[1] if answer is not None and answer[0] == OK else None

    async def delete(self, slug: str, path: str, bearer: str) -> bool:
        """Whether the workspace of this slug has removed what is there, within PROBE_TIMEOUT."""
        host = f"{slug}.{self._settings.domain}"
        answer = await self._send("DELETE", host, path, {"Authorization": f"Bearer {bearer}"})
        return answer is not None and answer[0] == NO_CONTENT

    async def _send(self, method: str, host: str, path: str, more: Mapping[str, str]) -> tuple[int, bytes] | None:
        """Status and the first ANSWER_BYTES of the body; None without an answer."""
        if self._session is None:
            return None
        url = f"https://{address_of(self._settings, host)}{path}"
        named = self._settings.origin.removeprefix("https://").replace(self._settings.domain, host, 1)
        headers = {"Host": named, **more}
        try:
            async with self._session.request(
                method, url, headers=headers, server_hostname=host, allow_redirects=False
            ) as answer:
                return answer.status, await answer.content.read(ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.debug("host not reachable: %s", type(error).__name__, extra={"host": host})
            return None


def address_of(settings: Settings, host: str) -> str:
    """Where to connect for `host`. The final dot keeps a pod's resolver from trying the cluster's search domains."""
    ingress = settings.ingress
    if ingress.address is not None:
        return f"{ingress.address}:{ingress.port}"
    return f"{host}.:{settings.public_url.port}"


def trust(settings: Settings) -> ssl.SSLContext:
    """The ingress's certificate is of a public authority or of our own: both are trusted for our names."""
    context = ssl.create_default_context()
    if settings.platform.ca is not None:
        context.load_verify_locations(settings.platform.ca)
    return context


class Reachability:
    """Probes each new workspace once, however many clients wait for it; keeps results while routes are new."""

    def __init__(self, probe: Probe, patience: float, clock: Clock) -> None:
        self._probe = probe
        self._patience = patience
        self._clock = clock
        self._reached: dict[str, datetime] = {}
        self._probes: dict[str, asyncio.Task[None]] = {}

    def is_reachable(self, tenant: Tenant) -> bool:
        """Whether people may be sent there: a probe succeeded or timed out, or the route is old."""
        return not self._patience or tenant.metadata.uid in self._reached or not is_new(tenant, self._clock())

    def probe(self, tenant: Tenant, *, then: Callable[[], None]) -> asyncio.Task[None] | None:
        """The running probe of a ready workspace, started if there is none; None when it is reachable.

        `then` is called at the end of the probe that this call started.
        """
        slug, uid = tenant.spec.slug, tenant.metadata.uid
        if slug is None or self.is_reachable(tenant):
            return None
        if uid not in self._probes:
            task = asyncio.create_task(self._run(uid, slug, tenant.id))
            self._probes[uid] = task
            task.add_done_callback(lambda _: self._ended(uid, then))
        return self._probes[uid]

    def close(self) -> None:
        """Cancel every probe."""
        for task in self._probes.values():
            task.cancel()

    async def _run(self, uid: str, slug: str, tenant_id: str) -> None:
        begin = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._patience):
                await self._until_answered(slug, tenant_id)
        except TimeoutError:
            waited = asyncio.get_running_loop().time() - begin
            logger.warning(
                "workspace not reachable through the ingress, assumed ready",
                extra={"slug": slug, "seconds": round(waited, 1)},
            )
        finally:
            # Also after an error: otherwise those who wait would start it again for ever.
            self._reached = with_result(self._reached, uid, self._clock())

    async def _until_answered(self, slug: str, tenant_id: str) -> None:
        pause = FIRST_PAUSE
        while not await self._probe(slug, tenant_id):
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  jitter
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def _ended(self, uid: str, then: Callable[[], None]) -> None:
        del self._probes[uid]
        then()


def with_result(reached: Mapping[str, datetime], uid: str, now: datetime) -> dict[str, datetime]:
    """With one more, without those whose routes are no longer new."""
    return {one: at for one, at in reached.items() if now - at <= 2 * ROUTE_IS_NEW} | {uid: now}


def is_new(tenant: Tenant, now: datetime) -> bool:
    """Whether an ingress may not know its route yet."""
    route = conditions.find(tenant.status.conditions, ConditionType.ROUTE_READY)
    return route is None or now - route.last_transition_time < ROUTE_IS_NEW
