"""Events: what happened to a Tenant, for `kubectl describe`. Never anything secret."""

import uuid
from datetime import datetime
from typing import Literal

from vivero_core.model import constants as c
from vivero_core.model.tenant import Tenant

from vivero_operator.manifests.common import Manifest

NAMESPACE = "default"
"""Where events about cluster-scoped objects are kept."""
_MESSAGE_LIMIT = 1024


def build(tenant: Tenant, kind: Literal["Normal", "Warning"], reason: str, message: str, now: datetime) -> Manifest:
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{tenant.name}.{uuid.uuid4().hex[:16]}", "namespace": NAMESPACE},
        "involvedObject": {
            "apiVersion": c.API_VERSION,
            "kind": "Tenant",
            "name": tenant.name,
            "uid": tenant.metadata.uid,
            "resourceVersion": tenant.metadata.resource_version,
        },
        "type": kind,
        "reason": reason,
        "message": message[:_MESSAGE_LIMIT],
        "source": {"component": c.FIELD_MANAGER},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
