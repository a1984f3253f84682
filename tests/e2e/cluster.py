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


def condition(kubectl: Kubectl, name: str, kind: str) -> dict[str, Any]:
    """The Tenant's condition of that type; empty while it has none."""
    conditions = json.loads(kubectl("get", "tenant", name, "-o", "json")).get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == kind), {})
