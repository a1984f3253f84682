"""The operator is killed between any two writes of provisioning; started again, it finishes, with one of everything."""

import asyncio
import base64
import json
import os
import random
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from integration.operator.live import Live, Setup, manifest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.resources import NAMESPACE, SECRET, TENANT
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.model import naming

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]
DIED = 137
HASH = "$argon2id$v=19$m=19456,t=2,p=1$cBEwr93N3ZgPL2MWqnJHhQ$GUdTGUJp4cYM9wnqnvPElTGHRyKvBbPTiMRyyC3wXYg"
WRITES = 26  # of a provisioning up to the pod's start at least; held against a real run below
LONGEST = 40  # with the owner's account, the proof, the password's removal, and what a slow start tells on the way
SAMPLE = sorted({1, *random.Random(3).sample(range(2, WRITES), 1)})  # noqa: S311  a seeded sample


async def launch(setup: Setup, tenant: str, fatal: int | None) -> tuple[int, str]:
    """Exit code and number of writes of one run of the operator's reconcile."""
    order = {"setup": asdict(setup), "tenant": tenant, "fatal": fatal}
    paths = [ROOT / "core", ROOT / "operator", ROOT / "tests"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "launcher.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate(json.dumps(order).encode())
    assert process.returncode in (0, DIED), err.decode()
    return process.returncode, out.decode()


async def secret(live: Live, namespace: str, name: str) -> dict[str, str]:
    data: dict[str, Any] = (await live.kube.get(SECRET, name, namespace))["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


class Checks:
    """What has to be there exactly once, and the credentials that have to work on it."""

    def __init__(self, live: Live, database: MariaDbAdmin, storage: VersityStorageAdmin, cache: ValkeyAdmin) -> None:
        self.live, self.database, self.storage, self.cache = live, database, storage, cache

    async def all(self, ident: str) -> None:
        namespace = naming.namespace_name(ident)
        database, storage, cache = [await secret(self.live, namespace, one) for one in ("database", "storage", "cache")]
        assert self.database.tenant_databases().count(database["name"]) == 1
        assert [self.database.user_exists(user) for user in naming.database_users(ident)] == [True, False]
        self.database.prove(Credentials(database["username"], database["password"]), database["name"])
        self.storage.prove(Credentials(storage["access_key"], storage["secret_key"]), storage["bucket"])
        self.cache.prove(Credentials(cache["username"], cache["password"]))
        found = (await self.live.kube.list(NAMESPACE, label_selector=f"vivero.dev/tenant={ident}")).items
        assert [one["metadata"]["name"] for one in found] == [namespace]


@pytest.fixture
def checks(
    live: Live, database_admin: MariaDbAdmin, storage_admin: VersityStorageAdmin, cache_admin: ValkeyAdmin
) -> Checks:
    return Checks(live, database_admin, storage_admin, cache_admin)


@asynccontextmanager
async def new_tenant(live: Live) -> AsyncIterator[str]:
    """A Tenant with an owner's password, as a signup makes it."""
    name = f"crash-{secrets.token_hex(4)}"
    password = {"password_hash": base64.b64encode(HASH.encode()).decode()}
    meta = {"name": f"signup-{name}", "namespace": "vivero-signups"}
    await live.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": password})
    owner = {"email": "owner@example.com", "passwordHashSecret": meta["name"]}
    await live.kube.create(manifest(name, owner=owner))
    try:
        yield name
    finally:
        await live.delete(name)


async def crash_and_recover(setup: Setup, live: Live, checks: Checks, fatal: int) -> None:
    async with new_tenant(live) as name:
        code, _ = await launch(setup, name, fatal)
        assert code == DIED or fatal > WRITES, "the run was over before its last write"
        assert (await launch(setup, name, None))[0] == 0
        tenant = await live.look(name)
        assert tenant is not None
        await checks.all(tenant.id)


@pytest.mark.parametrize("fatal", SAMPLE)
async def test_killed_before_a_write(setup: Setup, live: Live, checks: Checks, fatal: int) -> None:
    await crash_and_recover(setup, live, checks, fatal)


@pytest.mark.full
@pytest.mark.parametrize("fatal", [one for one in range(1, LONGEST + 1) if one not in SAMPLE])
async def test_killed_before_any_write(setup: Setup, live: Live, checks: Checks, fatal: int) -> None:
    await crash_and_recover(setup, live, checks, fatal)


async def test_a_run_is_as_long_as_the_sweep(setup: Setup, live: Live, checks: Checks) -> None:
    async with new_tenant(live) as name:
        code, writes = await launch(setup, name, None)
        assert code == 0
        assert WRITES <= int(writes) <= LONGEST
        await checks.all((await live.kube.get(TENANT, name))["status"]["id"])
