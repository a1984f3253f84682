"""A spare: a Tenant of a pool that belongs to nobody yet."""

from vivero_core.model import constants as c
from vivero_core.model.tenant import TenantSpec
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.instance import digest
from vivero_operator.manifests.common import Manifest

# The API server adds five characters; a Tenant's name has at most 63.
_PREFIX_MAX = 57
DISPLAY_NAME = "Spare"


def release(image: str) -> str:
    """What tells spares of one image from those of another; an image's name is no label value."""
    return digest(image)


def build(pool: TenantPool, image: str) -> Manifest:
    """Its name is the API server's choice."""
    spec = TenantSpec(display_name=DISPLAY_NAME, plan=pool.spec.plan, pool=pool.name)
    return {
        "apiVersion": c.API_VERSION,
        "kind": "Tenant",
        "metadata": {
            "generateName": f"{pool.name[:_PREFIX_MAX]}-",
            "finalizers": [c.FINALIZER],
            "labels": {
                c.LABEL_POOL: pool.name[:63].rstrip(".-"),
                c.LABEL_RELEASE: release(image),
                c.LABEL_PART_OF: "vivero",
                c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
            },
        },
        "spec": spec.dump(),
    }
