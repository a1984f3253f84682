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

from vivero_operator.errors import LeadershipLostError

logger = logging.getLogger(__name__)

DURATION_SECONDS: Final = 40.0
"""A Lease that has not changed for this long is free; also how long a takeover takes when a node dies without a word.

A leader that stops gives its Lease back, and one whose container restarts has it still: neither waits."""
DEADLINE_SECONDS: Final = 30.0
"""A leader that has not renewed for this long is none any more. Generous: a starved machine is no reason to change."""
RENEW_SECONDS: Final = 3.0


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

    async def acquire(self) -> None:
        """Returns when this replica leads."""
        while True:
            if await self._try():
                return
            await asyncio.sleep(RENEW_SECONDS)

    async def hold(self) -> None:
        """Renew for ever; LeadershipLostError when that fails for too long or another replica leads."""
        renewed = self.clock()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            started = self.clock()
            remaining = DEADLINE_SECONDS - (started - renewed)
            try:
                async with asyncio.timeout(remaining):
                    holds = await self._try()
            except TimeoutError:
                raise LeadershipLostError("the Lease could not be renewed in time") from None
            if holds:
                renewed = started
            elif self.clock() - renewed > DEADLINE_SECONDS or self._taken:
                raise LeadershipLostError("the Lease is another replica's")

    async def release(self) -> None:
        """Let another replica take over at once; if that fails, it takes over when the Lease expires."""
        try:
            lease = await self.kube.get(LEASE, self.name, self.namespace)
            if lease["spec"].get("holderIdentity") == self.identity:
                lease["spec"]["holderIdentity"] = ""
                await self.kube.replace(lease)
        except BackendError as error:
            logger.warning("the Lease was not released: %s", error)

    async def _try(self) -> bool:
        """Take or renew the Lease if it is ours or free; False when it is not, or nobody could be asked."""
        try:
            return await self._take()
        except KubeConflictError:
            return False  # another replica was quicker
        except BackendError as error:
            logger.warning("the Lease was not reached: %s", error)
            return False

    async def _take(self) -> bool:
        try:
            lease = await self.kube.get(LEASE, self.name, self.namespace)
        except KubeNotFoundError:
            return await self._create()
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
