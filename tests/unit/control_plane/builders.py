"""Builders of test objects."""

from datetime import UTC, datetime
from typing import Any

from vivero_core.model.constants import API_VERSION
from vivero_core.model.tenant import Tenant

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def condition(kind: str, status: str = "True", reason: str = "Proven", message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-11-22T11:59:00Z",
        "observedGeneration": 1,
    }


def tenant_body(
    name: str = "acme", *, conditions: list[dict[str, Any]] | None = None, **spec: object
) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Tenant",
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": "2026-11-01T00:00:00Z",
        },
        "spec": {
            "displayName": name.title(),
            "slug": name,
            "plan": "trial",
            "owner": {"email": f"owner@{name}.example.com"},
            **spec,
        },
        "status": {"observedGeneration": 1, "conditions": conditions or []},
    }


def spare_body(name: str, *, version: int = 7, proven: datetime | None = NOW, **spec: object) -> dict[str, Any]:
    """A spare as the operator leaves it: provisioned, proven, unclaimed."""
    body = tenant_body(name, conditions=[condition("Ready")], pool="trials", **spec)
    del body["spec"]["slug"], body["spec"]["owner"]
    body["metadata"]["resourceVersion"] = str(version)
    body["status"]["provenAt"] = proven and proven.isoformat()
    return body


def spare(name: str = "trial-x7k2m", **changed: Any) -> Tenant:  # noqa: ANN401  as spare_body
    return Tenant.parse(spare_body(name, **changed))


def tenant(name: str = "acme", *, conditions: list[dict[str, Any]] | None = None, **spec: object) -> Tenant:
    return Tenant.parse(tenant_body(name, conditions=conditions, **spec))


def backup_body(name: str = "acme-1", *, tenant: str = "acme", **status: object) -> dict[str, Any]:
    return _operation_body("TenantBackup", name, {"tenant": tenant}, status)


def restore_body(
    name: str = "acme-then", *, tenant: str = "acme", into: str = "acme-then", **status: object
) -> dict[str, Any]:
    spec = {"tenant": tenant, "target": {"tenant": into, "slug": into}}
    return _operation_body("TenantRestore", name, spec, status)


def _operation_body(kind: str, name: str, spec: dict[str, Any], status: dict[str, object]) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", "creationTimestamp": "2026-11-22T11:00:00Z"}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status}
