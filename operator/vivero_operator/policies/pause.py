"""A person stops the reconciliation of one object."""

from vivero_core.model.base import Metadata
from vivero_core.model.constants import ANNOTATION_PAUSED


def paused(metadata: Metadata) -> bool:
    """Annotation vivero.dev/paused is `true`; nothing is made, changed or deleted for the object until it is not."""
    return metadata.annotations.get(ANNOTATION_PAUSED) == "true"
