"""The floor under a signup: the same pod, started by itself.

A Deployment like a tenant's, in a namespace of its own, with a schema, a
bucket, a cache user and Secrets that were made beforehand. Every start gets
a fresh schema, because a tenant's first start migrates an empty one too.
"""

import asyncio
import base64
import json
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.resources import CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD, SECRET
from vivero_core.backends.mariadb import client as mariadb
from vivero_core.backends.s3 import client as s3
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.valkey import client as valkey
from vivero_core.model import naming
from vivero_core.model.constants import ANNOTATION_ASKED
from vivero_operator.manifests.secrets import AUDIT_KEY, HOLDS_DATA, LIMITS, LIMITS_FILE
from vivero_operator.reconcile.pods import Pod

APP = "app"  # name of a tenant's Deployment, container and service account
START_SECONDS = 120.0
CONNECTIONS = 20


class Backends:
    """The administrators of the platform that a status file describes."""

    def __init__(self, status: dict[str, Any]) -> None:
        authority = Path(status["ca"]).read_text()
        self.database = mariadb.MariaDbAdmin(
            mariadb.Server(status["mariadb"]["host"], int(status["mariadb"]["port"]), authority),
            Credentials(status["mariadb"]["admin_user"], status["mariadb"]["admin_password"]),
        )
        self.storage = s3.VersityStorageAdmin(
            Endpoint(status["s3"]["endpoint"], "us-east-1", authority),
            Credentials(status["s3"]["access_key"], status["s3"]["secret_key"]),
        )
        url = urlsplit(status["valkey"]["url"])
        self.cache = valkey.ValkeyAdmin(
            valkey.Server(url.hostname or "", url.port or 0, authority),
            Credentials(url.username or "", url.password or ""),
        )

    def provision(self, erasure: ExitStack) -> dict[str, dict[str, str]]:
        """Make a tenant's backends by hand; returns what differs in its Secrets."""
        ident = naming.tenant_id(str(uuid.uuid4()))
        database, user = naming.database_name(ident), naming.database_users(ident)[0]
        bucket, cache_user = naming.bucket_name(ident), naming.cache_user(ident)
        password = uuid.uuid4().hex
        erasure.callback(self.database.drop_database, database)
        erasure.callback(self.database.drop_users, database)
        erasure.callback(self.storage.delete_account, bucket)
        erasure.callback(self.storage.delete_bucket, bucket)
        erasure.callback(self.cache.delete_keys, cache_user)
        erasure.callback(self.cache.drop_user, cache_user)
        self.database.ensure_database(database)
        self.database.ensure_user(Credentials(user, password), database, CONNECTIONS)
        self.storage.ensure_account(Credentials(bucket, password))
        self.storage.ensure_bucket(bucket, bucket)
        self.cache.ensure_user(Credentials(cache_user, password))
        return {
            "database": {
                "username": user,
                "password": password,
                "name": database,
                AUDIT_KEY: naming.audit_database_name(ident),
            },
            "storage": {"access_key": bucket, "secret_key": password, "bucket": bucket},
            "cache": {"username": cache_user, "password": password, "prefix": naming.cache_prefix(ident)},
        }


class BarePod:
    """Starts copies of one tenant's pod; use it as an async context manager."""

    def __init__(self, kube: KubeClient, backends: Backends, tenant_namespace: str) -> None:
        self._kube = kube
        self._backends = backends
        self._source = tenant_namespace
        self._namespace = f"bench-{uuid.uuid4().hex[:10]}"
        self._erasure = ExitStack()
        self._uid = ""

    async def __aenter__(self) -> Self:
        """A namespace with everything a tenant's has that its pod mounts."""
        template = await self._kube.get(NAMESPACE, self._source)
        labels = {key: value for key, value in template["metadata"]["labels"].items() if key.startswith("pod-security")}
        made = await self._kube.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._namespace, "labels": labels}}
        )
        self._uid = made["metadata"]["uid"]
        account = {"metadata": {"name": APP, "namespace": self._namespace}, "automountServiceAccountToken": False}
        await self._kube.create({"apiVersion": "v1", "kind": "ServiceAccount", **account})
        for item in (await self._kube.list(CONFIG_MAP, self._source)).items:
            if item["metadata"]["name"] != "kube-root-ca.crt":
                await self._kube.create(self._copied(item))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._kube.delete(NAMESPACE, self._namespace, uid=self._uid)
        await asyncio.to_thread(self._erasure.close)

    async def start(self) -> float:
        """Seconds from the Deployment's creation to its condition Available; all else is made before and removed after."""
        await self._prepare_secrets()
        template = await self._kube.get(DEPLOYMENT, APP, self._source)
        deployment = self._copied(template) | {"spec": template["spec"]}
        before = (await self._kube.list(DEPLOYMENT, self._namespace)).resource_version
        started = time.perf_counter()
        made = await self._kube.create(deployment)
        async with asyncio.timeout(START_SECONDS), asyncio.TaskGroup() as group:
            asking = group.create_task(self._ask(before))
            async for change in self._kube.watch(DEPLOYMENT, before, self._namespace):
                if _available(change.object):
                    break
            seconds = time.perf_counter() - started
            asking.cancel()
        await self._kube.delete(DEPLOYMENT, APP, self._namespace, uid=made["metadata"]["uid"], propagation="Foreground")
        await self._until_no_pod()
        return seconds

    async def _ask(self, before: str) -> None:
        """As the operator does for a tenant (ADR 0010); without it this floor would be up to 5 s higher by chance."""
        async for change in self._kube.watch(POD, before, self._namespace):
            pod = Pod.parse(change.object)
            if pod.running and not pod.asked:
                patch = {"metadata": {"annotations": {ANNOTATION_ASKED: "true"}}}
                await self._kube.patch(POD, pod.name, patch, self._namespace)
                return

    async def _prepare_secrets(self) -> None:
        differing = await asyncio.to_thread(self._backends.provision, self._erasure)
        for secret in (await self._kube.list(SECRET, self._source)).items:
            name, data = secret["metadata"]["name"], secret.get("data", {})
            values = differing.get(name, {})
            if name == LIMITS:
                values = {LIMITS_FILE: _of_an_empty_workspace(base64.b64decode(data[LIMITS_FILE]))}
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
            await self._kube.apply(self._copied(secret) | {"data": data | encoded})

    async def _until_no_pod(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while (await self._kube.list(POD, self._namespace)).items:  # noqa: ASYNC110  the API server sends no event that all pods are gone
                await asyncio.sleep(0.2)

    def _copied(self, item: Object) -> Object:
        """The object without what the server added, in the benchmark's namespace."""
        kept = {key: value for key, value in item.items() if key in {"apiVersion", "kind", "data", "type"}}
        return kept | {"metadata": {"name": item["metadata"]["name"], "namespace": self._namespace}}


def _of_an_empty_workspace(limits: bytes) -> str:
    """The limits without the word that there is data: a pod does not make a schema in place of one that held some."""
    return json.dumps({key: value for key, value in json.loads(limits).items() if key != HOLDS_DATA})


def _available(deployment: Object) -> bool:
    conditions = deployment.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Available" and condition["status"] == "True" for condition in conditions)
