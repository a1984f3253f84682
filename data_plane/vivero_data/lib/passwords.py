"""Hashing passwords off the event loop, and refusing those that everybody tries first."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 128  # argon2 hashes any length; a bound keeps a login small
HASH_PREFIX: Final = "$argon2id$"
# OWASP's figure for argon2id: 24 ms here. 64 MiB would starve every other request of a small pod.
_MEMORY_KIB: Final = 19 * 1024
_COMMON: Final = frozenset(
    [
        "password",
        "passwort",
        "kennwort",
        "qwertyuiop",
        "qwertzuiop",
        "asdfghjkl",
        "letmein",
        "welcome",
        "willkommen",
        "iloveyou",
        "administrator",
        "changeme",
        "football",
        "baseball",
        "superman",
        "sunshine",
        "princess",
        "trustno",
        "master",
        "dragon",
        "monkey",
        "secret",
        "workspace",
        "vivero",
        "abcdefghij",
        "onetwothree",
        "starwars",
        "whatever",
    ]
)
_DECORATION: Final = "0123456789!?.,-_*#+ "
_BETWEEN: Final = str.maketrans("", "", " .,-_&")
_LOOKALIKES: Final = str.maketrans("013457@$!", "oleastasi")


def problem_with(password: str, email: str = "", workspace: str = "") -> str | None:
    """What is wrong with a new password, in words for its owner; `workspace` is its name. None when it is good."""
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    if not password.isprintable():
        return "must not have control characters"
    if _is_guessable(password, {email, email.partition("@")[0], workspace}):
        return "is too easy to guess; a few unrelated words are better"
    return None


def _is_guessable(password: str, personal: set[str]) -> bool:
    """One well-known word, or what everybody knows of this person, with decoration; a run; few different characters."""
    lowered = password.lower()
    core = _bare(lowered.strip(_DECORATION))
    told = {text.lower() for text in personal}
    known = _COMMON | {_bare(form) for text in told for form in (text, text.strip(_DECORATION))} - {""}
    steps = {ord(b) - ord(a) for a, b in pairwise(lowered)}
    few = len(set(lowered)) < MIN_LENGTH // 2
    return few or len(steps) == 1 or bool(known & {core, core.translate(_LOOKALIKES), _bare(lowered)})


def _bare(text: str) -> str:
    """Without what people put between words."""
    return text.translate(_BETWEEN)


class Passwords:
    """Hashes and verifies in threads of its own, at most as many at once as there are cores."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=_MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "argon2")

    async def hash(self, password: str) -> str:
        """The PHC string."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; takes as long when there is no such account (`stored` None)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._matches, stored, password)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str | None, password: str) -> bool:
        if stored is None:
            self._hasher.hash(password)  # as much work as verifying one
            return False
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
