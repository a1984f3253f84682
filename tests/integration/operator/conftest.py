"""The instance under test, with its own operator at rest while these tests drive."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from faults.play import Book
from faults.report import Tally
from faults.rig import Rig
from faults.servers import Servers
from integration.conftest import Login, tenants_made
from integration.operator.accounts import OPERATOR, log_in
from integration.operator.backups import CANARY, Given, erase
from integration.operator.live import Live, Setup, cluster_names
from integration.operator.neighbour import Neighbour
from integration.operator.rigged import rigged
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import DEPLOYMENT, POD
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.model.constants import LABEL_NAME
from vivero_dev.debian import extracted
from vivero_dev.instance import cache_root
from vivero_operator.operations import backup

BACKING = "vivero-backing.svc.cluster.local"
TALLIES = pytest.StashKey[list[Tally]]()


@pytest.hookimpl(tryfirst=True)  # before the marks decide what runs
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """While the platform's operator rests, nothing else on it is worked for."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "setup" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The fault harness's report."""
    for tally in config.stash.get(TALLIES, []):
        if tally.plans or tally.leaves or tally.hands:
            terminalreporter.section("fault harness")
            for line in tally.lines():
                terminalreporter.write_line(line)


def _names(platform: dict[str, Any]) -> dict[str, tuple[str, int]]:
    valkey, s3 = urlsplit(platform["valkey"]["url"]), urlsplit(platform["s3"]["endpoint"])
    return {
        f"mariadb.{BACKING}": (platform["mariadb"]["host"], int(platform["mariadb"]["port"])),
        f"valkey.{BACKING}": (str(valkey.hostname), int(valkey.port or 0)),
        f"s3.{BACKING}": (str(s3.hostname), int(s3.port or 0)),
    }


def _environment(deployment: dict[str, Any]) -> dict[str, str]:
    """The deployed operator's own settings; who owns a host of the tests, staff has vouched for."""
    entries = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {entry["name"]: entry["value"] for entry in entries if "value" in entry} | {
        "VIVERO_HOST_VERIFICATION": "off"
    }


async def _scale(kube: KubeClient, replicas: int) -> None:
    """Returns when so many operators are at work, or the last one is gone."""
    await kube.patch(DEPLOYMENT, OPERATOR.name, {"spec": {"replicas": replicas}}, OPERATOR.namespace)
    async with asyncio.timeout(180):
        while True:
            ready = (await kube.get(DEPLOYMENT, OPERATOR.name, OPERATOR.namespace))["status"].get("readyReplicas", 0)
            pods = await kube.list(POD, OPERATOR.namespace, label_selector=f"{LABEL_NAME}={OPERATOR.name}")
            if ready == replicas and (replicas or not pods.items):
                return
            await asyncio.sleep(0.2)


@pytest.fixture(scope="module")  # not longer: other tests of the session need the deployed operator
def setup(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Two operators would both work on the tests' Tenants, so the deployed one rests."""
    administrator = Path(platform["kubeconfig"])
    config = kube_config.load(administrator)

    async def prepare() -> tuple[dict[str, Any], Path]:
        async with KubeClient(config, field_manager="operator-tests") as kube:
            deployment = await kube.get(DEPLOYMENT, OPERATOR.name, OPERATOR.namespace)
            account = await log_in(kube, OPERATOR, administrator, tmp_path_factory.mktemp("account"))
            await _scale(kube, 0)
            return deployment, account

    async def restore(replicas: int) -> None:
        async with KubeClient(config, field_manager="operator-tests") as kube:
            await _scale(kube, replicas)

    deployment, account = asyncio.run(prepare())
    names = _names(platform)
    with cluster_names(names):
        yield Setup(str(administrator), str(account), _environment(deployment), names)
    # None only after a run that was interrupted.
    asyncio.run(restore(deployment["spec"]["replicas"] or 1))


@pytest.fixture
async def live(setup: Setup) -> AsyncIterator[Live]:
    async with Live.open(setup) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(
    request: pytest.FixtureRequest,
    platform: dict[str, Any],
    setup: Setup,
    database_admin: MariaDbAdmin,
    storage_admin: VersityStorageAdmin,
    cache_admin: ValkeyAdmin,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Rig]:
    """An operator among faults, with the settings that the module asks for (RIG_SETTINGS).

    Without, it looks at a tenant that is well all the time: tests wait for that after a restart.
    """
    settings = getattr(request.module, "RIG_SETTINGS", {"VIVERO_RESYNC_SECONDS": "10"})
    servers = Servers(database_admin, storage_admin, cache_admin)
    folder = tmp_path_factory.mktemp("rig")
    async with rigged(platform, setup, servers, folder, **settings) as one:
        request.config.stash.setdefault(TALLIES, []).append(one.tally)
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def book(rig: Rig) -> Book:
    return Book(rig)


@pytest.fixture(scope="module")
def neighbour(
    platform: dict[str, Any],
    database_admin: MariaDbAdmin,
    storage_admin: VersityStorageAdmin,
    cache_admin: ValkeyAdmin,
    database_server: Server,
) -> Iterator[Neighbour]:
    with tenants_made(database_admin, storage_admin, cache_admin) as make:
        made = Neighbour(platform, make(), database_server, cache_admin)
        made.fill()
        yield made
        made.remove()


@pytest.fixture
def neighbour_stays(neighbour: Neighbour) -> Iterator[None]:
    """During every backup, restore and erasure the neighbours stay byte for byte what they were."""
    before = neighbour.fingerprint()
    yield
    assert neighbour.fingerprint() == before


@pytest.fixture
def in_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program of an operation finds it: MariaDB's programs, and a folder for what its steps leave to each other."""
    tools = extracted(cache_root(), "mariadb-client") / "usr/bin"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))


@pytest.fixture
def given(
    platform: dict[str, Any],
    new_tenant: Callable[[], Login],
    database_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Given]:
    tools = extracted(cache_root(), "mariadb-client") / "usr/bin"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(backup, "_scratch", lambda: tmp_path / "files.json")
    made = Given(platform, new_tenant(), database_server, tmp_path)
    made.sql(
        "CREATE TABLE c_1 (id INT PRIMARY KEY, name VARCHAR(200), picture LONGBLOB)",
        f"INSERT INTO c_1 VALUES (1, '{CANARY}', x'00ff1b5c27')",  # noqa: S608  a constant
    )
    made.upload("one")
    yield made
    erase(made.kept, made.bucket, f"{made.login.id}/")
