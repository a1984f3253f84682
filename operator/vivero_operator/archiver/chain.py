"""A tenant's part of the log in the backup bucket: segments, each sealed for the tenant and chained to the one before.

    <tenant id>/log/<number>     gzip, then sealed (vivero_core.envelope) for the tenant's file key

Numbers count down from 12 hexadecimal F, so that a listing begins with the newest. What a segment is sealed for names its
number, what it covers and the hash of the one before: none can be left out, moved, repeated or taken from somebody else.
All of that stands in the object's metadata too, with a digest, for the archiver itself cannot read a segment. Where one is
gone, the chain is torn: it begins anew behind that place, for whoever has a backup of since. So it does behind a newest
segment that cannot be read, by which one tenant's damage is nobody else's. A key that is no such number is passed over.

    <tenant id>/trimmed          the last segment that was given up, with all before it; sealed (vivero_core.sealing)

It is written before the first of them is deleted: whoever is killed in between leaves a chain that begins behind it.
"""

import hashlib
import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from typing import Final

from vivero_core.envelope import open_sealed, seal_for
from vivero_core.sealing import SealBrokenError, seal, unseal

from vivero_operator.archiver.bucket import Listed, Objects, Trimmed
from vivero_operator.operations.errors import DamagedError
from vivero_operator.operations.streams import Measured, Reader, packed, unpacked

logger = logging.getLogger(__name__)

_SPOOL_BYTES: Final = 256 * 1024
"""A larger segment is in a file until it is stored."""
_NEWEST: Final = 0xFFF_FFF_FFF_FFF
_LARGEST: Final = 2**32
"""Of a number: one every two seconds for 272 years."""


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
    before: str
    """Of the object before it; empty if there was none."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a chain does not begin with any more."""

    trimmed: Segment | None
    """The last segment that was given up."""
    torn: Segment | None
    """The oldest segment behind the newest place where some are gone."""

    @property
    def until(self) -> int:
        """Unix seconds: none before this one can be restored, from any base; 0 if nothing is missing."""
        # What is gone was committed before the transaction behind it, nobody knows when.
        return max(self.trimmed.span.ends if self.trimmed else 0, self.torn.span.begins if self.torn else 0)


WHOLE: Final = Missing(None, None)


class Chain:
    """The segments of one tenant. One archiver at a time writes; all calls block, and raise StepFailedError."""

    def __init__(self, store: Objects, tenant: str, known: int = 0) -> None:
        """`known`: number of its newest segment, as whoever wrote it has noted."""
        self._store = store
        self._tenant = tenant
        self._newest = known
        self._head: Segment | None = None
        self._known = False

    def head(self) -> Segment | None:
        """The newest segment; None if there is none."""
        if not self._known:
            newest = self._store.first(f"{self._tenant}/log/")
            try:
                self._head = self._segment(newest) if newest is not None else None
            except DamagedError as error:
                logger.warning("the newest segment of tenant %s counts as gone: %s", self._tenant, error)
                self._head = self._head_behind(newest or "")
            self._known = True
        return self._head

    def _head_behind(self, damaged: str) -> Segment | None:
        """The newest segment if a damaged object seems to be newer.

        That is the one that was noted: what came after it is read from the server again, for the note and the position are
        one object. If it is the damaged one, or is gone, two numbers are used up: the second one makes the chain torn.
        """
        noted = self._key(self._newest)
        try:
            if self._newest and noted != damaged and self._store.first(noted) == noted:
                return self._segment(noted)
        except DamagedError as error:
            logger.warning("the segment of tenant %s before it counts as gone too: %s", self._tenant, error)
        self._newest = max(self._newest, _number_of(damaged) or 0) + 2
        return None

    @property
    def is_cut(self) -> bool:
        """Whether its newest segment is not there any more."""
        head = self.head()
        return (head.number if head else 0) < self._newest

    def append(self, public: bytes, content: Iterable[bytes], span: Span) -> Segment:
        """Seal and store the next segment."""
        before = None if self.is_cut else self.head()
        number = (before.number if before else self._newest) + 1
        following = Segment(number, span, "", before.sha256 if before else "")
        sealed = seal_for(Reader(packed(content)).read, public, self._name(following))
        measured = Measured()
        with SpooledTemporaryFile(_SPOOL_BYTES) as body:
            for piece in measured.through(sealed):  # `writelines` would hold all of it before it looks at the size
                body.write(piece)
            body.seek(0)
            segment = replace(following, sha256=measured.sha256)
            self._store.put_whole(self._key(number), body, _metadata(self._tenant, segment))
        self._head, self._newest = segment, number
        return segment

    def _segment(self, key: str) -> Segment:
        number = _number_of(key)
        if number is None:
            raise DamagedError(f"{key} is no segment of an archive")
        told = self._store.metadata(key)
        try:
            span = Span(told["first"], told["last"], int(told["begins"]), int(told["ends"]))
            segment = Segment(number, span, told["sha256"], told["before"])
        except (KeyError, ValueError) as error:
            raise DamagedError(f"{key} is no segment of an archive") from error
        if told != _metadata(self._tenant, segment):
            raise DamagedError(f"what {key} says of itself is not what was written")
        return segment

    def _key(self, number: int) -> str:
        return f"{self._tenant}/log/{_NEWEST - number:012x}"

    def _name(self, one: Segment) -> str:
        span = one.span
        return f"log {self._tenant} {one.number} {span.first} {span.last} {span.begins} {span.ends} {one.before}"


class ReadableChain(Chain):
    """A chain that is read; who writes it cannot."""

    def __init__(self, store: Listed, tenant: str, file_key: bytes) -> None:
        super().__init__(store, tenant)
        self._listed = store
        self._file_key = file_key

    def head(self) -> Segment | None:
        numbered = self._numbered()
        return self._segment(numbered[max(numbered)]) if numbered else None

    def trimmed(self) -> Segment | None:
        """The last segment that was given up; the chain begins behind it. None if it is whole.

        Raises:
            StepFailedError: what says so was changed, or is another's.
        """
        key = f"{self._tenant}/trimmed"
        if self._store.first(key) != key:
            return None
        try:
            with self._listed.open(key) as read:
                told = json.loads(b"".join(unseal(read, self._file_key, f"trimmed {self._tenant}")))
        except SealBrokenError as error:
            raise DamagedError(f"{key} is not what was written: {error}") from error
        return Segment(told["number"], Span(**told["span"]), told["sha256"], told["before"])

    def missing(self) -> Missing:
        """What was given up, and what is gone."""
        trimmed = self.trimmed()
        keys, whole = self._keys(trimmed)
        return Missing(trimmed, None if whole else self._segment(keys[0]))

    def segments(self) -> Iterator[Segment]:
        """Oldest first, from where the chain begins or was torn; each is looked at when it is asked for.

        Raises:
            DamagedError: one does not follow the one before it.
        """
        before = self.trimmed()
        keys, whole = self._keys(before)
        for number, segment in enumerate(map(self._segment, keys)):
            if (number or whole) and segment.before != (before.sha256 if before is not None else ""):
                raise DamagedError(f"segment {segment.number} of {self._tenant} does not follow the one before it")
            yield segment
            before = segment

    def _keys(self, trimmed: Segment | None) -> tuple[list[str], bool]:
        """Those behind the newest place where some are gone, oldest first; and whether there is none."""
        begin = trimmed.number if trimmed is not None else 0
        found = {number: key for number, key in self._numbered().items() if number > begin}
        pairs = enumerate(pairwise([begin, *found]))
        tears = [place for place, (before, after) in pairs if after != before + 1]
        return list(found.values())[max(tears, default=0) :], not tears

    def _numbered(self) -> dict[int, str]:
        """The keys of all segments that are there, by their numbers."""
        listed = self._listed.list(f"{self._tenant}/log/")
        return dict(sorted((number, key) for key in listed if (number := _number_of(key)) is not None))

    def read(self, segment: Segment) -> Iterator[bytes]:
        """What was archived; each piece is authentic, and so is what `segment` says of itself.

        Raises:
            StepFailedError: the segment was changed, cut, or is another's.
        """
        try:
            with self._listed.open(self._key(segment.number)) as read:
                yield from unpacked(open_sealed(read, self._file_key, self._name(segment)))
        except SealBrokenError as error:
            raise DamagedError(
                f"segment {segment.number} of {self._tenant} is not what was written: {error}"
            ) from error
        except zlib.error as error:
            raise DamagedError(f"segment {segment.number} of {self._tenant} cannot be unpacked: {error}") from error


class TrimmedChain(ReadableChain):
    """A chain whose beginning is given up. Nobody reads it meanwhile."""

    def __init__(self, store: Trimmed, tenant: str, file_key: bytes) -> None:
        super().__init__(store, tenant, file_key)
        self._trimmed_store = store

    def trim(self, last: Segment) -> None:
        """Give up this segment and all before it, which `sweep` deletes then. Never the newest: the archiver goes on from its number."""
        head = self.head()
        if head is None or last.number >= head.number:
            raise ValueError(f"segment {last.number} is not older than the newest")
        content = json.dumps(asdict(last)).encode()
        sealed = b"".join(seal(Reader(iter([content])).read, self._file_key, f"trimmed {self._tenant}"))
        self._store.put_whole(f"{self._tenant}/trimmed", sealed, {})

    def sweep(self) -> int:
        """Delete what was given up; how many segments."""
        trimmed = self.trimmed()
        if trimmed is None:
            return 0
        keys = [key for number, key in self._numbered().items() if number <= trimmed.number]
        for key in keys:
            self._trimmed_store.delete(key)
        return len(keys)


def _number_of(key: str) -> int | None:
    """The number of a segment; None if the key is none of ours."""
    try:
        number = _NEWEST - int(key.rpartition("/")[2], 16)
    except ValueError:
        return None
    return number if 1 <= number <= _LARGEST else None


def _metadata(tenant: str, segment: Segment) -> dict[str, str]:
    span = {name: str(value) for name, value in asdict(segment.span).items()}
    told = {**span, "sha256": segment.sha256, "before": segment.before}
    digest = hashlib.sha256(json.dumps([tenant, segment.number, *sorted(told.items())]).encode()).hexdigest()
    return told | {"digest": digest}
