"""What a tenant's archive can bring back: to which seconds, from which base, and the log files from there to a second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from vivero_operator.archiver.bodies import Query
from vivero_operator.archiver.chain import WHOLE, Missing, ReadableChain, Segment
from vivero_operator.archiver.events import QUERIES, EventReader
from vivero_operator.archiver.head import position_of
from vivero_operator.archiver.logfile import MAGIC, events_in
from vivero_operator.archiver.position import Positions, gaps, lost, sequence
from vivero_operator.archiver.segments import Logged, read
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.streams import Reader

_BIRTH: Final = b"CREATE DATABASE "
_SMALL: Final = 65_536
"""A statement that makes a schema is shorter."""


@dataclass(frozen=True)
class Base:
    """A backup that a log can be replayed onto."""

    uid: str
    """Of the TenantBackup."""
    ready_at: int
    """Unix seconds: when its dumps were there."""
    gtid: str
    """Of the last transaction that it holds."""


@dataclass(frozen=True)
class Reach:
    """The seconds that can be restored, in Unix seconds; both ends belong to it."""

    begins: int
    ends: int

    def __contains__(self, second: int) -> bool:
        return self.begins <= second <= self.ends

    def __str__(self) -> str:
        return f"{_shown(self.begins)} to {_shown(self.ends)}"


def _shown(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class History:
    """Of one tenant. All calls block, and raise StepFailedError, and RefusedError where the archive is no history."""

    def __init__(self, store: ObjectStore, tenant: str, server: str, file_key: bytes) -> None:
        """`server`: UID of the DatabaseServer."""
        self._chain = ReadableChain(store, tenant, file_key)
        self._store = store
        self._positions = Positions(store, server)
        self._server = server
        self._tenant = tenant

    def reach(self, bases: list[Base]) -> Reach:
        """What can be restored: from the tenant's first transaction, else from its oldest base, to what is archived by now.

        What was committed in a gap, or before one, is given up: it is told as out of reach.
        """
        position = position_of(self._store, self._server, self._tenant)
        until = min(position.until, position.waiting.get(self._tenant, position.until))
        known, missing = gaps(self._store, self._server), self._chain.missing()
        begins = [max(base.ready_at, missing.until) for base in self._usable(bases, missing)]
        if (birth := self._birth(missing)) is not None:
            begins.append(birth)
        after = max((gap.ends for gap in known), default=0)
        whole = [at for at in begins if at >= after]
        if whole:
            return Reach(min(whole), until)
        if not begins:
            why = self._lacks(missing) or f"the archive of {self._tenant} has neither its first transaction nor a base"
            raise RefusedError(f"{why}: make a TenantBackup")
        earlier = min(begins)
        return Reach(earlier, min([until, *(gap.begins for gap in known if gap.ends > earlier)]))

    def base_for(self, until: int, bases: list[Base]) -> Base | None:
        """The newest base that holds nothing that was committed later; None: the log is replayed from its beginning.

        Raises:
            RefusedError: there is no such base, and the log does not begin with the tenant.
        """
        missing = self._chain.missing()
        if until < missing.until:
            raise RefusedError(f"out of reach: the log of {self._tenant} from then is not kept any more")
        after = self._first_after(until)
        fitting = [one for one in self._usable(bases, missing) if after is None or sequence(one.gtid) < after]
        if not fitting and self._birth(missing) is None:
            raise RefusedError(f"out of reach: every base of {self._tenant} was made later")
        return max(fitting, key=lambda one: sequence(one.gtid), default=None)

    def lacks(self) -> str | None:
        """Which segments are gone, as a sentence; None if all are there that were not given up."""
        return self._lacks(self._chain.missing())

    def surplus(self, window_begins: int, bases: list[Base]) -> Segment | None:
        """The last segment that no second from then on needs, nor all before it: the newest base that is older holds them."""
        older = [one for one in self._usable(bases, self._chain.missing()) if one.ready_at <= window_begins]
        if not older:
            return None
        held, found, head = max(sequence(one.gtid) for one in older), None, self._chain.head()
        for segment in self._chain.segments():
            if segment == head or sequence(segment.span.last) > held or segment.span.ends > window_begins:
                return found
            found = segment
        return found

    def holds(self, gtid: str) -> bool:
        """Whether all that the tenant committed up to this transaction of its server is archived."""
        position = position_of(self._store, self._server, self._tenant)
        known = position.gtids.get(int(gtid.partition("-")[0]))
        return known is not None and sequence(known) >= sequence(gtid) and self._tenant not in position.waiting

    def beginnings(self, gtid: str, bases: list[Base]) -> list[Base | None]:
        """From where the log leads to this transaction without a gap: from these bases, and, as None, from nothing.

        Raises:
            RefusedError: from nowhere.
        """
        after, missing = max((gap.ends for gap in gaps(self._store, self._server)), default=0), self._chain.missing()
        found: list[Base | None] = [
            one
            for one in self._usable(bases, missing)
            if one.ready_at >= after and sequence(one.gtid) <= sequence(gtid)
        ]
        if (birth := self._birth(missing)) is not None and birth >= after:
            found.append(None)
        if not found:
            why = self._lacks(missing) or "no backup leads to the present without a gap in the log"
            raise RefusedError(f"{why}: make a TenantBackup")
        return found

    def log_files(self, until: int, folder: Path, *, after: int = 0) -> list[Path]:
        """Files for the SQL thread with all that was committed until this second; one for each start of the server.

        `after`: number of the last transaction that is left out.
        """
        return self._log_files(lambda one: one.at > until, folder, after)

    def log_files_to(self, gtid: str, folder: Path, *, after: int = 0) -> list[Path]:
        """The same with all up to this transaction of the server."""
        return self._log_files(lambda one: sequence(one.gtid) > sequence(gtid), folder, after)

    def _log_files(self, is_beyond: Callable[[Logged], bool], folder: Path, after: int) -> list[Path]:
        folder.mkdir(exist_ok=True)
        made: list[Path] = []
        last, output = b"", None
        try:
            for description, groups in self._segments():
                for one in groups:
                    if is_beyond(one):
                        return made
                    if sequence(one.gtid) <= after:
                        continue
                    if output is None or description != last:
                        if output is not None:
                            output.close()
                        last, output = description, _file(folder, made, description)
                    output.writelines(one.pieces)
        finally:
            if output is not None:
                output.close()
        return made

    def _birth(self, missing: Missing) -> int | None:
        """When the tenant's schema was made, if the archive begins with that and is whole."""
        if missing != WHOLE or lost(self._store, self._tenant) is not None:
            return None
        for description, groups in self._segments():
            for first in groups:
                return first.at if _makes_schema(first, description) else None
        return None

    def _lacks(self, missing: Missing) -> str | None:
        if (torn := missing.torn) is None:
            return None
        at = _shown(torn.span.begins)
        return f"the archive of {self._tenant} lacks segment {torn.number - 1}: no second before {at} can be restored"

    def _usable(self, bases: list[Base], missing: Missing) -> list[Base]:
        """Those with all behind them in the archive."""
        beginning = self._positions.beginning()
        if beginning is None:
            return []
        behind = [beginning, missing.torn.span.first if missing.torn else None]
        gone = [lost(self._store, self._tenant), missing.trimmed.span.last if missing.trimmed else None]
        first = max(
            [sequence(one) - 1 for one in behind if one is not None]
            + [sequence(one) for one in gone if one is not None]
        )
        return [one for one in bases if sequence(one.gtid) >= first]

    def _first_after(self, until: int) -> int | None:
        """The number of the first transaction after this second."""
        for segment in self._chain.segments():
            if segment.span.ends > until:
                for one in self._read(segment)[1]:
                    if one.at > until:
                        return sequence(one.gtid)
        return None

    def _segments(self) -> Iterator[tuple[bytes, Iterator[Logged]]]:
        return map(self._read, self._chain.segments())

    def _read(self, segment: Segment) -> tuple[bytes, Iterator[Logged]]:
        return read(self._chain.read(segment))


def _makes_schema(one: Logged, description: bytes) -> bool:
    """Whether the group is a statement that makes a schema."""
    if one.size > _SMALL:
        return False
    reader = EventReader()
    reader.read(description)
    *_, last = (reader.read(raw) for raw in events_in(Reader(one.pieces).read))
    return last.type in QUERIES and Query.of(last).text.startswith(_BIRTH)


def _file(folder: Path, made: list[Path], description: bytes) -> IO[bytes]:
    made.append(folder / f"log.{len(made) + 1:06}")
    output = made[-1].open("wb")
    output.write(MAGIC + description)
    return output
