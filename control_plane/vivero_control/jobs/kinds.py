"""What a kind of job has to say: how it is done, what it is called, and what follows from how it ends."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.errors import ViveroError

Payload = Mapping[str, Any]


class GiveUpError(ViveroError):
    """Trying again is useless: the job is dead at once. Its sentence is for people and holds no secret."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """A job in words for staff: what it is, and for whom."""

    what: str
    recipient: str


class JobKind(ABC):
    """One kind of job; most need only the first two. What follows from an end is written in the transaction that ends the job."""

    @abstractmethod
    async def perform(self, payload: Payload) -> None:
        """Do it. It must be idempotent: a worker can end after the work and before its transaction commits.

        Raises:
            GiveUpError: it can never be done.
            ViveroError: not now.
        """

    @abstractmethod
    def describe(self, payload: Payload) -> JobDescription:
        """Whatever the payload holds: a newer program may have written it."""

    async def on_done(self, session: AsyncSession, payload: Payload) -> None:  # noqa: B027  most kinds need no more
        """It has been done."""

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:  # noqa: B027  most kinds need no more
        """It is dead; `why` is a sentence for people, None when its time is over."""

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:  # noqa: B027  most kinds need no more
        """Before a dead one is tried again.

        Raises:
            ConflictError: it cannot be any more; the sentence says why.
        """
