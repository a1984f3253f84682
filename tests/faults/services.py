"""A TCP proxy before each backing service: toxiproxy, built once like the platform's other programs."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from faults.plan import Fault, Outage
from vivero_dev.native.tools import ensure_tool
from vivero_dev.steps import silently

START_SECONDS = 10.0
# Attributes are toxiproxy's own words: a timeout of 0 never ends, a reset comes at once, milliseconds.
_TOXICS: dict[Outage, dict[str, Any]] = {
    Outage.SILENT: {"type": "timeout", "attributes": {"timeout": 0}},
    Outage.RESET: {"type": "reset_peer", "attributes": {"timeout": 0}},
    Outage.SLOW: {"type": "latency", "attributes": {"latency": 1000, "jitter": 0}},
}

Names = dict[str, tuple[str, int]]


@dataclass
class Services:
    """The proxies; `names` says where each service's cluster name is to be found now."""

    _session: aiohttp.ClientSession
    names: Names = field(default_factory=dict)
    _ends: set["asyncio.Task[None]"] = field(default_factory=set)

    async def strike(self, fault: Fault) -> None:
        """Returns when the service fails; it works again by itself after the fault's seconds."""
        await self._fail(fault.service, fault.outage)
        end = asyncio.create_task(self._end(fault))
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)

    async def heal(self) -> None:
        """All services work, whatever was to come."""
        for end in list(self._ends):
            end.cancel()
        await self._call("POST", "/reset")

    async def _end(self, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds)
        await self._call("POST", "/reset")

    async def _fail(self, service: str, outage: Outage) -> None:
        if outage is Outage.DOWN:
            await self._call("POST", f"/proxies/{service}", {"enabled": False})
            return
        await self._call(
            "POST", f"/proxies/{service}/toxics", {"name": outage, "stream": "downstream"} | _TOXICS[outage]
        )

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  any JSON
        async with self._session.request(method, path, json=body) as answer:
            # A second toxic of the same name changes nothing.
            if answer.status != 409:
                answer.raise_for_status()
            return await answer.json() if answer.content_type == "application/json" else None

    async def _stand_before(self, real: Names) -> None:
        for name, (host, port) in real.items():
            service = name.partition(".")[0]
            body = {"name": service, "listen": "127.0.0.1:0", "upstream": f"{host}:{port}", "enabled": True}
            made = await self._call("POST", "/proxies", body)
            self.names[name] = "127.0.0.1", int(made["listen"].rpartition(":")[2])


@contextlib.asynccontextmanager
async def standing_before(real: Names, cache_dir: Path, log: Path, port: int) -> AsyncIterator[Services]:
    """toxiproxy on `port` of the loopback interface, with a proxy for each service."""
    program = ensure_tool(cache_dir, "toxiproxy", log, silently) / "toxiproxy"
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603, ASYNC220  our own build, started once
            [program, "-host", "127.0.0.1", "-port", str(port)], stdout=out, stderr=out
        )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await _answers(session)
            services = Services(session)
            await services._stand_before(real)  # noqa: SLF001  the other half of making it
            yield services
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


async def _answers(session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get("/version"):
                    return
            await asyncio.sleep(0.05)
