"""Deletes Tenants of signups, found by their slugs: a claimed one has the name of its spare."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.tenants import erase
from vivero_core.backends.kube import config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT


def erase_signups(kubeconfig: Path, slugs: Iterable[str]) -> None:
    """As `erase`, whatever the names; in a thread of its own for the same reason."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        names = pool.submit(asyncio.run, _names(kubeconfig, set(slugs))).result()
    erase(kubeconfig, names)


async def _names(kubeconfig: Path, slugs: set[str]) -> list[str]:
    async with KubeClient(config.load(kubeconfig), field_manager="tests") as client:
        items = (await client.list(TENANT)).items
    return [one["metadata"]["name"] for one in items if {one["metadata"]["name"], one["spec"].get("slug")} & slugs]
