"""Heads of the chain in the workspace's bucket: one object a day, which holds the newest head of that day."""

import asyncio
from typing import Final

import msgspec
from vivero_web.errors import NotFoundError

from vivero_data.clients.storage import Storage
from vivero_data.domain.audit.chain import BrokenChainError, Head
from vivero_data.lib.json import encode

_SIZE: Final = 512  # bytes of each: a backup may copy one while another takes its place
_FOLDER: Final = "audit"


class Anchor(msgspec.Struct, frozen=True):
    """What is kept outside the database of one seal.

    Attributes:
        day: its object's name, `2026-12-31`.
        before: the day of the anchor before; empty for the first.
        number: of the seal.
        entry: the number of the entry that the seal is stored as.
        hash: of the seal.
    """

    day: str
    before: str
    number: int
    entry: int
    hash: str


def anchor_of(head: Head, newest: Anchor | None) -> Anchor:
    """The anchor of a head behind the newest that there is."""
    day = max(head.seal.at[:10], newest.day if newest else "")
    before = "" if newest is None else newest.before if newest.day == day else newest.day
    return Anchor(day, before, head.seal.number, head.entry, head.seal.hash)


class Anchors:
    """A workspace's own; what it copied from another workspace is that one's."""

    def __init__(self, storage: Storage, workspace: str) -> None:
        self._storage = storage
        self.workspace = workspace

    async def days(self) -> list[str]:
        """Of which there is an anchor, in their order."""
        prefix = f"{_FOLDER}/{self.workspace}/"
        return [key.removeprefix(prefix) for key in await asyncio.to_thread(self._storage.keys, prefix)]

    async def read(self, day: str) -> Anchor | None:
        """None if it is gone, or not what we wrote."""
        try:
            found = await asyncio.to_thread(self._storage.read, self._key(day), range(_SIZE))
            anchor = msgspec.json.decode(found, type=Anchor)
        except (NotFoundError, msgspec.DecodeError):
            return None
        return anchor if anchor.day == day else None

    async def newest(self) -> Anchor | None:
        """None without any.

        Raises:
            BrokenChainError: it cannot be read.
        """
        days = await self.days()
        if not days:
            return None
        found = await self.read(days[-1])
        if found is None:
            raise BrokenChainError(f"The anchor of {days[-1]} in the bucket cannot be read.")
        return found

    async def write(self, anchor: Anchor) -> None:
        body = encode(anchor).encode().ljust(_SIZE)
        await asyncio.to_thread(self._storage.put, self._key(anchor.day), [body], len(body))

    def _key(self, day: str) -> str:
        return f"{_FOLDER}/{self.workspace}/{day}"
