"""How many mails may be asked for: we must not become the tool that fills somebody's mailbox."""

from typing import Final

import msgspec
from vivero_web.errors import TooManyRequestsError
from vivero_web.tokens import digest

from vivero_data.clients.cache import Cache

_HOUR: Final = 3600


class Bound(msgspec.Struct, frozen=True):
    """So many within so many seconds."""

    name: str
    most: int
    seconds: int


TO_RECIPIENT: Final = Bound("to", 3, _HOUR)
"""People lose a mail or two; counted for what was typed, whether anybody has that address or not."""
BY_CALLER: Final = Bound("by", 20, _HOUR)
"""Resets, from one address of the network: an office shares one."""
OF_WORKSPACE: Final = Bound("invitations", 100, 24 * _HOUR)
"""A company that starts invites everybody in a day or two."""


class Allowance:
    """Counts in the cache, for all pods together; without it nothing is sent, because strangers are at stake."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def take(self, bound: Bound, who: str = "") -> None:
        """One more.

        Raises:
            TooManyRequestsError: that would be too many.
            UnavailableError: nobody knows how many there were.
        """
        counted = await self._cache.count(f"mails:{bound.name}:{digest(who).hex()}", bound.seconds)
        if counted > bound.most:
            raise TooManyRequestsError("Too many mails were asked for.", bound.seconds)
