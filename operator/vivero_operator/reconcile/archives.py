"""The archiver of a database server, and the public keys of tenants that it seals with."""

from collections.abc import Mapping
from datetime import UTC, datetime

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import CONFIG_MAP, DEPLOYMENT
from vivero_core.envelope import public_key
from vivero_core.model import platform_backup
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.platform_backup import ControlPlaneDatabase, PlatformBackup
from vivero_core.model.tenant import Tenant

from vivero_operator.archiver.configuration import ERASED
from vivero_operator.manifests import archiver
from vivero_operator.reconcile.run import Services
from vivero_operator.settings import Settings


def archived(server: DatabaseServer, settings: Settings) -> bool:
    """Whether an archiver is to run for the server."""
    return bool(server.spec.archiver_secret and settings.backup_secret)


def archived_to(services: Services, tenant: Tenant) -> datetime | None:
    """Up to when everything of the tenant is archived, as last read; None where nobody knows."""
    server = services.cluster.servers.get(tenant.status.database_server or "")
    position = services.archive_positions.get(server.metadata.uid) if server is not None else None
    if position is None or not position.until:
        return None
    return datetime.fromtimestamp(min(position.until, position.waiting.get(tenant.id, position.until)), UTC)


async def ensure_archiver(services: Services, server: DatabaseServer) -> bool:
    """Run the server's archiver, or remove it where none is to run; whether its pod is ready."""
    kube, settings = services.kube, services.settings
    if archived(server, settings):
        await _ensure_keys(services, server)
        live = await kube.apply(archiver.deployment(server, settings, _platform_schema(services, server)))
        return bool(live.get("status", {}).get("readyReplicas"))
    name, namespace = archiver.name_of(server), settings.platform_namespace
    try:
        present = await kube.get(DEPLOYMENT, name, namespace)
        await kube.delete(DEPLOYMENT, name, namespace, uid=present["metadata"]["uid"])
    except KubeNotFoundError:
        return False
    return False


def control_plane_on(services: Services, server: DatabaseServer) -> ControlPlaneDatabase | None:
    """The control plane's tables, if they are on this server and belong to the platform's backup."""
    item = services.cluster.of(PlatformBackup).get(platform_backup.NAME)
    told = item.spec.control_plane if item is not None else None
    return told if told is not None and told.database_server == server.name else None


def _platform_schema(services: Services, server: DatabaseServer) -> str | None:
    """Once there is a key for it: what has none is given up after a while."""
    item = services.cluster.of(PlatformBackup).get(platform_backup.NAME)
    told = control_plane_on(services, server)
    return told.database if told is not None and item is not None and item.status.installation is not None else None


async def _ensure_keys(services: Services, server: DatabaseServer) -> None:
    """Write the ConfigMap, and what it has lost of the keys that were published."""
    live = await services.kube.apply(archiver.keys(server, services.settings))
    held = live.get("data") or {}
    known = services.archive_keys.get(server.metadata.uid, {})
    if lost := {ident: key for ident, key in known.items() if held.get(ident) != key}:
        await _patch(services, server, lost)


async def publish_key(services: Services, server: DatabaseServer, ident: str, file_key: str) -> None:
    """Tell the server's archiver whom this tenant's part of the log is sealed for. Before the tenant has a schema."""
    await _publish(services, server, ident, public_key(bytes.fromhex(file_key)).hex())


async def withdraw_key(services: Services, server: DatabaseServer, ident: str) -> None:
    """The tenant's data was erased: nothing of it is to be archived any more.

    A key that is only missing would say nothing: one that is to come is missing as well.
    """
    await _publish(services, server, ident, ERASED)


async def forget_key(services: Services, server: DatabaseServer, ident: str) -> None:
    """Nothing of the tenant can be in the log any more: its entry goes."""
    services.archive_keys.get(server.metadata.uid, {}).pop(ident, None)
    if archived(server, services.settings):
        await _patch(services, server, {ident: None})


async def _publish(services: Services, server: DatabaseServer, ident: str, key: str) -> None:
    known = services.archive_keys.setdefault(server.metadata.uid, {})
    if not archived(server, services.settings) or known.get(ident) == key:
        return
    try:
        await _patch(services, server, {ident: key})
    except KubeNotFoundError:  # the first tenant of a new server
        await services.kube.apply(archiver.keys(server, services.settings))
        await _patch(services, server, {ident: key})
    known[ident] = key


async def _patch(services: Services, server: DatabaseServer, data: Mapping[str, str | None]) -> None:
    namespace = services.settings.platform_namespace
    await services.kube.patch(CONFIG_MAP, archiver.name_of(server), {"data": data}, namespace)
