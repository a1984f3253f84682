"""How long mariadb-operator takes for the schemas and users of many tenants, as it is shipped.

    ./vivero status --json > status.json
    python benchmarks/mariadb_operator.py --status status.json --tenants 300

It runs as a process of this machine against the platform's cluster and MariaDB, with its own defaults, and makes a
Database, a User and a Grant for each tenant: from the first create to the moment the last of them says Ready. It is
spared some of what it does in a cluster: its webhook does not run, and one Secret holds the password of all users.
Whatever it made is removed afterwards, its definitions included.
"""

import asyncio
import base64
import os
import secrets
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import yaml
from any_kind import AnyKindClient
from arrivals import name_with, until_all
from figures import arguments, machine, read_status
from peer_builds import build, source_of
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, Resource
from vivero_core.backends.mariadb.statements import PRIVILEGES
from vivero_dev.backing import mariadb
from vivero_dev.backing.accounts import Account
from vivero_dev.logfiles import tail

SOURCE = "github.com/mariadb-operator/mariadb-operator/v25"
SPACE, SERVER, LOGIN = "bench-mariadb-operator", "server", "login"
PREFIX = "benchmo"  # of all schemas and users; nothing else on the server begins so
CONNECTIONS = 20  # of each user; as many as a tenant of the other benchmarks has
START_SECONDS = 60.0  # it takes 3 s on two cores; twenty times that for a starved machine
END_SECONDS = 15.0  # a little more than its chart lets it have
CLEAN_SECONDS = 120.0  # 300 tenants and the namespace take 20 s
# The whole takes 0.2 s a tenant on two cores; ten times that for a slow machine.
SECONDS_A_TENANT = 2.0


def _kind(kind: str, plural: str) -> Resource:
    return Resource("k8s.mariadb.com", "v1alpha1", kind, plural)


EXTERNAL = _kind("ExternalMariaDB", "externalmariadbs")
DATABASE, USER, GRANT = _kind("Database", "databases"), _kind("User", "users"), _kind("Grant", "grants")
KINDS = (DATABASE, USER, GRANT)

# What its chart sets; images are named only, for nothing here starts a pod.
ENVIRONMENT = {
    "CLUSTER_NAME": "cluster.local",
    "MARIADB_OPERATOR_NAME": "mariadb-operator",
    "MARIADB_OPERATOR_NAMESPACE": SPACE,
    "MARIADB_OPERATOR_SA_PATH": "/var/run/secrets/kubernetes.io/serviceaccount/token",
    "MARIADB_OPERATOR_IMAGE": "mariadb-operator",
    "MARIADB_GALERA_LIB_PATH": "/usr/lib/galera/libgalera_smm.so",
    "MARIADB_DEFAULT_VERSION": "11.8",
    "RELATED_IMAGE_MARIADB": "mariadb:11.8.5",
    "RELATED_IMAGE_MARIADB_NAME": "mariadb",
    "RELATED_IMAGE_MAXSCALE": "maxscale",
    "RELATED_IMAGE_EXPORTER": "exporter",
    "RELATED_IMAGE_EXPORTER_MAXSCALE": "exporter",
}


async def measure(status: dict[str, Any], count: int) -> float:
    """Seconds until the schemas, users and grants of `count` tenants are all Ready.

    Raises:
        TimeoutError: they are not within two seconds a tenant.
        RuntimeError: the operator ended by itself.
    """
    program = await asyncio.to_thread(build, "mariadb_operator", f"{SOURCE}/cmd/controller")
    definitions = await asyncio.to_thread(_definitions)
    config = from_kubeconfig(Path(status["kubeconfig"]))
    async with AnyKindClient(config, field_manager="vivero-benchmark") as kube:
        try:
            await _prepare(kube, status, definitions)
            async with _running(program, Path(status["kubeconfig"])) as operator:
                await _while_alive(operator, until_all(kube, EXTERNAL, {SERVER}, name_with("Ready")), START_SECONDS)
                begin = time.perf_counter()
                await _while_alive(operator, _make(kube, count), START_SECONDS + SECONDS_A_TENANT * count)
                return time.perf_counter() - begin
        finally:
            async with asyncio.timeout(CLEAN_SECONDS):
                await _clean(kube, status, [one["metadata"]["name"] for one in definitions])


def _definitions() -> list[Object]:
    folder = source_of("mariadb_operator", SOURCE) / "config/crd/bases"
    return [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]


async def _prepare(kube: AnyKindClient, status: dict[str, Any], definitions: list[Object]) -> None:
    """The definitions, and a namespace with the server's address, authority and administrator."""
    async with asyncio.TaskGroup() as group:
        for one in definitions:
            group.create_task(kube.apply(one))
    async with asyncio.timeout(START_SECONDS):
        names = {one["metadata"]["name"] for one in definitions}
        await until_all(kube, CUSTOM_RESOURCE_DEFINITION, names, name_with("Established"))
    await kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    server = status["mariadb"]
    content = {
        "password": secrets.token_urlsafe(24),
        "admin": server["admin_password"],
        "ca.crt": await asyncio.to_thread(Path(status["ca"]).read_text),
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    await kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(LOGIN), "data": data})
    spec = {
        "host": server["host"],
        "port": int(server["port"]),
        "username": server["admin_user"],
        "passwordSecretKeyRef": {"name": LOGIN, "key": "admin"},
        "tls": {"enabled": True, "mutual": False, "serverCASecretRef": {"name": LOGIN}},
    }
    await kube.create_as(EXTERNAL, {"metadata": _metadata(SERVER), "spec": spec})


def _metadata(name: str) -> Object:
    return {"name": name, "namespace": SPACE}


def _specs(name: str) -> list[tuple[Resource, Object]]:
    """What one tenant of ours gets on a database server."""
    server = {"mariaDbRef": {"name": SERVER, "kind": EXTERNAL.kind}}
    user = {
        "passwordSecretKeyRef": {"name": LOGIN, "key": "password"},
        "require": {"ssl": True},
        "maxUserConnections": CONNECTIONS,
        "host": "%",
    }
    grant = {"privileges": sorted(PRIVILEGES), "database": name, "table": "*", "username": name, "host": "%"}
    # Its default collation fits its default character set alone.
    schema = {"characterSet": "utf8mb4", "collate": "utf8mb4_unicode_ci"}
    return [(DATABASE, {**server, **schema}), (USER, {**server, **user}), (GRANT, {**server, **grant})]


async def _make(kube: AnyKindClient, count: int) -> None:
    names = [f"{PREFIX}{number:05}" for number in range(count)]
    async with asyncio.TaskGroup() as group:
        for kind in KINDS:
            group.create_task(until_all(kube, kind, set(names), name_with("Ready")))
        for name in names:
            for kind, spec in _specs(name):
                group.create_task(kube.create_as(kind, {"metadata": _metadata(name), "spec": spec}))


@asynccontextmanager
async def _running(program: Path, kubeconfig: Path) -> AsyncIterator[Process]:
    """The operator with its own defaults, but no listeners: its ports may be taken on this machine."""
    environment = {"PATH": os.defpath, "HOME": str(Path.home()), "KUBECONFIG": str(kubeconfig), **ENVIRONMENT}
    with tempfile.NamedTemporaryFile() as log:
        command = (program, "--metrics-addr=0", "--health-addr=0", "--log-level=INFO")
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
        try:
            yield process
        except (RuntimeError, TimeoutError) as error:
            error.add_note(tail(Path(log.name)))
            raise
        finally:
            await _end(process)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _while_alive(operator: Process, work: Any, seconds: float) -> None:  # noqa: ANN401  any coroutine
    """Wait for `work`, as long as the operator lives and at most `seconds`."""
    task, death = asyncio.ensure_future(work), asyncio.ensure_future(operator.wait())
    done, rest = await asyncio.wait({task, death}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in rest:
        one.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    if death in done:
        raise RuntimeError(f"mariadb-operator ended with code {operator.returncode}")
    if task not in done:
        raise TimeoutError(f"not all is Ready after {seconds:.0f} s")
    task.result()


async def _clean(kube: AnyKindClient, status: dict[str, Any], definitions: list[str]) -> None:
    """Not through the operator, which may be what failed: without it, its finalizers are ours to take away."""
    for kind in (*KINDS, EXTERNAL):
        with suppress(KubeNotFoundError):
            await kube.delete_all(kind, SPACE)
            await _release(kube, kind)
    for kind, names in ((NAMESPACE, [SPACE]), (CUSTOM_RESOURCE_DEFINITION, definitions)):
        for name in names:
            await _delete(kube, kind, name)
    await asyncio.to_thread(_drop, status)


async def _release(kube: AnyKindClient, kind: Resource) -> None:
    async def one(name: str) -> None:
        with suppress(KubeNotFoundError):
            await kube.patch(kind, name, {"metadata": {"finalizers": None}}, SPACE)

    async with asyncio.TaskGroup() as group:
        for item in (await kube.list(kind, SPACE, metadata_only=True)).items:
            group.create_task(one(item["metadata"]["name"]))


async def _delete(kube: AnyKindClient, kind: Resource, name: str) -> None:
    """Delete it and wait until it is gone."""
    with suppress(KubeNotFoundError):
        while True:
            found = await kube.get(kind, name)
            if "deletionTimestamp" not in found["metadata"]:
                await kube.delete(kind, name, uid=found["metadata"]["uid"])
            await asyncio.sleep(0.2)


def _drop(status: dict[str, Any]) -> None:
    server = status["mariadb"]
    admin = Account(server["admin_user"], server["admin_password"])
    connection = mariadb.connect(int(server["port"]), admin, Path(status["ca"]))
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", (f"{PREFIX}%",))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP DATABASE `{name}`")
        cursor.execute("SELECT User, Host FROM mysql.global_priv WHERE User LIKE %s", (f"{PREFIX}%",))
        for user, host in cursor.fetchall():
            cursor.execute("DROP USER %s@%s", (user, host))


def main() -> None:
    options = arguments(__doc__ or "", tenants=300)
    seconds = asyncio.run(measure(read_status(options.status), options.tenants))
    print(f"{options.tenants} x Database, User and Grant: {seconds:.1f} s; {machine()}")


if __name__ == "__main__":
    main()
