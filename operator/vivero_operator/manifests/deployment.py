"""The tenant's pods. The template depends on the workload's size but not on limits, so a change of plan rolls nothing."""

from typing import Any

from vivero_operator.instance import APP, APP_PORT, Instance
from vivero_operator.manifests import platform_config, secrets
from vivero_operator.manifests.common import SELECTOR, Manifest, labels, metadata, sealed

_MOUNT = "/run/vivero"
_UID = 10001  # the images' user
_KEYS = {
    secrets.DATABASE: ("username", "password", "host", "port", "name"),
    secrets.CACHE: ("username", "password", "host", "port", "prefix"),
    secrets.STORAGE: ("access_key", "secret_key", "endpoint", "bucket", "region"),
    secrets.APP_KEYS: ("signing_key", "file_key", "operator_token"),
    secrets.LIMITS: (secrets.LIMITS_FILE,),
}


def _environment(instance: Instance) -> list[dict[str, str]]:
    """Nothing that changes when a spare is claimed: the pod must not start anew. Its name and address it is told."""
    values = {"VIVERO_TENANT_ID": instance.id, "VIVERO_SECRETS_DIR": _MOUNT}
    return [{"name": name, "value": value} for name, value in values.items()]


def _items(folder: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"key": key, "path": f"{folder}/{key}"} for key in keys]


def _files() -> dict[str, Any]:
    """All files in one projected volume: one mount to set up at pod start instead of six."""
    sources: list[dict[str, Any]] = [
        {"secret": {"name": name, "items": _items(name, keys)}} for name, keys in _KEYS.items()
    ]
    public = ("ca.crt", "ticket.pub")
    sources.append({"configMap": {"name": platform_config.NAME, "items": _items(platform_config.NAME, public)}})
    return {"name": "vivero", "projected": {"defaultMode": 0o440, "sources": sources}}


def _resources(instance: Instance) -> dict[str, Any]:
    size = instance.plan.spec.workload
    limits = {"memory": size.memory_limit} | ({"cpu": size.cpu_limit} if size.cpu_limit else {})
    return {"requests": {"cpu": size.cpu_request, "memory": size.memory_request}, "limits": limits}


# A first start with migrations may take two minutes on a starved machine.
_START_SECONDS = 120


def _probe(path: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _container(instance: Instance) -> dict[str, Any]:
    return {
        "name": APP,
        "image": instance.settings.data_plane_image,
        "imagePullPolicy": instance.settings.image_pull_policy,
        "env": _environment(instance),
        "ports": [{"name": "http", "containerPort": APP_PORT, "protocol": "TCP"}],
        "resources": _resources(instance),
        # No startup probe: kubelet runs that at full seconds only, but asks for readiness the moment it sees the
        # container run. The program listens before it has loaded, so that first question waits for its answer and
        # the pod is ready when the program is (ADR 0010).
        "readinessProbe": _probe("/readyz", period=5, timeout=10, failures=2),
        "livenessProbe": {
            **_probe("/healthz", period=10, timeout=3, failures=3),
            "initialDelaySeconds": _START_SECONDS,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "vivero", "mountPath": _MOUNT, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  a path inside the pod, its own volume
        ],
    }


def _pod_spec(instance: Instance) -> dict[str, Any]:
    return {
        "serviceAccountName": APP,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _UID,
            "fsGroup": _UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(instance)],
        "volumes": [_files(), {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
    }


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(instance),
            "spec": {
                "replicas": 0 if instance.suspended else instance.plan.spec.workload.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": 300,
                "selector": {"matchLabels": SELECTOR},
                # A new pod is up before an old one goes.
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"metadata": {"labels": labels(instance)}, "spec": _pod_spec(instance)},
            },
        }
    )
