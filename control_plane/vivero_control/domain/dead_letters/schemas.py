"""What staff see of jobs that were given up."""

from datetime import datetime

from msgspec import Struct


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One job; nothing secret of its payload.

    Attributes:
        recipient: a name or an address; empty once the payload is erased.
        is_kept: whether the payload is still there, so that it can be replayed.
    """

    id: int
    what: str
    recipient: str
    error: str
    attempts: int
    created_at: datetime
    died_at: datetime
    is_kept: bool


class DeadLetterList(Struct, frozen=True, kw_only=True):
    """Those that died last, and how many there are."""

    items: tuple[DeadLetter, ...]
    total: int
