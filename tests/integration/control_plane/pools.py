"""Fake spares: Tenants as the operator would leave them, without pods."""

import asyncio
import contextlib
import secrets
from datetime import UTC, datetime
from typing import Any

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, TENANT_POOL
from vivero_core.model.constants import API_VERSION, LABEL_POOL
from vivero_core.model.naming import TENANT_ID_LENGTH

SETTLED_SECONDS = 60.0


class Pool:
    """A TenantPool of a plan that does not exist, and spares under its name for the plan `trial`.

    The platform's operator cannot create spares of its own for it, so it keeps these; and it provisions nothing for
    these, because they adopt data that does not exist. It may still write them: tests must hold in spite of that.
    """

    def __init__(self, kube: KubeClient, name: str) -> None:
        self._kube = kube
        self.name = name
        self.spares: list[str] = []

    async def fill(self, count: int) -> list[str]:
        """Add claimable spares; returns their names."""
        if not self.spares:
            await self._kube.create(_manifest("TenantPool", self.name, {"plan": self.name, "size": 50}))
        fresh = [f"{self.name}-{len(self.spares) + number}" for number in range(count)]
        self.spares += fresh
        for name in fresh:
            await self._kube.create(_manifest("Tenant", name, _spec(self.name), {LABEL_POOL: self.name}))
        await asyncio.gather(*map(self.prove, fresh))
        return fresh

    async def prove(self, name: str) -> None:
        """Set the Proven condition like the operator, after the real one has reconciled the spec."""
        async with asyncio.timeout(SETTLED_SECONDS):
            while True:
                tenant = await self._kube.get(TENANT, name)
                generation = tenant["metadata"]["generation"]
                if tenant.get("status", {}).get("observedGeneration") == generation:
                    break
                await asyncio.sleep(0.05)
        await self._kube.patch_status(TENANT, name, proved(generation))

    async def drain(self) -> None:
        """Delete the pool and its unclaimed spares."""
        for resource, name in ((TENANT_POOL, self.name), *((TENANT, spare) for spare in self.spares)):
            with contextlib.suppress(KubeNotFoundError):
                found = await self._kube.get(resource, name)
                await self._kube.delete(resource, name, uid=found["metadata"]["uid"])


def proved(generation: int) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = ("DatabaseReady", "StorageReady", "CacheReady", "WorkloadReady", "Ready")
    return {
        "observedGeneration": generation,
        "provenAt": now,
        "message": None,
        "conditions": [
            {"type": part, "status": "True", "reason": "Proven", "lastTransitionTime": now, "message": ""}
            for part in parts
        ],
    }


def nothing() -> str:
    """An id without retained data: a Tenant that adopts it waits for ever, and leaves nothing behind."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(TENANT_ID_LENGTH))


def _spec(pool: str) -> dict[str, Any]:
    return {
        "displayName": "Spare",
        "plan": "trial",
        "pool": pool,
        "adopt": nothing(),
        "deletionPolicy": "Delete",
    }


def _manifest(kind: str, name: str, spec: dict[str, Any], labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "labels": labels or {}}, "spec": spec}
