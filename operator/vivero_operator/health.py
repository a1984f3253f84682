"""Health, readiness and metrics over HTTP.

Healthy means that watches bring news: the leader's Lease is written every two seconds, so its echo through a watch
must never be old, unless the API server is down: a restart would not bring it back, and kubelet's pauses between
restarts would outlast it.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

STALE_SECONDS: Final = 90.0
"""No echo for this long: the watch is dead, or there is no leader. Longer than it takes a watch to notice and reconnect."""


class Heartbeat:
    """When the watch last brought an event: what liveness goes by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self.synced = False
        """Whether there was a beat yet; kopf holds the first one back until every kind has been listed."""

    def beat(self) -> None:
        self._last = self._clock()
        self.synced = True

    def excuse(self) -> None:
        """No beat can come now: the API server does not answer."""
        self._last = self._clock()

    @property
    def age(self) -> float:
        """Seconds since the last beat, excuse or start."""
        return self._clock() - self._last


def application(heartbeat: Heartbeat) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        alive = heartbeat.age < STALE_SECONDS
        return web.json_response({"ok": alive, "watch_seconds": round(heartbeat.age, 1)}, status=200 if alive else 503)

    async def readyz(_: web.Request) -> web.Response:
        return web.json_response({"ok": heartbeat.synced}, status=200 if heartbeat.synced else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(heartbeat: Heartbeat, host: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(application(heartbeat), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
