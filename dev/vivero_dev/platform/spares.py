"""The pool of finished tenants that `up` leaves behind for the next signups."""

from vivero_dev.platform.kubectl import Object

PLAN = "trial"
POOL_SIZE = 2
"""Enough to try it; each takes 70 MiB and, once, a second and a half of a core."""


def pool(size: int) -> Object:
    metadata = {"name": PLAN, "labels": {"app.kubernetes.io/part-of": "vivero"}}
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantPool",
        "metadata": metadata,
        "spec": {"plan": PLAN, "size": size},
    }
