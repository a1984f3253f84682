"""Cuts a server's binary log into event groups, each of which belongs to one owner.

A group is a transaction, or one statement that needs none: GTID … XID or COMMIT, or GTID and a statement. It is handed
out when it is whole, for the last of its events may show that it is nobody's to have; until then it is in a file once it
is larger than `SPOOL_BYTES`, so that a transaction of any size takes no memory.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Final

from vivero_operator.archiver import statements
from vivero_operator.archiver.bodies import Beginning, Gtid, Query, table_map, table_of_rows
from vivero_operator.archiver.events import QUERIES, ROWS, BinlogError, Event, Format, Type, UnknownEventError
from vivero_operator.archiver.logfile import events_in
from vivero_operator.archiver.statements import Kind, Statement

logger = logging.getLogger(__name__)

SPOOL_BYTES: Final = 256 * 1024
Owner = Callable[[str], str | None]
"""Whose a schema is; None: nobody's whose log is kept."""
_BETWEEN: Final = frozenset(
    {Type.FORMAT_DESCRIPTION, Type.ROTATE, Type.STOP, Type.HEARTBEAT}
    | {Type.GTID_LIST, Type.BINLOG_CHECKPOINT, Type.START_ENCRYPTION}
)
"""Events that belong to the file or the connection, and to no group."""
_VALUES: Final = frozenset({Type.INTVAR, Type.RAND, Type.USER_VAR, Type.ANNOTATE_ROWS})
"""Events that belong to the next one."""
_NO_TABLE: Final = 0xFFFFFF
"""Of rows that only end a statement."""


class MixedGroupError(BinlogError):
    """A group that is not one owner's: it cannot be given to either."""


@dataclass
class Group:
    """One transaction of one owner, or one statement. To be closed: its events may be in a file.

    No event says when it was committed. Its header has the second in which its statement began, a QUERY also how long
    that ran; but a transaction's last statement may have run, or waited, for an hour before its commit, and a session
    sets TIMESTAMP as it likes. So there are two bounds here, and archive.py finds the second between them by what the
    server says of itself.
    """

    owner: str
    gtid: Gtid
    committed_from: int
    """Unix seconds: not before, as its own events say."""
    committed_by: int
    """Unix seconds: not after, as the reader of the log says, which had it by then."""
    size: int
    """Bytes of all events."""
    _spool: "SpooledTemporaryFile[bytes]" = field(repr=False)

    def events(self) -> Iterator[bytes]:
        """As the server wrote them, with their checksums."""
        self._spool.seek(0)
        return events_in(self._spool.read)

    def taken(self) -> "SpooledTemporaryFile[bytes]":
        """The file with its events, for the caller to close. The group has none then."""
        taken, self._spool = self._spool, _spool()
        return taken

    def close(self) -> None:
        self._spool.close()


def _spool() -> "SpooledTemporaryFile[bytes]":
    return SpooledTemporaryFile(SPOOL_BYTES)


@dataclass
class _Open:
    """A group of which more is to come."""

    beginning: Beginning
    schemas: set[str] = field(default_factory=set)
    owners: set[str | None] = field(default_factory=set)
    tables: set[int] = field(default_factory=set)
    since: int = 0
    size: int = 0
    spool: "SpooledTemporaryFile[bytes]" = field(default_factory=_spool)

    @property
    def dropped(self) -> bool:
        """Nobody's, as far as it is known."""
        return self.owners == {None}

    def add(self, event: Event, since: int) -> None:
        self.since = max(self.since, since)
        if not self.dropped:
            self.size += len(event.raw)
            if self.size > SPOOL_BYTES:
                self.spool.rollover()  # before it is written to, or the event would be in memory after all
            self.spool.write(event.raw)


class Splitter:
    """Takes the events of a log, one after the other, and gives each whole group to its owner.

    After an error it is of no more use: the log behind that event is not cut.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._open: _Open | None = None
        self.position: dict[int, Gtid] = {}
        """By domain, the last group that is whole, whoever owns it."""
        self.prepared: dict[bytes, str | None] = {}
        """Owners of XA transactions that are prepared and not yet ended, by xid; belongs to the position."""

    @property
    def between(self) -> bool:
        """Whether the log could be cut here."""
        return self._open is None

    def feed(self, event: Event, received: int) -> Group | None:
        """Take the next event; the group that it ends, if that is somebody's.

        `received`: Unix seconds by which the server had committed what the event belongs to, such as the present.

        Raises:
            BinlogError: the log cannot be cut here; nothing of it may be kept as if it could.
        """
        try:
            return self._feed(event, received)
        except BinlogError:
            self.close()
            raise

    def _feed(self, event: Event, received: int) -> Group | None:
        if event.type is None:
            return None
        if event.type in _BETWEEN:
            self._between(event)
            return None
        if event.type is Type.GTID:
            self._begin(event)
            return None
        if self._open is None:
            raise UnknownEventError(f"{event.where}: outside of a group")
        ends, since = self._member(self._open, event)
        self._open.add(event, since)
        return self._end(self._open, received) if ends else None

    def close(self) -> None:
        """Forget a group that has begun."""
        if self._open is not None:
            self._open.spool.close()
            self._open = None

    def _between(self, event: Event) -> None:
        """A server that crashed while it wrote a group has rolled it back, and begun a new file when it started."""
        if self._open is None or event.type is not Type.FORMAT_DESCRIPTION:
            return
        if event.artificial or not Format.of(event).created:
            raise UnknownEventError(f"{event.where}: within group {self._open.beginning.gtid}")
        logger.warning("group %s has no end: the server crashed while it wrote it", self._open.beginning.gtid)
        self.close()

    def _begin(self, event: Event) -> None:
        beginning = Beginning.of(event)
        if self._open is not None:
            raise UnknownEventError(f"{event.where}: group {self._open.beginning.gtid} has not ended")
        self._open = _Open(beginning)
        if beginning.completed:
            if beginning.xid not in self.prepared:
                raise MixedGroupError(f"group {beginning.gtid} ends an XA transaction that no group has prepared")
            self._open.owners.add(self.prepared[beginning.xid])
        self._open.add(event, event.timestamp)

    def _member(self, group: _Open, event: Event) -> tuple[bool, int]:
        """(whether the event ends its group, seconds at which it was over at the earliest)."""
        ends, since = False, event.timestamp
        if event.type is Type.TABLE_MAP:
            table, schema = table_map(event)
            group.tables.add(table)
            self._touch(group, schema)
        elif event.type in ROWS:
            table = table_of_rows(event)
            if table not in group.tables and table != _NO_TABLE:
                raise event.damaged("rows of a table that its group does not name")
        elif event.type in QUERIES:
            query = Query.of(event)
            since += query.seconds
            ends = self._statement(group, event, statements.read(query))
        elif event.type in (Type.XID, Type.XA_PREPARE):
            ends = True
        elif event.type not in _VALUES:
            raise UnknownEventError(f"{event.where}: within a group")
        if group.beginning.standalone and event.type not in QUERIES | _VALUES:
            raise UnknownEventError(f"{event.where}: in a group of one statement")
        return ends, since

    def _statement(self, group: _Open, event: Event, statement: Statement) -> bool:
        """Whether it ends its group."""
        if statement.kind is Kind.BEGIN:
            raise UnknownEventError(f"{event.where}: a transaction within group {group.beginning.gtid}")
        for schema in statement.changed | statement.referred:
            self._touch(group, schema)
        of_xa = statement.kind is Kind.XA and group.beginning.completed
        return group.beginning.standalone or of_xa or statement.kind in (Kind.COMMIT, Kind.ROLLBACK)

    def _touch(self, group: _Open, schema: str) -> None:
        if schema in group.schemas:
            return
        group.schemas.add(schema)
        group.owners.add(self._owner(schema))
        if len(group.owners) > 1:
            names = ", ".join(sorted(group.schemas))
            raise MixedGroupError(f"group {group.beginning.gtid} belongs to more than one owner: schemas {names}")

    def _end(self, group: _Open, received: int) -> Group | None:
        beginning = group.beginning
        owner = next(iter(group.owners), None)
        if beginning.prepared:
            self.prepared[beginning.xid] = owner
        if beginning.completed:
            del self.prepared[beginning.xid]
        self.position[beginning.gtid.domain] = beginning.gtid
        self._open = None
        if owner is None:
            group.spool.close()
            return None
        return Group(owner, beginning.gtid, min(group.since, received), received, group.size, group.spool)
