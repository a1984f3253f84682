"""kubectl, SQL and Tenants, as tests write them down."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "docs/examples/tenant.yaml"

Kubectl = Callable[..., str]
Sql = Callable[[str], list[tuple[Any, ...]]]


def tenant(name: str, **spec: object) -> dict[str, Any]:
    """A Tenant that a test may throw away."""
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": {
            "displayName": name.title(),
            "slug": name,
            "plan": "starter",
            "owner": {"email": f"owner@{name}.example"},
            "deletionPolicy": "Delete",
            **spec,
        },
    }


def status_of(kubectl: Kubectl, kind: str, name: str) -> dict[str, Any]:
    """Of a resource; empty while it has none."""
    found: dict[str, Any] = json.loads(kubectl("get", kind, name, "-o", "json")).get("status", {})
    return found


def condition(kubectl: Kubectl, name: str, wanted: str, kind: str = "tenant") -> dict[str, Any]:
    """The condition of that type of a Tenant, or of another kind; empty while it has none."""
    conditions = status_of(kubectl, kind, name).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == wanted), {})
