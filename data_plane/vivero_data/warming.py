"""Loads in a warm spare what its first visitor would otherwise wait for.

Pods of claimed tenants save the memory (1.9 MiB) until somebody opens a page.
"""

import asyncio
from typing import Final

from vivero_data.domain.identity.service import IdentityService
from vivero_data.web import render

_QUIET_SECONDS: Final = 2.0  # a signup may be waiting for this pod


async def warm_spare(identity: IdentityService) -> None:
    """Load the first pages if this workspace is an unclaimed spare.

    This blocks the event loop for 25 ms: a spare has no visitors, and a thread would need memory of its own.
    """
    await asyncio.sleep(_QUIET_SECONDS)
    if not (await identity.current()).public_url:
        render.warm()
