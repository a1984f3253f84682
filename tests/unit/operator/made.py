"""Objects as the API server would hand them over, in the states that the operator's decisions tell apart."""

from datetime import timedelta
from typing import Any

from reconcile.world import NOW, Object
from vivero_core.model.constants import ANNOTATION_PAUSED
from vivero_core.model.tenant import Tenant
from vivero_operator import kinds

KIND_SPECS = {spec.kind: spec for spec in kinds.KINDS}
KINDS = {kind: spec.model for kind, spec in KIND_SPECS.items()}
PAUSED = {ANNOTATION_PAUSED: "true"}
SPECS: dict[str, Object] = {
    # A good spec of each kind.
    "Tenant": {"displayName": "Acme", "slug": "acme", "plan": "trial", "owner": {"email": "a@b.co"}},
    "Plan": {"displayName": "Trial", "price": {"amountCents": 0}},
    "DatabaseServer": {"host": "db.example", "adminSecret": "mariadb-admin", "caConfigMap": "vivero-ca"},
    "TenantPool": {"plan": "trial", "size": 1},
    "TenantBackup": {"tenant": "acme"},
    "TenantRestore": {"tenant": "acme", "backup": "nightly", "target": {"tenant": "acme-again", "slug": "acme-again"}},
    "TenantProof": {"tenant": "acme"},
    "PlatformBackup": {"recoveryKey": "ab" * 32},
    "TenantErasure": {"id": "u5g5446au3"},
    "Release": {"image": "image:1", "podTemplate": {"spec": {"containers": [{"name": "app"}]}}},
}


def body(kind: str, name: str, spec: Object | None = None, status: Object | None = None, **metadata: Any) -> Object:  # noqa: ANN401  JSON
    """Made a minute ago."""
    known = {
        "name": name,
        "uid": f"uid-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": (NOW - timedelta(minutes=1)).isoformat(),
    }
    return {
        "kind": kind,
        "apiVersion": "vivero.dev/v1alpha1",
        "metadata": {**known, **metadata},
        "spec": {**SPECS[kind], **(spec or {})},
        "status": status or {},
    }


def condition(kind: str, reason: str, message: str = "", *, truth: bool) -> Object:
    at = NOW.isoformat()
    return {"type": kind, "status": str(truth), "reason": reason, "message": message, "lastTransitionTime": at}


def served(
    name: str,
    release: str | None = "old",
    reason: str = "Proven",
    *,
    pods_well: bool = True,
    status: Object | None = None,
    spec: Object | None = None,
    **metadata: Any,  # noqa: ANN401  JSON
) -> Tenant:
    """A tenant in service; with another reason than Proven it is not Ready for that."""
    conditions = [
        condition("Ready", reason, truth=reason == "Proven"),
        condition("WorkloadReady", "Running" if pods_well else reason, truth=pods_well),
    ]
    known = {"version": "1.0", "provenAt": NOW.isoformat(), "databaseServer": "main", "conditions": conditions}
    known |= {"release": release} if release else {}
    return Tenant.parse(body("Tenant", name, {"slug": name, **(spec or {})}, {**known, **(status or {})}, **metadata))


def starting(name: str, release: str | None, reason: str = "Starting", *, spare: bool = False) -> Tenant:
    """One that was never Ready."""
    status: Object = {"conditions": [condition(kind, reason, truth=False) for kind in ("Ready", "WorkloadReady")]}
    status |= {"release": release} if release else {}
    made = body("Tenant", name, {"slug": name}, status)
    if spare:
        made["spec"] = {"displayName": "Spare", "plan": "trial", "pool": "trial"}
    return Tenant.parse(made)


def names(found: Any) -> list[str]:  # noqa: ANN401  anything with names
    return [one.name for one in found]
