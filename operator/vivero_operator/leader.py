"""Leader election by a Lease: of several replicas one reconciles, the others are ready to take over.

Expiry is judged by our own clock, from when we saw the Lease change last; clocks of other machines do not matter.
A leader that cannot renew stops before others may start.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import LEASE
from vivero_core.errors import BackendError
from vivero_core.model import constants as c

from vivero_operator.errors import FencedError, LeadershipLostError

logger = logging.getLogger(__name__)

DURATION_SECONDS: Final = 11.0
"""A Lease that has not changed for this long is free. With one look a second a takeover from a leader that died
without a word takes at most 15 s. One that stops gives its Lease back, and one whose container restarts has it still:
neither waits."""
DEADLINE_SECONDS: Final = 8.0
"""A leader that has not renewed for this long writes nothing any more, three seconds before another may begin."""
RENEW_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 1.0
"""How often a replica that does not lead looks at the Lease."""

_LATE: Final = "the Lease could not be renewed in time"


@dataclass
class Sighting:
    """What the Lease looked like, and when we first saw it so."""

    version: str = ""
    at: float = 0.0


@dataclass
class Election:
    """One replica's part in the election."""

    kube: KubeClient
    namespace: str
    name: str
    identity: str
    clock: Callable[[], float] = time.monotonic
    _sighting: Sighting = field(default_factory=Sighting)
    _taken: bool = False
    _answered: float = 0.0
    _renewed: float | None = None

    def check(self) -> None:
        """Called before every write: FencedError once another replica may lead.

        After a pause of the whole process (a stopped machine, a starved one)
        this is what notices, before the renewal has had its turn.
        """
        if self._renewed is None or self.clock() - self._renewed > DEADLINE_SECONDS:
            raise FencedError("operator", "this replica may no longer be the leader")

    async def acquire(self) -> None:
        """Returns when this replica leads; LeadershipLostError when the API server stays away.

        Who waits lets its watches go then, as a leader does (see main).
        """
        self._answered = self.clock()
        while True:
            started = self.clock()
            if await self._try():
                self._renewed = started
                return
            if self.clock() - self._answered > DEADLINE_SECONDS:
                raise LeadershipLostError("the API server does not respond")
            await asyncio.sleep(LOOK_SECONDS)

    async def hold(self) -> None:
        """Renew forever; LeadershipLostError when that fails for too long or another replica leads."""
        pause = RENEW_SECONDS
        while True:
            await asyncio.sleep(pause)
            started = self.clock()
            remaining = DEADLINE_SECONDS - (started - self._last_renewal())
            try:
                async with asyncio.timeout(remaining):
                    holds = await self._try()
            except TimeoutError:
                raise LeadershipLostError(_LATE) from None
            if holds:
                self._renewed = started
            elif self._taken or self.clock() - self._last_renewal() > DEADLINE_SECONDS:
                raise LeadershipLostError("the Lease is held by another replica" if self._taken else _LATE)
            pause = RENEW_SECONDS if holds else LOOK_SECONDS

    def _last_renewal(self) -> float:
        if self._renewed is None:
            raise LeadershipLostError("there is no Lease to hold")
        return self._renewed

    async def release(self) -> None:
        """Let another replica take over at once; if that fails, it takes over when the Lease expires."""
        self._renewed = None
        try:
            lease = await self.kube.get(LEASE, self.name, self.namespace)
            if lease["spec"].get("holderIdentity") == self.identity:
                lease["spec"]["holderIdentity"] = ""
                await self.kube.replace(lease)
        except BackendError as error:
            logger.warning("releasing the Lease failed: %s", error)

    async def _try(self) -> bool:
        """Take or renew the Lease if it is ours or free; False when it is not, or the API server did not respond."""
        try:
            return await self._take()
        except KubeConflictError:
            return False  # another replica was quicker
        except BackendError as error:
            logger.warning("reading or renewing the Lease failed: %s", error)
            return False

    async def _take(self) -> bool:
        try:
            lease = await self.kube.get(LEASE, self.name, self.namespace)
        except KubeNotFoundError:
            self._answered = self.clock()
            return await self._create()
        self._answered = self.clock()
        holder = lease["spec"].get("holderIdentity") or ""
        self._taken = holder not in ("", self.identity)
        if self._taken and not self._expired(lease):
            return False
        lease["spec"] = self._spec(lease["spec"], new_holder=holder != self.identity)
        await self.kube.replace(lease)
        self._taken = False
        return True

    async def _create(self) -> bool:
        labels = {c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER}
        manifest = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": self._spec({}, new_holder=True),
        }
        try:
            await self.kube.create(manifest)
        except KubeAlreadyExistsError:
            return False
        return True

    def _spec(self, old: dict[str, Any], *, new_holder: bool) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(DURATION_SECONDS),
            "renewTime": now,
            "acquireTime": now if new_holder else old.get("acquireTime", now),
            "leaseTransitions": int(old.get("leaseTransitions", -1)) + new_holder,
        }

    def _expired(self, lease: dict[str, Any]) -> bool:
        version = lease["metadata"]["resourceVersion"]
        if version != self._sighting.version:
            self._sighting = Sighting(version, self.clock())
        return self.clock() - self._sighting.at > DURATION_SECONDS
