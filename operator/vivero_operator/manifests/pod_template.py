"""The tenant's Deployment, and the template of its pods: what all of a release have in common, and what is a tenant's own.

The common part is stored in the Release, so that a tenant which is not moved
to a new release yet can still be repaired as it was. Pure.
"""

import copy
from typing import Any, Final

from vivero_core.model import constants as c

from vivero_operator.instance import (
    APP,
    APP_PORT,
    METRICS_PORT,
    SELECTOR,
    Instance,
    Manifest,
    digest,
    labels,
    metadata,
    sealed,
)
from vivero_operator.manifests import copies, secrets
from vivero_operator.pod_options import CONTAINER_SECURITY, POD_SECURITY, with_options
from vivero_operator.settings import Settings

Template = dict[str, Any]

_MOUNT: Final = "/run/vivero"
FILES: Final = "vivero"
"""The volume with all files that a pod reads."""
_KEYS: Final = {
    secrets.DATABASE: ("username", "password", "host", "port", "name"),
    secrets.CACHE: ("username", "password", "host", "port", "prefix"),
    secrets.STORAGE: ("access_key", "secret_key", "endpoint", "bucket", "region"),
    secrets.APP_KEYS: ("signing_key", "file_key", "operator_token"),
    secrets.LIMITS: (secrets.LIMITS_FILE,),
}
# A first start with migrations may take two minutes on a starved machine.
_START_SECONDS: Final = 120
LEAVING_SECONDS: Final = 3
"""Between the end of a pod's readiness and the end of its program; with the 20 s that requests get, below the 30 s of
terminationGracePeriodSeconds."""


def _items(folder: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"key": key, "path": f"{folder}/{key}"} for key in keys]


def _files(settings: Settings) -> dict[str, Any]:
    """All files in one projected volume: one mount to set up at pod start instead of six."""
    sources: list[dict[str, Any]] = [
        {"secret": {"name": name, "items": _items(name, keys)}} for name, keys in _KEYS.items()
    ]
    # An operator of before, gone back to, takes it out again; a pod must start all the same.
    audit = _items(secrets.DATABASE, (secrets.AUDIT_KEY,))
    sources.append({"secret": {"name": secrets.DATABASE, "items": audit, "optional": True}})
    public = ("ca.crt", "ticket.pub")
    sources.append({"configMap": {"name": copies.PLATFORM, "items": _items(copies.PLATFORM, public)}})
    # May be missing, and may come and go while the pod runs. Each is watched by kubelet for each pod.
    optional: dict[str, tuple[str, ...]] = {copies.MAIL: copies.MAIL_KEYS}
    if settings.workspace_telemetry_secret:
        optional[copies.TELEMETRY] = copies.TELEMETRY_KEYS
    sources += [
        {"secret": {"name": name, "items": _items(name, keys), "optional": True}} for name, keys in optional.items()
    ]
    return {"name": FILES, "projected": {"defaultMode": 0o440, "sources": sources}}


def _probe(path: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _env(settings: Settings) -> list[dict[str, str]]:
    given = {"VIVERO_SECRETS_DIR": _MOUNT, "VIVERO_SECURITY_CONTACT": settings.security_contact}
    if settings.workspace_otlp_endpoint:
        given["VIVERO_OTLP_ENDPOINT"] = settings.workspace_otlp_endpoint
        given["VIVERO_OTLP_RATIO"] = str(settings.workspace_otlp_ratio)
    if settings.log_format != "plain":
        given["VIVERO_LOG_FORMAT"] = settings.log_format
    return [{"name": name, "value": value} for name, value in given.items() if value]


def _container(settings: Settings) -> dict[str, Any]:
    return {
        "name": APP,
        "image": settings.data_plane_image,
        "imagePullPolicy": settings.image_pull_policy,
        # Nothing that changes when a spare is claimed, for the pod must not restart: name and address come by its internal API.
        "env": _env(settings),
        "ports": [
            {"name": "http", "containerPort": APP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        # No startup probe: kubelet runs that at full seconds only, but asks for readiness the moment it sees the
        # container run. The program listens before it has loaded, so that first question waits for its answer and
        # the pod is ready when the program is (ADR 0010).
        "readinessProbe": _probe("/readyz", period=5, timeout=10, failures=2),
        "livenessProbe": {
            **_probe("/healthz", period=10, timeout=3, failures=3),
            "initialDelaySeconds": _START_SECONDS,
        },
        # It serves on until the ingress knows that it goes: else a rollout costs a request here and there.
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVING_SECONDS}}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": FILES, "mountPath": _MOUNT, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  a path inside the pod, its own volume
        ],
    }


def common(settings: Settings) -> Template:
    """What all pods of this image and these settings share."""
    template = with_options(_own(settings), settings.data_plane_pod)
    pulls = template["spec"].get("imagePullSecrets")
    if pulls:
        template["spec"]["imagePullSecrets"] = [{"name": copies.login_name(one["name"])} for one in pulls]
    return template


def _own(settings: Settings) -> Template:
    return {
        "metadata": {},
        "spec": {
            "serviceAccountName": APP,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 30,
            "securityContext": POD_SECURITY,
            "containers": [_container(settings)],
            "volumes": [_files(settings), {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
        },
    }


def resources(instance: Instance) -> dict[str, Any]:
    size = instance.plan.spec.workload
    limits = {"memory": size.memory_limit} | ({"cpu": size.cpu_limit} if size.cpu_limit else {})
    return {"requests": {"cpu": size.cpu_request, "memory": size.memory_request}, "limits": limits}


def _restart_annotations(instance: Instance, credentials: str) -> dict[str, str]:
    """Annotations whose change restarts the pods: other credentials, a requested restart, an accepted data loss."""
    tenant = instance.tenant
    meta, given_up = tenant.metadata, tenant.status.data_given_up_at
    if tenant.accepts_data_loss:
        given_up = tenant.spec.accept_data_loss_at
    found = {
        c.ANNOTATION_CREDENTIALS: credentials,
        c.ANNOTATION_RESTART: meta.annotations.get(c.ANNOTATION_RESTART),
        c.ANNOTATION_DATA_GIVEN_UP: given_up.isoformat() if given_up else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def of(instance: Instance, release: Template, credentials: str) -> Template:
    """The tenant's pod template: the release's, with the tenant's labels, size and restart annotations."""
    template = copy.deepcopy(release)
    meta, container = template.setdefault("metadata", {}), template["spec"]["containers"][0]
    meta["labels"] = {**meta.get("labels", {}), **labels(instance)}
    meta["annotations"] = {**meta.get("annotations", {}), **_restart_annotations(instance, credentials)}
    container["env"] = [*container.get("env", ()), {"name": "VIVERO_TENANT_ID", "value": instance.id}]
    container["resources"] = resources(instance)
    meta["annotations"][c.ANNOTATION_REVISION] = digest(template)
    return template


def revision(template: Template) -> str:
    """Distinguishes its pods from those of another template."""
    found: str = template["metadata"]["annotations"][c.ANNOTATION_REVISION]
    return found


def deployment(instance: Instance, template: Template, *, closed: bool = False) -> Manifest:
    """The tenant's Deployment. Limits are no part of it, so a change of plan that keeps the size rolls nothing.

    `closed`: out of service for a moment, without pods.
    """
    return sealed(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(instance),
            "spec": {
                "replicas": 0 if instance.suspended or closed else instance.plan.spec.workload.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": 300,
                "selector": {"matchLabels": SELECTOR},
                # A new pod is up before an old one goes.
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": template,
            },
        }
    )
