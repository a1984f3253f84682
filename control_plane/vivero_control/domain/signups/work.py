"""Proof of work for networks that sign up often: altcha's protocol, without a third party (ADR 0064).

A challenge is the SHA-256 of a salt and a secret number; who counts up finds the number. It is signed, so nothing is
stored for it, and it says until when it is good. A proof works once.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from vivero_web.clock import Clock
from vivero_web.errors import WebError
from vivero_web.limiter import Limit, Limiter
from vivero_web.tokens import keyed_digest

ALGORITHM: Final = "SHA-256"
HIGHEST: Final = 50_000
"""The number is below it: a phone counts that far in seconds, and a machine that signs up by the thousand pays for each."""
GOOD_FOR: Final = timedelta(minutes=10)
PROOF_MAX: Final = 1024
_HOUR: Final = 60 * 60
_SPENT: Final = Limit("signup-proofs", 1, int(GOOD_FOR.total_seconds()), "")


class Challenge(Struct, frozen=True):
    """As altcha's widgets take it."""

    algorithm: Annotated[str, Meta(description="`SHA-256`.")]
    challenge: Annotated[str, Meta(description="SHA-256 of the salt and the number in decimals, in hex.")]
    maxnumber: Annotated[int, Meta(description="The number is below it.")]
    salt: Annotated[str, Meta(description="Says in its `expires` until when a proof is taken, in seconds since 1970.")]
    signature: Annotated[str, Meta(description="Sent back as it is: it shows that the challenge is ours.")]


class _Proof(Struct, frozen=True):
    algorithm: str
    challenge: str
    number: Annotated[int, Meta(ge=0, le=HIGHEST)]
    salt: str
    signature: str


class WorkRequiredError(WebError):
    """This network signs up often: the next one needs a proof of work."""

    status = 428
    slug = "proof-of-work"
    title = "A proof of work is needed"

    def __init__(self) -> None:
        super().__init__(
            "Many workspaces were asked for from your network. The next one needs a moment of calculation, or an hour of "
            "patience."
        )


class Work:
    """Makes challenges and takes proofs."""

    def __init__(self, key: bytes, limiter: Limiter, free_tries: int, clock: Clock) -> None:
        """`free_tries`: signups that a network may try in an hour before each needs a proof."""
        self._key = key
        self._limiter = limiter
        self._tries = Limit("signup-tries", free_tries, _HOUR, "")
        self._clock = clock

    def challenge(self) -> Challenge:
        return challenge(self._key, self._clock(), secrets.randbelow(HIGHEST))

    async def require(self, proof: str, caller: str) -> None:
        """Count a try of `caller`, who may have sent a proof.

        Raises:
            WorkRequiredError: it is one too many, and there is no good proof that was not used before.
        """
        if (await self._limiter.count(self._tries, caller)).allowed:
            return
        proven = solved(self._key, proof, self._clock())
        if proven is None or not (await self._limiter.count(_SPENT, proven)).allowed:
            raise WorkRequiredError


def challenge(key: bytes, now: datetime, number: int) -> Challenge:
    """One with this number. The salt ends with a sign that no number has, so that neither takes digits of the other."""
    salt = f"{secrets.token_hex(12)}?expires={int((now + GOOD_FOR).timestamp())}&"
    digest = _digest(salt, number)
    return Challenge(ALGORITHM, digest, HIGHEST, salt, keyed_digest(key, digest))


def solved(key: bytes, proof: str, now: datetime) -> str | None:
    """The challenge that `proof` solves; None for a forged, wrong or late one, and for whatever is none."""
    try:
        found = msgspec.json.decode(base64.b64decode(proof[:PROOF_MAX].encode(), validate=True), type=_Proof)
        expires = int(found.salt.partition("?expires=")[2].removesuffix("&"))
    except (ValueError, msgspec.MsgspecError):
        return None
    signed = hmac.compare_digest(found.signature.encode(), keyed_digest(key, found.challenge).encode())
    right = found.algorithm == ALGORITHM and _digest(found.salt, found.number) == found.challenge
    return found.challenge if signed and right and now.timestamp() < expires else None


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
