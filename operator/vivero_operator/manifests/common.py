"""Metadata that all objects of a tenant share."""

from typing import Any

from vivero_core.model import constants as c

from vivero_operator.instance import APP, Instance, digest

Manifest = dict[str, Any]

SELECTOR = {c.LABEL_NAME: "vivero-data-plane"}
"""Selects the tenant's pods inside its namespace."""


def labels(instance: Instance) -> dict[str, str]:
    return labels_of(instance.id)


def labels_of(tenant_id: str) -> dict[str, str]:
    return {
        c.LABEL_TENANT: tenant_id,
        c.LABEL_NAME: "vivero-data-plane",
        c.LABEL_INSTANCE: tenant_id,
        c.LABEL_PART_OF: "vivero",
        c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
    }


def metadata(instance: Instance, name: str = APP) -> dict[str, Any]:
    return {"name": name, "namespace": instance.namespace, "labels": labels(instance)}


def sealed(manifest: Manifest) -> Manifest:
    """The manifest with its own digest as annotation: how a field that was removed since is noticed."""
    meta = manifest["metadata"]
    annotations = {**meta.get("annotations", {}), c.ANNOTATION_APPLIED: digest(manifest)}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}
