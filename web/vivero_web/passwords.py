"""Hashing passwords without holding up every other request.

19 MiB, two passes, one lane is what OWASP names for argon2id; 24 ms on the
reference machine. Off the event loop, and as many at once as there are cores:
more would only make all of them slower.

One password has one spelling (NFC), whatever keyboard it is typed on. Hashes
from before that rule are of what was typed then, so that is tried as well.
"""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

NO_PASSWORD: Final = "!"  # noqa: S105  no password at all
"""In the place of a hash, for who has not chosen a password yet: none matches it, in older programs either."""
MEMORY_KIB: Final = 19 * 1024
_TYPED_MAX: Final = (
    512  # four times the longest password: no letter decomposes into more, and a bound keeps a login small
)
T = TypeVar("T")


class Passwords:
    """Hashes and verifies, in its own threads."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
        cores = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="argon2")
        self._free = asyncio.Semaphore(cores)

    async def hash(self, password: str) -> str:
        """The PHC string, `$argon2id$…`."""
        return await (await self.hashing(password))

    async def hashing(self, password: str) -> asyncio.Future[str]:
        """The PHC string on its way, for who has something else to do meanwhile.

        Returns when a thread has begun: what is done meanwhile holds on to a connection for one hash at most,
        not for all those that wait before it.
        """
        return await self._begun(self._hasher.hash, unicodedata.normalize("NFC", password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Takes as long when nobody has the account (`stored` None), so that time does not tell."""
        return await (await self._begun(self._matches, stored, password[:_TYPED_MAX]))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _begun(self, work: Callable[..., T], *arguments: str | None) -> asyncio.Future[T]:
        await self._free.acquire()
        begun = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        begun.add_done_callback(lambda _: self._free.release())
        return begun

    def _matches(self, stored: str | None, typed: str) -> bool:
        spellings = dict.fromkeys((unicodedata.normalize("NFC", typed), typed))
        # No password has half a surrogate pair, but a login can be tried with one.
        return any(self._is(stored, spelling.encode(errors="surrogatepass")) for spelling in spellings)

    def _is(self, stored: str | None, password: bytes) -> bool:
        if stored is None:
            self._hasher.hash(password)  # as much work as verifying one
            return False
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
