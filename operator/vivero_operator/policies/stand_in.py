"""When the stand-in page is shown at the address of a workspace. Pure."""

from datetime import datetime, timedelta
from typing import Final

from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant

FIRST_START: Final = timedelta(seconds=10)
"""A first start is watched at the control plane's own pages, and mostly over by then: two writes less for each tenant."""


def is_wanted(tenant: Tenant, *, ready: bool, down_since: datetime | None, now: datetime) -> bool:
    """Whether visitors come to an address where no pod answers.

    Args:
        tenant: one that stays.
        ready: whether a pod of it is.
        down_since: since when its oldest pod is not; None when it has none.
        now: the time.
    """
    routed = is_true(tenant.status.conditions, ConditionType.ROUTE_READY) and tenant.spec.suspended is None
    if ready or not routed:
        return False
    since = down_since or tenant.metadata.creation_timestamp
    return tenant.status.proven_at is not None or (since is not None and now - since > FIRST_START)
