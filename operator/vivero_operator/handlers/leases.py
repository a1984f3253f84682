"""The leader's Lease: its echo shows that watches work, and the first one that every kind has been listed."""

from typing import Any

import kopf
from vivero_core.model.constants import LABEL_PART_OF

from vivero_operator.reconcile.context import HandlerContext

_SELECTOR = f"{LABEL_PART_OF}=vivero"


def register(registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, context: HandlerContext) -> None:
    settings.watching.label_selectors["coordination.k8s.io", "v1", "leases"] = _SELECTOR

    @kopf.on.event("coordination.k8s.io", "v1", "leases", id="leases", registry=registry)
    async def changed(**_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        context.heartbeat.beat()
