"""Does beforehand what the first visitor of a warm spare would wait for.

A spare waits for minutes, its new owner does not wait at all. Pods that have an
owner save the memory (1.9 MiB) until somebody opens a page.
"""

import asyncio
from typing import Final

from vivero_data import web
from vivero_data.domain.identity.service import IdentityService

_QUIET_SECONDS: Final = 2.0  # a signup that waits for this very pod comes first


async def warm_spare(identity: IdentityService) -> None:
    """Load the pages of the entrance where nobody has said yet whose workspace this is.

    On the event loop, for its 25 ms: nobody visits a spare, and a thread would keep memory of its own.
    """
    await asyncio.sleep(_QUIET_SECONDS)
    if not (await identity.current()).public_url:
        web.warm()
