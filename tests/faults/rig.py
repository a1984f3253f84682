"""The operator among proxies: started, killed, started again, and brought to rest, with every step bounded in time."""

import asyncio
import contextlib
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faults.gate import Gate
from faults.plan import WRITES, Director, Fault
from faults.pods import standing_in
from faults.proxy import Entry, Proxy
from faults.report import Tally
from faults.servers import Servers
from faults.services import Names as ServiceNames
from faults.services import Services, standing_before
from faults.state import Collector, Names, ids
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import LEASE, NAMESPACE, TENANT
from vivero_core.model import naming
from vivero_core.model.constants import PLATFORM_NAMESPACE
from vivero_dev.testing.data_plane import DataPlane

ROOT: Final = Path(__file__).parents[2]
CONVERGE_SECONDS: Final = 60.0
START_SECONDS: Final = 30.0
QUIET_SECONDS: Final = 0.5
LEASE_NAME: Final = "operator-faults"
IDENTITY: Final = "faults"
_FOLDERS: Final = ("core", "operator", "tests")
_BUG: Final = '"reconcile failed with an unexpected error"'


@dataclass(frozen=True)
class Place:
    """What a rig is put up in."""

    kubeconfig: Path
    environment: dict[str, str]
    """The deployed operator's own settings."""
    names: ServiceNames
    servers: Servers
    folder: Path
    cache_dir: Path
    port: int
    """Free, for toxiproxy."""


@dataclass
class Operator:
    """The program, which comes back whenever it ends, as kubelet would bring it back."""

    place: Place
    names: ServiceNames
    log: Path
    starts: int = 0
    _process: "asyncio.subprocess.Process | None" = None

    def kill(self) -> None:
        """At once and without a word."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.starts += 1
                await self._start()
                assert self._process is not None
                await self._process.wait()
        finally:
            self.kill()
            if self._process is not None:
                await self._process.wait()

    async def _start(self) -> None:
        paths = os.pathsep.join(str(ROOT / folder) for folder in _FOLDERS)
        own = {
            "PYTHONPATH": paths,
            "KUBECONFIG": str(self.place.folder / "kubeconfig"),
            # One identity: a container that restarts has its Lease still.
            "VIVERO_IDENTITY": IDENTITY,
            "VIVERO_LEASE_NAME": LEASE_NAME,
            "VIVERO_ADMIN_HOST": "127.0.0.1",
            "VIVERO_ADMIN_PORT": "0",
        }
        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "faults.program",
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                env={**os.environ, **self.place.environment, **own},
            )
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(json.dumps(self.names).encode())
            self._process.stdin.write_eof()


async def eventually(
    check: Callable[[], Awaitable[bool]], seconds: float = CONVERGE_SECONDS, pause: float = 0.1
) -> None:
    """Returns when `check` says so; TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110  the API server is asked, no one tells
            await asyncio.sleep(pause)


@dataclass
class Rig:
    """All of it, for the tests of a module."""

    kube: KubeClient
    """Past the proxy."""
    proxy: Proxy
    services: Services
    operator: Operator
    data_plane: DataPlane
    servers: Servers
    gates: dict[str, Gate]
    """Before each backing service and the API server (`kubernetes`), as the operator's ways to them begin."""
    tally: Tally = field(default_factory=Tally)

    @property
    def collector(self) -> Collector:
        return Collector(self.kube, self.servers, self.data_plane)

    @contextlib.asynccontextmanager
    async def disturbed(self, faults: Sequence[Fault], own: Names | None) -> AsyncIterator[Director]:
        """The faults strike what is done in the block, and nothing of what other tests have made before."""
        self.proxy.since = (await self.kube.list(TENANT)).resource_version
        words = await self._words() - (set(own.words) if own else set())
        director = self.proxy.director = Director(tuple(faults), frozenset(words))
        try:
            yield director
        finally:
            self.proxy.director = Director()
            await self.services.heal()

    async def _words(self) -> set[str]:
        """Names and ids of all tenants there are, and of those that are on their way out."""
        tenants = [one["metadata"] for one in (await self.kube.list(TENANT)).items]
        namespaces = [one["metadata"]["name"] for one in (await self.kube.list(NAMESPACE)).items]
        names = {meta["name"] for meta in tenants}
        return names | {naming.tenant_id(meta["uid"]) for meta in tenants} | ids(namespaces)

    def calls(self, names: Names, since: int = 0) -> list[Entry]:
        """What the operator asked about the tenant after the first `since` calls."""
        return [entry for entry in self.proxy.journal[since:] if entry.call.mentions(names.words)]

    async def rest(self, names: Names, since: int = 0) -> None:
        """Returns when the operator has looked at the tenant after `since` calls and has nothing more to ask."""

        async def is_idle() -> bool:
            calls = self.calls(names, since)
            return bool(calls) and time.monotonic() - calls[-1].at > QUIET_SECONDS

        await eventually(is_idle)

    async def writes_at_rest(self, names: Names) -> list[Entry]:
        """The operator is killed and comes back; the writes that it then makes although nothing is to be done.

        On a busy machine a pass is silent for longer than QUIET_SECONDS and is killed before its last write, such as an
        event: that one comes with the first restart. After a claim a whole pass is still to come, too. An operator that
        writes at every restart does so at the second.
        """
        return await self._writes_of_a_restart(names) and await self._writes_of_a_restart(names)

    async def _writes_of_a_restart(self, names: Names) -> list[Entry]:
        await self.rest(names)
        mark = len(self.proxy.journal)
        self.operator.kill()
        await self.rest(names, mark)
        return [entry for entry in self.calls(names, mark) if entry.call.verb in WRITES]

    async def leads(self) -> bool:
        try:
            lease = await self.kube.get(LEASE, LEASE_NAME, PLATFORM_NAMESPACE)
        except KubeNotFoundError:
            return False
        return bool(lease["spec"]["holderIdentity"] == IDENTITY)

    def complaints(self, secrets: Iterable[str]) -> list[str]:
        """What a log must never hold: a bug's trace, a secret."""
        text = self.operator.log.read_text()
        bugs = [line for line in text.splitlines() if _BUG in line]
        return bugs + ["a secret is in the operator's log" for secret in secrets if secret in text]


@contextlib.asynccontextmanager
async def put_up(place: Place) -> AsyncIterator[Rig]:
    """Everything in order: pods and data plane, proxies, then the operator; Returns once that leads."""
    config = kube_config.load(place.kubeconfig)
    # An address of its own in the loopback network: no one else's port 8080 is in the way.
    address = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])  # noqa: S311  no secret
    async with contextlib.AsyncExitStack() as stack:
        kube = await stack.enter_async_context(KubeClient(config, field_manager="fault-tests"))
        data_plane = await stack.enter_async_context(standing_in(kube, place.servers, address))
        log = place.folder / "toxiproxy.log"
        services = await stack.enter_async_context(standing_before(place.names, place.cache_dir, log, place.port))
        gates = {name: await stack.enter_async_context(Gate(at)) for name, at in services.names.items()}
        names = {name: ("127.0.0.1", gate.port) for name, gate in gates.items()}
        operator = Operator(place, names, place.folder / "operator.log")
        proxy = await stack.enter_async_context(Proxy(config, operator.kill, services.strike))
        front = await stack.enter_async_context(Gate(("127.0.0.1", proxy.port)))
        proxy.write_kubeconfig(place.folder / "kubeconfig", place.kubeconfig, front.port)
        by_service = {name.partition(".")[0]: gate for name, gate in gates.items()} | {"kubernetes": front}
        rig = Rig(kube, proxy, services, operator, data_plane, place.servers, by_service)
        await _forget_lease(kube)
        running = asyncio.create_task(operator.run(), name="operator")
        try:
            await eventually(rig.leads, START_SECONDS)
            yield rig
        finally:
            running.cancel()
            await asyncio.wait({running})


async def _forget_lease(kube: KubeClient) -> None:
    """The Lease of an earlier rig, whose operator was killed, would hide that this one's operator never leads."""
    with contextlib.suppress(KubeNotFoundError):
        lease = await kube.get(LEASE, LEASE_NAME, PLATFORM_NAMESPACE)
        await kube.delete(LEASE, LEASE_NAME, PLATFORM_NAMESPACE, uid=lease["metadata"]["uid"])
