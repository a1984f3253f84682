"""What a tenant's archived log can bring back: to which moments, and the log files up to one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from vivero_operator.archiver.chain import Chain, Segment
from vivero_operator.archiver.logfile import MAGIC
from vivero_operator.archiver.position import Positions
from vivero_operator.archiver.segments import Logged, read
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.program import RefusedError

_BIRTH: Final = b"CREATE DATABASE"


@dataclass(frozen=True)
class Reach:
    """The seconds that can be restored, in Unix seconds; both ends belong to it."""

    begins: int
    ends: int

    def __str__(self) -> str:
        return f"{_shown(self.begins)} to {_shown(self.ends)}"


def _shown(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class History:
    """Of one tenant. All calls block, and raise StepFailedError, and RefusedError where the archive is no history."""

    def __init__(self, store: ObjectStore, tenant: str, server: str, file_key: bytes) -> None:
        """`server`: UID of the DatabaseServer."""
        self._chain = Chain(store, tenant)
        self._positions = Positions(store, server)
        self._file_key = file_key
        self._tenant = tenant

    def reach(self) -> Reach:
        """What can be restored: from the tenant's first transaction, or the last gap, to what is archived by now."""
        segments = self._chain.segments()
        if not segments:
            raise RefusedError(f"nothing of the log of {self._tenant} is archived")
        _, groups = self._read(segments[0], None)
        first = next(groups, None)
        if first is None or _BIRTH not in first.raw:
            raise RefusedError(f"the archive of {self._tenant} does not begin with its schema")
        until = self._positions.load().until
        gaps = [gap.begins for gap in self._positions.gaps() if gap.ends > first.committed_from]
        return Reach(first.committed_by, min([until, *gaps]))

    def log_files(self, until: int, folder: Path) -> list[Path]:
        """Files for the SQL thread with all that was committed until this second; one for each server's start."""
        made: list[Path] = []
        last, output = b"", None
        try:
            for description, groups in self._segments():
                if output is None or description != last:
                    if output is not None:
                        output.close()
                    last, output = description, self._file(folder, made, description)
                for one in groups:
                    if not one.is_within(until):
                        return made
                    output.write(one.raw)
        finally:
            if output is not None:
                output.close()
        return made

    def _segments(self) -> Iterator[tuple[bytes, Iterator[Logged]]]:
        before: Segment | None = None
        for segment in self._chain.segments():
            yield self._read(segment, before)
            before = segment

    def _read(self, segment: Segment, before: Segment | None) -> tuple[bytes, Iterator[Logged]]:
        return read(self._chain.read(segment, before, self._file_key))

    @staticmethod
    def _file(folder: Path, made: list[Path], description: bytes) -> IO[bytes]:
        made.append(folder / f"log.{len(made) + 1:06}")
        output = made[-1].open("wb")
        output.write(MAGIC + description)
        return output
