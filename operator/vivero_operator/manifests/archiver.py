"""A database server's archiver: a Deployment of one pod, and the ConfigMap with the public keys that it seals with. Pure."""

from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.archiver.configuration import (
    ADMIN_PORT,
    ARCHIVE_KEYS,
    FOLDER,
    LOGIN,
    PLATFORM_SCHEMA,
    STORAGE,
    STORAGE_KEYS,
)
from vivero_operator.instance import Manifest, owner_reference
from vivero_operator.pod_options import CONTAINER_SECURITY, POD_SECURITY, with_options
from vivero_operator.settings import Settings

NAME: Final = "archiver"
LABEL: Final = "vivero-archiver"
"""Value of its pods' label app.kubernetes.io/name."""


def name_of(server: DatabaseServer) -> str:
    """Of its Deployment and of its ConfigMap."""
    return f"{NAME}-{server.metadata.uid}"


def keys(server: DatabaseServer, settings: Settings) -> Manifest:
    """The ConfigMap, without keys, so that an apply leaves those that are there; it goes with the server."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(server, settings)}


def deployment(server: DatabaseServer, settings: Settings, platform_schema: str | None = None) -> Manifest:
    """One pod, which has no account in the cluster; the next one starts when it is gone, for one writes a chain.

    `platform_schema`: the control plane's, where that is archived on this server.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(server, settings),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _labels(server)},
            "template": with_options(_pod(server, settings, platform_schema), settings.operator_pod),
        },
    }


def _labels(server: DatabaseServer) -> dict[str, str]:
    return {
        c.LABEL_NAME: LABEL,
        c.LABEL_INSTANCE: server.metadata.uid,
        c.LABEL_PART_OF: "vivero",
        c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
    }


def _metadata(server: DatabaseServer, settings: Settings) -> dict[str, Any]:
    return {
        "name": name_of(server),
        "namespace": settings.platform_namespace,
        "labels": _labels(server),
        "ownerReferences": [owner_reference("DatabaseServer", server.metadata)],
    }


def _pod(server: DatabaseServer, settings: Settings, platform_schema: str | None) -> dict[str, Any]:
    environment = {
        "VIVERO_SERVER_UID": server.metadata.uid,
        "VIVERO_SERVER_HOST": server.spec.host,
        "VIVERO_SERVER_PORT": str(server.spec.port),
        **({PLATFORM_SCHEMA: platform_schema} if platform_schema is not None else {}),
    }
    container = {
        "name": NAME,
        "image": settings.operator_image,
        "imagePullPolicy": settings.operator_pull_policy,
        "command": ["python3", "-m", "vivero_operator.archiver"],
        "env": [
            *({"name": name, "value": value} for name, value in environment.items()),
            *(settings.lock.environment() if settings.lock else ()),
        ],
        "ports": [{"name": "admin", "containerPort": ADMIN_PORT, "protocol": "TCP"}],
        # A transaction of any size takes a few MiB, but the change of one row is one event, with both its images: at most
        # twice max_allowed_packet (64 MiB), which the protocol's client holds twice.
        "resources": {"requests": {"cpu": "20m", "memory": "40Mi"}, "limits": {"memory": "512Mi"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "admin"}, "periodSeconds": 5, "timeoutSeconds": 5},
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "admin"},
            "periodSeconds": 20,
            "timeoutSeconds": 10,
            "failureThreshold": 5,
        },
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "files", "mountPath": FOLDER, "readOnly": True},
            {"name": "keys", "mountPath": ARCHIVE_KEYS, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  a path inside the pod, its own volume
        ],
    }
    return {
        "metadata": {"labels": _labels(server)},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 30,
            "securityContext": POD_SECURITY,
            "containers": [container],
            "volumes": [
                _files(server, settings),
                # The kubelet renews it while the pod runs.
                {"name": "keys", "configMap": {"name": name_of(server), "optional": True}},
                # The largest transaction, as it was read and as it is stored.
                {"name": "tmp", "emptyDir": {"sizeLimit": "8Gi"}},
            ],
        },
    }


def _files(server: DatabaseServer, settings: Settings) -> dict[str, Any]:
    storage = [{"key": key, "path": f"{STORAGE}/{key}"} for key in STORAGE_KEYS]
    login = [{"key": key, "path": f"{LOGIN}/{key}"} for key in ("username", "password")]
    sources = [
        {"secret": {"name": server.spec.archiver_secret, "items": login}},
        {"secret": {"name": settings.backup_secret, "items": storage}},
        {"configMap": {"name": server.spec.ca_config_map, "items": [{"key": "ca.crt", "path": "server-ca.crt"}]}},
        {"configMap": {"name": settings.ca_config_map, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ]
    return {"name": "files", "projected": {"defaultMode": 0o440, "sources": sources}}
