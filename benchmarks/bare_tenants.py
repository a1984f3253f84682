"""The floor under many tenants: a script that makes the same objects, schema, bucket and cache user of each, and no more.

It reads nothing, compares nothing and remembers nothing; every manifest is
built before the clock starts, every connection is kept open. As many tenants
at once as the operator works on; done when all pods are ready.
"""

import asyncio
import json
import secrets
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pymysql
import valkey
from arrivals import until_all
from vivero_core.backends import name_checks
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import NAMESPACE, POD
from vivero_core.backends.mariadb import audit, statements
from vivero_core.backends.s3.transport import Call, Endpoint, Transport
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey import acl
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT
from vivero_operator.reconcile.circuit_breaker import THREADS
from vivero_operator.reconcile.pods import Pod

T = TypeVar("T")

CONNECTIONS = 10
READY_SECONDS = 1200.0


@dataclass(frozen=True)
class Bare:
    """One tenant: its manifests in stages, and one password for everything."""

    id: str
    password: str
    stages: list[list[Object]]

    @property
    def namespace(self) -> str:
        return naming.namespace_name(self.id)

    @classmethod
    def from_objects(cls, document: Object, number: int) -> "Bare":
        """As the operator would make it (tenant_objects.py)."""
        uid, password = str(uuid.uuid4()), secrets.token_hex(32)
        ident = naming.tenant_id(uid)
        marks = {"ID": ident, "UID": uid, "NAME": f"bare-{number}", "SLUG": f"bare-{number}"}
        marks |= {f"SECRET{index}": password for index in range(1, 7)}
        text = json.dumps(document["stages"])
        for mark, value in marks.items():
            text = text.replace(f"@@{mark}@@", value)
        return cls(ident, password, json.loads(text))


def mariadb_connection(status: dict[str, Any]) -> "pymysql.Connection[Any]":
    """The administrator's; `status` is what `./vivero status --json` says."""
    server = status["mariadb"]
    return pymysql.connect(
        host=server["host"],
        port=int(server["port"]),
        user=server["admin_user"],
        password=server["admin_password"],
        ssl=client_context(Path(status["ca"]).read_text()),
        autocommit=True,
    )


class Servers:
    """The backing servers, over connections that stay open."""

    def __init__(self, status: dict[str, Any]) -> None:
        authority = Path(status["ca"]).read_text()
        self._status = status
        self._transport = Transport(Endpoint(status["s3"]["endpoint"], "us-east-1", authority))
        self._storage = Credentials(status["s3"]["access_key"], status["s3"]["secret_key"])
        self._cache = valkey.Valkey.from_url(status["valkey"]["url"], ssl_ca_certs=status["ca"])
        self._local = threading.local()

    def make_schema(self, one: Bare) -> None:
        user, database = naming.database_users(one.id)[0], naming.database_name(one.id)
        self._sql(
            statements.create_database(database),
            statements.write_user(user, one.password, CONNECTIONS, exists=False),
            statements.grant(user, database),
            *audit.make(database),
            audit.grant(user, database),
        )

    def make_bucket(self, one: Bare) -> None:
        bucket = naming.bucket_name(one.id)
        account = f"<Account><Access>{bucket}</Access><Secret>{one.password}</Secret><Role>user</Role></Account>"
        self._administer(Call("PATCH", "/create-user", account.encode()))
        self._administer(Call("PATCH", f"/{bucket}/create", headers={"x-vgw-owner": bucket}))

    def make_cache_user(self, one: Bare) -> None:
        user = naming.cache_user(one.id)
        self._cache.execute_command("ACL", "SETUSER", user, *acl.rules(acl.wanted(user, one.password)))
        self._cache.execute_command("ACL", "SAVE")

    def erase(self, one: Bare) -> None:
        database = naming.database_name(one.id)
        self._sql(
            (f"DROP USER IF EXISTS {statements.quoted_user(naming.database_users(one.id)[0])}", ()),
            statements.drop_database(database),
            statements.drop_database(name_checks.audit_database(database)),
        )
        bucket = naming.bucket_name(one.id)
        self._administer(Call("PATCH", "/delete-user", query={"access": bucket}))
        self._administer(Call("DELETE", f"/{bucket}"))
        self._cache.execute_command("ACL", "DELUSER", naming.cache_user(one.id))
        self._cache.execute_command("ACL", "SAVE")

    def _sql(self, *commands: statements.Statement) -> None:
        if not hasattr(self._local, "connection"):
            self._local.connection = mariadb_connection(self._status)
        with self._local.connection.cursor() as cursor:
            for command in commands:
                cursor.execute(*command)

    def _administer(self, call: Call) -> None:
        self._transport.signed(call, self._storage).raise_for(call.path)


class Script:
    """Makes tenants; in the operator's order, because a pod needs its Secrets."""

    def __init__(self, kube: KubeClient, servers: Servers) -> None:
        self._kube = kube
        self._servers = servers
        # As the operator: a few threads for each server.
        self._pools = {name: ThreadPoolExecutor(THREADS) for name in ("mariadb", "s3", "valkey")}

    async def make(self, one: Bare) -> None:
        first, before, pods, beside = one.stages
        await self._apply(first)
        await self._apply(before)
        await asyncio.gather(
            self._apply([*pods, *beside]),
            self._call("mariadb", self._servers.make_schema, one),
            self._call("s3", self._servers.make_bucket, one),
            self._call("valkey", self._servers.make_cache_user, one),
        )

    async def erase(self, one: Bare) -> None:
        await self._call("mariadb", self._servers.erase, one)
        try:
            live = await self._kube.get(NAMESPACE, one.namespace)
            await self._kube.delete(NAMESPACE, live["metadata"]["name"], uid=live["metadata"]["uid"])
        except KubeNotFoundError:
            return

    async def _apply(self, manifests: Iterable[Object]) -> None:
        await asyncio.gather(*(self._kube.apply(manifest) for manifest in manifests))

    async def _call(self, system: str, function: Callable[[Bare], None], one: Bare) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pools[system], function, one)


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]], concurrency: int) -> None:
    """`work` on every item, at most so many at once."""
    slots = asyncio.Semaphore(concurrency)

    async def bounded(item: T) -> None:
        async with slots:
            await work(item)

    await asyncio.gather(*(bounded(item) for item in items))


def _with_ready_pod(item: Object) -> str | None:
    """The id of the tenant whose pod is ready."""
    pod = Pod.parse(item)
    return pod.tenant_id if pod.ready else None


async def make_all(kube: KubeClient, script: Script, tenants: list[Bare], concurrency: int) -> float:
    """Seconds until all pods are ready."""
    idents = {one.id for one in tenants}
    begin = time.perf_counter()
    async with asyncio.timeout(READY_SECONDS):
        watching = asyncio.create_task(until_all(kube, POD, idents, _with_ready_pod, label_selector=LABEL_TENANT))
        await each(tenants, script.make, concurrency)
        await watching
    return time.perf_counter() - begin
