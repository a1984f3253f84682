"""The way to the pages where the plan is bought: the workspace vouches for its owner (ADR 0060)."""

import secrets
from typing import Final
from urllib.parse import urlsplit

from vivero_web import account_tickets
from vivero_web.clock import now
from vivero_web.errors import NotFoundError
from vivero_web.links import one_time_link

from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

JTI_BYTES: Final = 24


class PlanPage:
    """Where it is, and how an owner gets in."""

    def __init__(self, limits: LimitService, signing_key: str, tenant_id: str) -> None:
        self._limits = limits
        self._signing_key = signing_key
        self._tenant_id = tenant_id

    @property
    def origin(self) -> str:
        """Of the pages; empty where no plan is sold."""
        parts = urlsplit(self._limits.current.plan_url or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def link(self, actor: Actor) -> str:
        """An address that lets the owner in, once, within minutes.

        Raises:
            NotAllowedError: the actor is no owner.
            NotFoundError: no plan is sold.
        """
        require_permission(actor, Permission.CHANGE_PLAN)
        url = self._limits.current.plan_url
        if url is None:
            raise NotFoundError("No plan is sold here. Ask with whom you signed up.")
        # Loaded when it is needed: few requests are, and it takes memory of every pod (lean.py).
        from vivero_core.account_key import sign  # noqa: PLC0415

        jti = secrets.token_urlsafe(JTI_BYTES)
        ticket = account_tickets.issue(self._tenant_id, jti, now(), lambda message: sign(self._signing_key, message))
        return one_time_link(f"{url.partition('?')[0]}/enter", ticket)
