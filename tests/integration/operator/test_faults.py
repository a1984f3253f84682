"""The whole operator among faults: whatever strikes it, it reaches the end that it reaches undisturbed.

The harness is tests/faults. Every plan has a seed, which a failure prints; FAULT_SEED=<n> plays that one alone.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from faults.plan import draw
from faults.play import Book, play
from faults.rig import Place, Rig, put_up
from faults.scenarios import PLANS, SCENARIOS
from faults.state import Servers
from integration.operator.live import Setup
from integration.operator.test_process import free_port
from vivero_core.backends.kube.resources import PLAN
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAMPLE = tuple(range(6))
ALL = tuple(range(6, 200))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(
    setup: Setup,
    database_admin: MariaDbAdmin,
    storage_admin: VersityStorageAdmin,
    cache_admin: ValkeyAdmin,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Rig]:
    place = Place(
        Path(setup.kubeconfig),
        setup.environment,
        setup.names,
        Servers(database_admin, storage_admin, cache_admin),
        tmp_path_factory.mktemp("faults"),
        Path.home() / ".cache" / "vivero",
        free_port(),
    )
    async with put_up(place) as one:
        for plan in PLANS:
            await one.kube.create(plan)
        yield one
        for plan in PLANS:
            uid = (await one.kube.get(PLAN, plan["metadata"]["name"]))["metadata"]["uid"]
            await one.kube.delete(PLAN, plan["metadata"]["name"], uid=uid)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def book(rig: Rig) -> Book:
    return Book(rig)


@pytest.mark.parametrize("seed", SAMPLE)
async def test_a_plan_from_a_seed(book: Book, seed: int) -> None:
    await play(book, draw(seed, tuple(SCENARIOS)))
