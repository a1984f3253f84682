"""When the waiting page is shown at the address of a workspace. Pure."""

from datetime import datetime, timedelta
from typing import Final

from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant

FIRST_START: Final = timedelta(seconds=10)
"""Customers follow a first start on the control plane's pages, and it is mostly over by then: this saves two writes."""


def is_wanted(tenant: Tenant, *, ready: bool, down_since: datetime | None, now: datetime) -> bool:
    """Whether the address is routed but no pod answers.

    Args:
        tenant: one that is not being deleted.
        ready: whether any of its pods is ready.
        down_since: since when its oldest pod is not ready; None without pods.
        now: the time.
    """
    routed = is_true(tenant.status.conditions, ConditionType.ROUTE_READY) and tenant.spec.suspended is None
    if ready or not routed:
        return False
    since = down_since or tenant.metadata.creation_timestamp
    return tenant.status.proven_at is not None or (since is not None and now - since > FIRST_START)
