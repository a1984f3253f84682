"""Password guesses: limited by address, by account and address, and by account; and how many refusals are audited.

A guess is counted before the password is verified and given back when it was right. Unknown addresses together get few guesses
at an account, and one that has logged in before is known there: so a distributed attack slows down other unknown
addresses, and never the account's owner at their desk.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from vivero_web.errors import UnavailableError
from vivero_web.limiter import Limit, Limiter, Tally
from vivero_web.tokens import digest

_QUARTER: Final = 15 * 60
_REFUSAL: Final = "Too many attempts to log in."

AT_ONE_ACCOUNT: Final = Limit("login-place", 5, _QUARTER, _REFUSAL)
"""From one address at one account: people mistype, and five times is enough to notice the caps lock."""
FROM_ONE_PLACE: Final = Limit("login-address", 50, _QUARTER, _REFUSAL)
"""From one address at all accounts: a whole office behind it on a Monday."""
FROM_UNKNOWN_ADDRESSES: Final = Limit("login-account", 20, _QUARTER, _REFUSAL)
"""At one account from all addresses that have not logged in to it: under two thousand a day, whatever their number."""
KNOWN_SECONDS: Final = 30 * 86400
"""How long an address is known after its last login."""


class Logins:
    """Limits password guesses, before a password is verified."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    @asynccontextmanager
    async def guess(self, account: str, place: str) -> AsyncIterator[None]:
        """Around verifying a password: an error in the block is a wrong password, an outage is not.

        Args:
            account: its e-mail, as stored where there is one: a database may take several spellings for one.
            place: the client address, as limits count it.

        Raises:
            TooManyRequestsError: too many wrong guesses; the right password is refused as well.
        """
        account = _digest(account)
        counted = await self._count(account, place)
        try:
            yield
        except UnavailableError:
            await self._give_back(counted)
            raise
        await self._give_back(counted)
        await self._limiter.mark(_known(account, place), KNOWN_SECONDS)

    async def trust(self, account: str, place: str) -> None:
        """The account's owner uses this address, which was proven without a password."""
        await self._limiter.mark(_known(_digest(account), place), KNOWN_SECONDS)

    async def _count(self, account: str, place: str) -> list[Tally]:
        limits = [(AT_ONE_ACCOUNT, f"{account}:{place}"), (FROM_ONE_PLACE, place)]
        if not await self._limiter.has(_known(account, place)):
            limits.append((FROM_UNKNOWN_ADDRESSES, account))
        return await self._limiter.count_all(*limits)

    async def _give_back(self, counted: list[Tally]) -> None:
        for tally in counted:
            await self._limiter.give_back(tally)


def _digest(account: str) -> str:
    """No e-mail address stands in the cache."""
    return digest(account.strip().lower()).hex()


def _known(account: str, place: str) -> str:
    return f"known:{digest(f'{account}:{place}').hex()}"


WINDOW: Final = timedelta(minutes=1)
MOST: Final = 30
"""Entries of one kind in a window: from so many addresses or on so many accounts at once, more say nothing new."""


def is_worth_an_entry(same: int, all_alike: int) -> bool:
    """Whether a refusal is written down.

    Args:
        same: entries of this kind within the last WINDOW, about the same account and from the same address.
        all_alike: entries of this kind within it, about anybody and from anywhere.
    """
    return same == 0 and all_alike < MOST
