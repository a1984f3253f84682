"""Tenants that tests made and leave to the operator to erase."""

import asyncio
import contextlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vivero_core.backends.kube import config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT


def erase(kubeconfig: Path, names: Iterable[str]) -> None:
    """Delete the Tenants of these names with their data; a pod each would wear the machine down. Does not wait.

    In a thread of its own: Playwright's loop runs in the test's.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, _erase(kubeconfig, names)).result()


async def _erase(kubeconfig: Path, names: Iterable[str]) -> None:
    async with KubeClient(config.load(kubeconfig), field_manager="tests") as client:
        for name in names:
            with contextlib.suppress(KubeNotFoundError):
                found = await client.patch(TENANT, name, {"spec": {"deletionPolicy": "Delete"}})
                await client.delete(TENANT, name, uid=found["metadata"]["uid"])
