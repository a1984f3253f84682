"""How much of its plan a workspace uses, as the workspace itself says at that moment."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.domain.signups.access import LoginTickets

PATH: Final = "/internal/v1/usage"
PURPOSE: Final = "usage"

Ask = Callable[[str, str, str], Awaitable[bytes | None]]
"""The answer of the workspace of a slug, at a path, to a bearer token; None if there is none in time."""
_Count = Annotated[int, Meta(ge=0)]


class Meter(Struct, frozen=True):
    """How much there is, and what the workspace is allowed; None is unlimited."""

    used: _Count
    limit: _Count | None


class Signs(Struct, frozen=True):
    """What has been done with the workspace."""

    imported: bool = False
    has_api_key: bool = False
    returned: bool = False
    """A person used it a day or more after their account was made."""


class Usage(Struct, frozen=True):
    """What counts against the plan, and signs of use; workspaces of before there were signs say none."""

    records: Meter
    users: Meter
    storage_bytes: Meter
    signs: Signs = Signs()


class WorkspaceUsage:
    """Asked each time, for nothing of a customer's data is kept here; a workspace that is closed is not asked."""

    def __init__(self, ask: Ask, tickets: LoginTickets, clock: Clock) -> None:
        self._ask = ask
        self._tickets = tickets
        self._clock = clock

    async def read(self, tenant: Tenant) -> Usage | None:
        """None where it is not known: the workspace is closed, or has not answered in time, or not in words of ours."""
        slug = tenant.spec.slug
        if slug is None or tenant.spec.suspended is not None:
            return None
        token = self._tickets.question(tenant.id, PURPOSE, self._clock())
        answer = await self._ask(slug, PATH, token)
        try:
            return msgspec.json.decode(answer, type=Usage) if answer is not None else None
        except msgspec.DecodeError:
            return None
