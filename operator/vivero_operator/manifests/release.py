"""A Release object: the operator makes one for each image and pod template that it is started with."""

from vivero_core.model import constants as c
from vivero_core.model.release import ReleaseSpec

from vivero_operator.instance import Manifest
from vivero_operator.manifests.pod_template import Template
from vivero_operator.settings import Settings


def build(name: str, template: Template, settings: Settings) -> Manifest:
    """The pace is the settings' when it is made; later it is the object's own, for people to change."""
    spec = ReleaseSpec(
        image=settings.data_plane_image,
        pod_template=template,
        batch=settings.release_batch,
        pause_seconds=settings.release_pause_seconds,
        deadline_seconds=settings.release_deadline_seconds,
        failures=settings.release_failures,
    )
    labels = {c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER}
    return {
        "apiVersion": c.API_VERSION,
        "kind": "Release",
        "metadata": {"name": name, "labels": labels},
        "spec": spec.dump(),
    }
