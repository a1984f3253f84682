"""Hashing passwords without holding up every other request.

19 MiB, two passes, one lane is what OWASP names for argon2id; 24 ms on the
reference machine. Off the event loop, and as many at once as there are cores:
more would only make all of them slower.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")


class Passwords:
    """Hashes and verifies, in its own threads."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        cores = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="argon2")
        self._free = asyncio.Semaphore(cores)
        self._decoy = self._hasher.hash(os.urandom(16))

    async def hash(self, password: str) -> str:
        """The PHC string, `$argon2id$…`."""
        return await (await self.hashing(password))

    async def hashing(self, password: str) -> asyncio.Future[str]:
        """The PHC string on its way, for who has something else to do meanwhile.

        Returns when a thread has begun: what is done meanwhile holds on to a connection for one hash at most,
        not for all those that wait before it.
        """
        return await self._begun(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Takes as long when nobody has the account (`stored` None), so that time does not tell."""
        matches = await (await self._begun(self._matches, stored or self._decoy, password))
        return matches and stored is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _begun(self, work: Callable[..., T], *arguments: str) -> asyncio.Future[T]:
        await self._free.acquire()
        begun = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        begun.add_done_callback(lambda _: self._free.release())
        return begun

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
