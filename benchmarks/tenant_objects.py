"""What the bare script and a peer of our operator work from: the very objects of a tenant, as our own builders make them.

    ./vivero status --json > status.json
    python benchmarks/tenant_objects.py --status status.json --objects objects.json --backends backends.json

Where tenants differ there is a mark instead: @@ID@@, @@UID@@, @@NAME@@, @@SLUG@@, and @@SECRET1@@ to @@SECRET6@@ for
passwords that the peer makes.
"""

import argparse
import asyncio
import base64
import json
import os
import uuid
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import CONFIG_MAP, DATABASE_SERVER, DEPLOYMENT, PLAN
from vivero_core.model.constants import PLAN_TRIAL, PLATFORM_NAMESPACE
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.instance import DatabaseAddress, Instance, PlatformFiles, TenantKeys
from vivero_operator.manifests import copies, ingress, namespace, pod_template, secrets
from vivero_operator.policies.room import Room
from vivero_operator.settings import Settings

Object = dict[str, Any]

# Stand for themselves nowhere in a manifest, so that they can be found again and replaced.
_UID, _NAME, _SLUG = str(uuid.UUID(int=0)), "bench-tenant-name", "bench-tenant-slug"
UNLIMITED = 10_000  # database connections; what our operator writes for a plan without a limit


def render(settings: Settings, plan: Plan, address: DatabaseAddress, files: PlatformFiles) -> Object:
    """The stages in the order of our pipeline, the limit of database connections and the public address of a tenant."""
    instance = Instance(_tenant(plan), plan, settings)
    made = [one for one in fields(TenantKeys) if one.default is MISSING]
    keys = TenantKeys(*(f"@@SECRET{number}@@" for number, _ in enumerate(made, 1)))
    template = pod_template.of(instance, pod_template.common(settings), address.credentials(keys))
    stages = [
        [namespace.build(instance)],
        [
            secrets.database(instance, keys, address),
            secrets.cache(instance, keys),
            secrets.storage(instance, keys),
            secrets.app(instance, keys),
            secrets.limits(instance),
            copies.platform(instance, files),
            copies.account(instance),
        ],
        [pod_template.deployment(instance, template)],
        [
            ingress.service(instance),
            ingress.build(instance),
            namespace.network(instance),
            namespace.quota(instance, Room.of(plan.spec.workload)),
            namespace.disruptions(instance),
        ],
    ]
    document = {
        "stages": [[_readable(manifest) for manifest in stage] for stage in stages],
        "connections": plan.spec.limits.connections or UNLIMITED,
        "public_url": instance.url,
    }
    return _marked(document, instance)


def backends(status: Object) -> Object:
    """The backing servers of a status file and their administrators; secret."""
    cache = urlsplit(status["valkey"]["url"])
    database, storage = status["mariadb"], status["s3"]
    return {
        "mariadb": {
            "host": database["host"],
            "port": int(database["port"]),
            "user": database["admin_user"],
            "password": database["admin_password"],
        },
        "s3": {key: storage[key] for key in ("endpoint", "access_key", "secret_key")} | {"region": "us-east-1"},
        "valkey": {"host": cache.hostname, "port": cache.port, "user": cache.username, "password": cache.password},
        "ca": status["ca"],
    }


async def of_cluster(kube: KubeClient, plan: str = PLAN_TRIAL) -> Object:
    """`render` with what the cluster's own operator works with."""
    settings = await of_operator(kube)
    server = DatabaseServer.parse((await kube.list(DATABASE_SERVER)).items[0])
    authority = await kube.get(CONFIG_MAP, settings.ca_config_map, PLATFORM_NAMESPACE)
    ticket_key = await kube.get(CONFIG_MAP, settings.ticket_key_config_map, PLATFORM_NAMESPACE)
    files = PlatformFiles(authority["data"]["ca.crt"], ticket_key["data"]["ticket.pub"])
    return render(settings, Plan.parse(await kube.get(PLAN, plan)), DatabaseAddress.of(server), files)


async def of_operator(kube: KubeClient) -> Settings:
    """What the deployed operator works with."""
    return settings_of(await kube.get(DEPLOYMENT, "vivero-operator", PLATFORM_NAMESPACE))


def settings_of(operator: Object) -> Settings:
    """What the operator's Deployment tells it in its environment."""
    environment = operator["spec"]["template"]["spec"]["containers"][0]["env"]
    with patch.dict(os.environ, {one["name"]: one["value"] for one in environment if "value" in one}):
        return Settings()


def _tenant(plan: Plan) -> Tenant:
    spec = {"displayName": _NAME, "slug": _SLUG, "plan": plan.name, "owner": {"email": "bench@example.com"}}
    return Tenant.parse({"kind": "Tenant", "metadata": {"name": _NAME, "uid": _UID}, "spec": spec})


def _readable(manifest: Object) -> Object:
    """A Secret with its text as text, so that a mark in it can be found."""
    if manifest["kind"] != "Secret":
        return manifest
    text = {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}
    return {key: value for key, value in manifest.items() if key != "data"} | {"stringData": text}


def _marked(document: Object, instance: Instance) -> Object:
    text = json.dumps(document)
    for value, mark in ((instance.id, "ID"), (_UID, "UID"), (_NAME, "NAME"), (_SLUG, "SLUG")):
        text = text.replace(value, f"@@{mark}@@")
    marked: Object = json.loads(text)
    return marked


def write(path: Path, document: Object) -> None:
    """For the owner's eyes alone: one of the documents holds passwords."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2) + "\n")


async def _write_all(status: Object, objects: Path, secret: Path) -> None:
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        write(objects, await of_cluster(kube))
    write(secret, backends(status))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=Path, required=True, help="output of ./vivero status --json, as a file")
    parser.add_argument("--objects", type=Path, required=True, help="where the objects go")
    parser.add_argument("--backends", type=Path, required=True, help="where the backing servers' logins go")
    options = parser.parse_args()
    asyncio.run(_write_all(json.loads(options.status.read_text()), options.objects, options.backends))


if __name__ == "__main__":
    main()
