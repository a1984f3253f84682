"""The plan's requests a minute: one counter for all users together, and one for each address without a token.

Requests without a valid token are counted by address only. Otherwise anonymous
clients could use up what a workspace pays for.
"""

from collections.abc import Callable
from typing import Final

from litestar.connection import ASGIConnection
from litestar.types import Scope
from vivero_web.limiter import Limit
from vivero_web.rate_limit import Charge, a_minute, per_address

from vivero_data.domain.auth.guards import access_token
from vivero_data.domain.limits.service import LimitService

_OPERATOR: Final = ("/internal/v1/workspace", "/internal/v1/proof")
"""Its token is compared at once; what else is asked has a signature to be checked, which costs a stranger nothing."""
_USERS: Final = "users"


def charge_by(limits: LimitService, *is_ours: Callable[[str], bool]) -> Charge:
    """How to charge a request under the current plan; `is_ours` say whether a token is one of this workspace's."""

    def charge(scope: Scope) -> tuple[Limit, str] | None:
        plan = limits.current
        amount = plan.requests_per_minute
        if amount is None or scope["path"].startswith(_OPERATOR):
            return None
        by_address = per_address(amount)(scope)
        token = access_token(ASGIConnection(scope)) if by_address else None
        if not token or not any(knows(token) for knows in is_ours):
            return by_address
        included = f"The {plan.plan} plan includes {amount:,} requests a minute for all users together."
        return a_minute(amount, included), _USERS

    return charge
