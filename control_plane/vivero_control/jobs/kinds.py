"""A kind of job: how it is performed, how staff see it, and what follows from its end. CONTRIBUTING.md: a new one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.errors import ViveroError

Payload = Mapping[str, Any]


class GiveUpError(ViveroError):
    """A retry is useless: the job is a dead letter at once. Its sentence is for people and contains no secret."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """A job as staff see it: what it is, and for whom."""

    what: str
    recipient: str


class JobKind(ABC):
    """One kind of job; most need only the first two. The hooks run in the transaction that ends the job."""

    @abstractmethod
    async def perform(self, payload: Payload) -> None:
        """Do it. It must be idempotent: a worker can crash after the work and before its transaction commits.

        Raises:
            GiveUpError: it can never succeed.
            ViveroError: retry later.
        """

    @abstractmethod
    def describe(self, payload: Payload) -> JobDescription:
        """For any payload: a program of another version may have written it."""

    async def on_done(self, session: AsyncSession, payload: Payload) -> None:  # noqa: B027  most kinds need no more
        """After success."""

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:  # noqa: B027  most kinds need no more
        """It is a dead letter; `why` is a sentence for people, None when the budget of time is used up."""

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:  # noqa: B027  most kinds need no more
        """Before a dead letter is replayed.

        Raises:
            ConflictError: it cannot be replayed; the sentence says why.
        """
