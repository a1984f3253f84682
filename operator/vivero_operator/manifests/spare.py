"""A spare: a Tenant of a pool that belongs to no one yet."""

from vivero_core.model import constants as c
from vivero_core.model.tenant import TenantSpec
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.instance import Manifest

# The API server adds five characters; a Tenant's name has at most 63.
_PREFIX_MAX = 57
DISPLAY_NAME = "Spare"


def selector(pool: TenantPool) -> dict[str, str]:
    """Label that the pool's spares carry."""
    return {c.LABEL_POOL: pool.name[:63].rstrip(".-")}


def build(pool: TenantPool, release: str) -> Manifest:
    """Its name is the API server's choice. `release`: the one that its pods are made from."""
    spec = TenantSpec(display_name=DISPLAY_NAME, plan=pool.spec.plan, pool=pool.name)
    return {
        "apiVersion": c.API_VERSION,
        "kind": "Tenant",
        "metadata": {
            "generateName": f"{pool.name[:_PREFIX_MAX]}-",
            "finalizers": [c.FINALIZER],
            "labels": {
                **selector(pool),
                c.LABEL_RELEASE: release,
                c.LABEL_PART_OF: "vivero",
                c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
            },
        },
        "spec": spec.dump(),
    }
