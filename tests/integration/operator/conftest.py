"""The instance under test, made complete where it is not, with its own operator at rest while these tests drive."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from faults.play import Book
from faults.report import Tally
from faults.rig import Rig
from faults.state import Servers
from integration.operator.live import Live, Setup, cluster_names
from integration.operator.rigged import rigged
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, POD
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin

BACKING = "vivero-backing.svc.cluster.local"
SYSTEM = "vivero-system"
OPERATOR = "vivero-operator"
STAND_IN_IMAGE = "localhost/vivero/pause:1"
TALLIES = pytest.StashKey[list[Tally]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The fault harness's report."""
    for tally in config.stash.get(TALLIES, []):
        if tally.plans or tally.leaves:
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


def _object(kind: str, name: str, namespace: str | None = SYSTEM, **content: object) -> dict[str, Any]:
    version = "vivero.dev/v1alpha1" if kind in ("Plan", "DatabaseServer") else "v1"
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": meta, **content}


def _secret(name: str, **content: str) -> dict[str, Any]:
    return _object(
        "Secret", name, data={key: base64.b64encode(text.encode()).decode() for key, text in content.items()}
    )


def _foundation(platform: dict[str, Any]) -> list[dict[str, Any]]:
    """What `up` and the chart would have made."""
    valkey, mariadb, s3 = urlsplit(platform["valkey"]["url"]), platform["mariadb"], platform["s3"]
    server = {"host": f"mariadb.{BACKING}", "adminSecret": "mariadb-admin", "caConfigMap": "vivero-ca"}
    return [
        _object("Namespace", SYSTEM, None),
        _object("Namespace", "vivero-signups", None),
        _object("ConfigMap", "vivero-ca", data={"ca.crt": Path(platform["ca"]).read_text()}),
        _object("ConfigMap", "ticket-public-key", data={"ticket.pub": "none"}),
        _secret("mariadb-admin", username=mariadb["admin_user"], password=mariadb["admin_password"]),
        _secret("valkey-admin", username=str(valkey.username), password=str(valkey.password)),
        _secret("s3-admin", access_key=s3["access_key"], secret_key=s3["secret_key"]),
        _object("DatabaseServer", "main", None, spec=server),
        _object(
            "Plan",
            "trial",
            None,
            spec={
                "displayName": "Trial",
                "price": {"amountCents": 0},
                "trialDays": 30,
                "limits": {"records": 10000, "users": 5, "connections": 15, "requestsPerMinute": 600},
            },
        ),
    ]


async def _lay_foundation(kube: KubeClient, platform: dict[str, Any]) -> None:
    for item in _foundation(platform):
        try:
            await kube.create(item)
        except KubeAlreadyExistsError:
            continue


async def _deployed(kube: KubeClient) -> dict[str, Any] | None:
    try:
        return await kube.get(DEPLOYMENT, OPERATOR, SYSTEM)
    except KubeNotFoundError:
        return None


def _environment(deployment: dict[str, Any] | None) -> dict[str, str]:
    """The deployed operator's own settings, else the defaults."""
    if deployment is None:
        return {"VIVERO_DATA_PLANE_IMAGE": STAND_IN_IMAGE}
    entries = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {entry["name"]: entry["value"] for entry in entries if "value" in entry}


async def _scale(kube: KubeClient, replicas: int) -> None:
    """Returns when so many operators are at work, or the last one is gone."""
    await kube.patch(DEPLOYMENT, OPERATOR, {"spec": {"replicas": replicas}}, SYSTEM)
    async with asyncio.timeout(180):
        while True:
            ready = (await kube.get(DEPLOYMENT, OPERATOR, SYSTEM))["status"].get("readyReplicas", 0)
            pods = await kube.list(POD, SYSTEM, label_selector=f"app.kubernetes.io/name={OPERATOR}")
            if ready == replicas and (replicas or not pods.items):
                return
            await asyncio.sleep(0.2)


@pytest.fixture(scope="module")  # not longer: other tests of the session need the deployed operator
def setup(platform: dict[str, Any]) -> Iterator[Setup]:
    """Two operators would both work on the tests' Tenants, so the deployed one rests meanwhile."""
    config = kube_config.load(Path(platform["kubeconfig"]))

    async def prepare() -> dict[str, Any] | None:
        async with KubeClient(config, field_manager="operator-tests") as kube:
            await _lay_foundation(kube, platform)
            deployment = await _deployed(kube)
            if deployment is not None:
                await _scale(kube, 0)
            return deployment

    async def restore(replicas: int) -> None:
        async with KubeClient(config, field_manager="operator-tests") as kube:
            await _scale(kube, replicas)

    deployment = asyncio.run(prepare())
    names = _names(platform)
    with cluster_names(names):
        yield Setup(platform["kubeconfig"], _environment(deployment), names, real_data_plane=deployment is not None)
    if deployment is not None:
        asyncio.run(restore(deployment["spec"]["replicas"]))


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
    """An operator among faults. It looks at a tenant that is well all the time: tests wait for that after a restart."""
    servers = Servers(database_admin, storage_admin, cache_admin)
    folder = tmp_path_factory.mktemp("rig")
    async with rigged(platform, setup, servers, folder, VIVERO_RESYNC_SECONDS="10") as one:
        request.config.stash.setdefault(TALLIES, []).append(one.tally)
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def book(rig: Rig) -> Book:
    return Book(rig)
