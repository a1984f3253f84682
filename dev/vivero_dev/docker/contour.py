"""Contour's official manifest on kind, with TLS 1.3 as minimum version."""

import json

from vivero_dev.errors import ComponentError
from vivero_dev.native.contour import LOG_FIELDS, TIMEOUTS, ingress_class
from vivero_dev.native.envoy import DRAIN
from vivero_dev.platform.diagnose import first_problem
from vivero_dev.platform.kubectl import Kubectl, Object
from vivero_dev.platform.names import FIELD_MANAGER

# The version of dev/go/go.mod; a test compares.
VERSION = "v1.33.8"
MANIFEST = f"https://raw.githubusercontent.com/projectcontour/contour/{VERSION}/examples/render/contour.yaml"
NAMESPACE = "projectcontour"
# Public names do not resolve inside the node.
ENVOY_ADDRESS = f"envoy.{NAMESPACE}.svc.cluster.local"
# Two images to pull the first time.
APPLY_SECONDS = 120.0
READY_SECONDS = 300.0


def ensure_contour(kubectl: Kubectl) -> str:
    """Apply the manifest and our settings, then wait for Contour and for Envoy on the node."""
    options = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
    if kubectl.get("deployment", "contour", NAMESPACE) is None:
        kubectl.run("apply", *options, f"--filename={MANIFEST}", timeout=APPLY_SECONDS)
    before = kubectl.get("configmap", "contour", NAMESPACE)
    kubectl.apply([_configuration(), ingress_class()])
    if before is None or before.get("data") != _configuration()["data"]:
        # It reads its file once, at start.
        kubectl.run("rollout", "restart", "deployment/contour", f"--namespace={NAMESPACE}")
    shorten_drain(kubectl)
    for workload in ("deployment/contour", "daemonset/envoy"):
        _await(kubectl, workload)
    return f"Contour {VERSION}"


def _configuration() -> Object:
    settings = {
        "disablePermitInsecure": True,
        "tls": {"minimum-protocol-version": "1.3"},
        "accesslog-format": "json",
        "json-fields": list(LOG_FIELDS),
        "timeouts": TIMEOUTS,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "contour", "namespace": NAMESPACE},
        "data": {"contour.yaml": json.dumps(settings, indent=2)},
    }


def shorten_drain(kubectl: Kubectl) -> None:
    """Shorten Envoy's drain time from the official manifest's ten minutes; options are separate list items."""
    found = kubectl.get("daemonset", "envoy", NAMESPACE)
    if found is None:
        raise ComponentError("envoy", "Contour's manifest holds no daemonset of this name")
    containers = found["spec"]["template"]["spec"]["containers"]
    at, envoy = next((at, one) for at, one in enumerate(containers) if one["name"] == "envoy")
    wanted = [f"{option} {value}" for option, value in DRAIN]
    missing = [word for word in wanted if word not in envoy["args"]]
    if missing:
        path = f"/spec/template/spec/containers/{at}/args/-"
        patch = json.dumps([{"op": "add", "path": path, "value": word} for word in missing])
        kubectl.run("patch", "daemonset", "envoy", f"--namespace={NAMESPACE}", "--type=json", f"--patch={patch}")


def _await(kubectl: Kubectl, workload: str) -> None:
    words = ("rollout", "status", workload, f"--namespace={NAMESPACE}", f"--timeout={READY_SECONDS:.0f}s")
    try:
        kubectl.run(*words, timeout=READY_SECONDS)
    except ComponentError as error:
        trouble = first_problem(kubectl, NAMESPACE)
        if trouble is None:
            raise
        raise ComponentError(trouble.component, trouble.reason) from error
