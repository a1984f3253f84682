"""A tenant's part of the log in the backup bucket: segments, each sealed for the tenant and chained to the one before.

    <tenant id>/log/<number>     gzip, then sealed (vivero_core.envelope) for the tenant's file key

Numbers count down from 12 hexadecimal F, so that a listing begins with the newest. What a segment is sealed for names its
number and the hash of the one before: none can be left out, moved, repeated or taken from somebody else. What nobody has
to hide stands in the object's metadata, for the archiver itself cannot read a segment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final

from vivero_core.envelope import open_sealed, seal_for
from vivero_core.sealing import SealBrokenError

from vivero_operator.archiver.bucket import Listed, Objects
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.streams import Measured, Reader, packed, unpacked

_NEWEST: Final = 0xFFF_FFF_FFF_FFF


@dataclass(frozen=True)
class Span:
    """What a piece of the log covers."""

    first: str
    """GTID of its first transaction."""
    last: str
    begins: int
    """When its first transaction was committed, in Unix seconds by the server's clock."""
    ends: int


@dataclass(frozen=True)
class Segment:
    """One object of a chain."""

    number: int
    """From 1."""
    span: Span
    sha256: str
    """Of the object."""


class Chain:
    """The segments of one tenant. One archiver at a time writes; all calls block, and raise StepFailedError."""

    def __init__(self, store: Objects, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._head: Segment | None = None
        self._known = False

    def head(self) -> Segment | None:
        """The newest segment; None if there is none."""
        if not self._known:
            newest = self._store.first(f"{self._tenant}/log/")
            self._head = self._segment(newest) if newest is not None else None
            self._known = True
        return self._head

    def append(self, public: bytes, content: Iterable[bytes], span: Span) -> Segment:
        """Seal and store the next segment."""
        before = self.head()
        number = before.number + 1 if before else 1
        sealed = seal_for(Reader(packed(content)).read, public, self._name(number, before.sha256 if before else ""))
        body, measured = bytearray(), Measured()
        for piece in measured.through(sealed):
            body += piece
        segment = Segment(number, span, measured.sha256)
        self._store.put_whole(self._key(number), bytes(body), _metadata(segment))
        self._head = segment
        return segment

    def _segment(self, key: str) -> Segment:
        told = self._store.metadata(key)
        try:
            span = Span(told["first"], told["last"], int(told["begins"]), int(told["ends"]))
            return Segment(_number_of(key), span, told["sha256"])
        except (KeyError, ValueError) as error:
            raise StepFailedError(f"{key} is no segment of an archive") from error

    def _key(self, number: int) -> str:
        return f"{self._tenant}/log/{_NEWEST - number:012x}"

    def _name(self, number: int, before: str) -> str:
        return f"log {self._tenant} {number} {before}"


class ReadableChain(Chain):
    """A chain that is read; who writes it cannot."""

    def __init__(self, store: Listed, tenant: str) -> None:
        super().__init__(store, tenant)
        self._listed = store

    def segments(self) -> Iterator[Segment]:
        """All of them, oldest first; the numbers have no gap. Each is looked at when it is asked for."""
        keys = sorted(self._listed.list(f"{self._tenant}/log/"), reverse=True)
        for before, after in pairwise(map(_number_of, keys)):
            if after != before + 1:
                raise StepFailedError(f"the archive of {self._tenant} lacks segment {before + 1}")
        yield from map(self._segment, keys)

    def read(self, segment: Segment, before: Segment | None, file_key: bytes) -> Iterator[bytes]:
        """What was archived; each piece is authentic, and so is its place behind `before`.

        Raises:
            StepFailedError: the segment was changed, cut, or is another's.
        """
        name = self._name(segment.number, before.sha256 if before else "")
        try:
            with self._listed.open(self._key(segment.number)) as read:
                yield from unpacked(open_sealed(read, file_key, name))
        except SealBrokenError as error:
            raise StepFailedError(
                f"segment {segment.number} of {self._tenant} is not what was written: {error}"
            ) from error


def _number_of(key: str) -> int:
    try:
        return _NEWEST - int(key.rpartition("/")[2], 16)
    except ValueError as error:
        raise StepFailedError(f"{key} is no segment of an archive") from error


def _metadata(segment: Segment) -> dict[str, str]:
    return {**{name: str(value) for name, value in asdict(segment.span).items()}, "sha256": segment.sha256}
