"""Takes the events of a server's log and stores each tenant's part: cut, collected for seconds, sealed, chained.

What is not in the bucket yet is read from the server again after a restart: the position is stored behind what it names.
What is in the bucket already is passed over then, by its GTID, so that nothing is there twice.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain as joined
from tempfile import SpooledTemporaryFile
from typing import Final

from vivero_core.model import naming

from vivero_operator.archiver import metrics, segments
from vivero_operator.archiver.bodies import Gtid
from vivero_operator.archiver.bucket import Objects
from vivero_operator.archiver.chain import Chain, Span
from vivero_operator.archiver.events import Event, EventReader, Raw, Type, closed
from vivero_operator.archiver.groups import Group, Splitter
from vivero_operator.archiver.position import Position, Positions, sequence
from vivero_operator.archiver.replication import Tick
from vivero_operator.operations.streams import pieces_of

logger = logging.getLogger(__name__)

COLLECT_SECONDS: Final = 2.0
"""A tenant's changes wait so long for more of them, before they are stored."""
COLLECT_BYTES: Final = 1024 * 1024
"""More than this does not wait."""
KEY_SECONDS: Final = 600.0
"""A tenant's key comes with the volume of all keys, which the kubelet renews every minute or so. For a schema without a
Tenant none comes."""
_DROPPED: Final = re.compile(rb"DROP (DATABASE|SCHEMA) ")
_NOTHING: Final = "0-0-0"
"""Comes before every transaction."""
_LOOK_SECONDS: Final = 0.5
"""How often it is looked for what is due."""
_SPOOL_BYTES: Final = 64 * 1024
"""More than this waits in a file; a group that is larger stays in the one that it is in."""
PublicKey = Callable[[str], bytes | None]
"""Of a tenant: None if it is not there yet, empty if the tenant was erased."""


def _spool() -> "SpooledTemporaryFile[bytes]":
    return SpooledTemporaryFile(_SPOOL_BYTES)


@dataclass
class _Part:
    """What of one tenant waits to be stored."""

    before: Mapping[int, str]
    """GTIDs by domain behind which the server has to be asked again, while this is not stored."""
    since: float
    first: str
    begins: int
    last: str = ""
    ends: int = 0
    size: int = 0
    keyless: bool = False
    """Its key was not there when it was to be stored."""
    dropped: bool = False
    """Its last group removes a schema."""
    spools: "list[SpooledTemporaryFile[bytes]]" = field(default_factory=lambda: [_spool()])

    def add(self, group: Group, at: int) -> None:
        self.spools[-1].write(segments.head(group, at))
        self.dropped = False
        if group.size > _SPOOL_BYTES:
            self.spools += [group.taken(), _spool()]
        else:
            for event in group.events():
                self.spools[-1].write(event)
                self.dropped = _DROPPED.search(event) is not None
        self.size += group.size
        self.last, self.begins, self.ends = str(group.gtid), min(self.begins, at), max(self.ends, at)

    def content(self) -> Iterator[bytes]:
        for spool in self.spools:
            spool.seek(0)
            yield from pieces_of(spool.read)

    def close(self) -> None:
        for spool in self.spools:
            spool.close()


class Archive:
    """One server's. Blocking, for one thread."""

    def __init__(
        self,
        store: Objects,
        server: str,
        key_of: PublicKey,
        clock: Callable[[], float] = time.time,
        platform_schema: str | None = None,
    ) -> None:
        """`clock`: Unix seconds by the server's clock. `platform_schema`: the control plane's, if it is to be archived."""
        self._platform_schema = platform_schema
        self._store = store
        self._positions = Positions(store, server)
        self._key_of = key_of
        self._clock = clock
        self._reader = EventReader()
        self._splitter = Splitter(self._owner_of)
        self._chains: dict[str, Chain] = {}
        self._parts: dict[str, _Part] = {}
        self._description: bytes | None = None
        self._ticks: deque[Tick] = deque()
        self._undated: deque[tuple[Group, Mapping[int, str]]] = deque()
        self._read_until = 0
        self._due = 0.0
        self.position = self._positions.load()
        self._stored = self.position
        self._splitter.prepared.update({bytes.fromhex(xid): owner for xid, owner in self.position.prepared.items()})
        self._seen: dict[int, str] = dict(self.position.gtids)
        self._heads = dict(self.position.heads)
        self._losses = set(self.position.losses)
        self._note_platform()

    def close(self) -> None:
        """Forget what is not stored: it will be asked for again."""
        self._splitter.close()
        for group, _ in self._undated:
            group.close()
        for part in self._parts.values():
            part.close()

    def _owner_of(self, schema: str) -> str | None:
        return naming.PLATFORM_ID if schema == self._platform_schema else naming.tenant_of_database(schema)

    def _note_platform(self) -> None:
        """What came before the control plane's tables were to be archived is missing from their chain."""
        if self._platform_schema in {None, self.position.platform}:
            return
        if self._seen:
            self._positions.add_loss(naming.PLATFORM_ID, max(self._seen.values(), key=sequence))
            self._losses.add(naming.PLATFORM_ID)

    def take(self, raw: Raw) -> None:
        """Take the next event.

        Raises:
            BinlogError: the log cannot be cut here.
            StepFailedError: it cannot be stored now.
        """
        event = self._reader.read(raw)
        metrics.BYTES.inc(len(raw))
        if event.type is Type.FORMAT_DESCRIPTION:
            self._describe(event)
        group = self._splitter.feed(event, int(self._clock()) + 1)
        if group is not None:
            self._undated.append((group, dict(self._seen)))
        if self._splitter.between:  # within a group there is no other position
            self._note_position()
        self._date()

    def tick(self, tick: Tick) -> None:
        """Take what the server says of itself at a second."""
        self._ticks.append(tick)
        self._date()

    def _note_position(self) -> None:
        for domain, gtid in self._splitter.position.items():
            if not self._seen and self._positions.beginning() is None:
                self._positions.begin(str(gtid))
            self._seen[domain] = str(gtid)

    def _date(self) -> None:
        """Collect the groups that a tick dates, and note the seconds of which everything has been read."""
        while self._ticks:
            tick = self._ticks[0]
            while self._undated and _is_in(tick, self._undated[0][0].gtid):
                group, before = self._undated.popleft()
                with closing(group):
                    self._collect(group, before, self._second(group, tick))
            if any(sequence(self._seen.get(domain, _NOTHING)) < number for domain, number in tick.sequences.items()):
                return
            self._read_until = tick.second
            self._ticks.popleft()

    def _second(self, group: Group, tick: Tick) -> int:
        """When the group was committed, in Unix seconds, rounded up.

        Behind what was archived already and behind the tick before, and not behind this one. If that leaves more than one
        second, for this tick is late or the first, the time of its statements says which.
        """
        archived = self.position.waiting.get(group.owner, self.position.until)
        return max(archived + 1, self._read_until + 1, min(group.committed_from + 1, tick.ends))

    def store_due(self, *, everything: bool = False) -> None:
        """Store what has waited long enough, and the position behind it."""
        now = self._clock()
        if now < self._due and not everything:
            return
        self._due = now + _LOOK_SECONDS
        for tenant, part in list(self._parts.items()):
            if everything or part.size >= COLLECT_BYTES or now - part.since >= COLLECT_SECONDS:
                self._store_part(tenant, part)
        waiting = {tenant: part.begins - 1 for tenant, part in self._parts.items() if part.keyless}
        keyed = [part.begins - 1 for part in self._parts.values() if not part.keyless]
        until = max(self.position.until, min([self._read_until, *keyed]))
        metrics.LAG.set(max(0.0, now - until))
        prepared = {xid.hex(): owner for xid, owner in self._splitter.prepared.items()}
        gaps, losses = self.position.gaps, sorted(self._losses)
        noted = dict(self._heads), losses, gaps, self._platform_schema
        self.position = Position(self._unstored(), until, waiting, prepared, *noted)
        if self.position != self._stored:
            self._positions.save(self.position)
            self._stored = self.position

    def _unstored(self) -> dict[int, str]:
        """The GTIDs behind which something is not stored yet."""
        waits = [part.before for part in self._parts.values()] + [before for _, before in self._undated]
        oldest = min(waits, key=lambda before: sum(map(sequence, before.values())), default=self._seen)
        return dict(oldest)

    def _describe(self, event: Event) -> None:
        """What is collected came after another description: it is not for the same file."""
        description = closed(event.raw)
        if self._description is not None and description != self._description:
            self.store_due(everything=True)
        self._description = description

    def _collect(self, group: Group, before: Mapping[int, str], at: int) -> None:
        tenant = group.owner
        head = self._chain(tenant).head()
        if head is not None and _is_behind(str(group.gtid), head.span.last):
            return
        part = self._parts.get(tenant)
        if part is None:
            part = self._parts[tenant] = _Part(before, self._clock(), str(group.gtid), at)
        part.add(group, at)
        if part.size >= COLLECT_BYTES:
            self._due = 0.0
        metrics.GROUPS.inc()

    def _store_part(self, tenant: str, part: _Part) -> None:
        public = self._key_of(tenant)
        part.keyless = public is None
        metrics.KEYS_MISSING.set(sum(one.keyless for one in self._parts.values()))
        if public is None and not self._is_given_up(tenant, part):
            return
        if public:
            span = Span(part.first, part.last, part.begins, part.ends)
            content = joined(segments.description(self._description or b""), part.content())
            segment = self._chain(tenant).append(public, content, span)
            self._heads[tenant] = segment.number
            metrics.SEGMENTS.inc()
            logger.info("segment %d of tenant %s stored, %s to %s", segment.number, tenant, span.first, span.last)
        elif public is not None:
            self._heads.pop(tenant, None)  # erased
        part.close()
        del self._parts[tenant]

    def _is_given_up(self, tenant: str, part: _Part) -> bool:
        """Whether nobody will ever read it: its schema is gone, or no key has come for long."""
        if part.dropped:
            return True
        if self._clock() - part.since < KEY_SECONDS:
            return False
        logger.error("no key of tenant %s came: %s to %s of it are not archived", tenant, part.first, part.last)
        metrics.LOSSES.inc()
        self._positions.add_loss(tenant, part.last)
        self._losses.add(tenant)
        return True

    def _chain(self, tenant: str) -> Chain:
        if tenant not in self._chains:
            chain = self._chains[tenant] = Chain(self._store, tenant, self._heads.get(tenant, 0))
            if chain.is_cut:
                # Its next segment leaves the number out, so that a restore says what is missing.
                logger.error("the archive of tenant %s has lost its newest segment", tenant)
                metrics.LOSSES.inc()
        return self._chains[tenant]


def _is_in(tick: Tick, gtid: Gtid) -> bool:
    return gtid.sequence <= tick.sequences.get(gtid.domain, 0)


def _is_behind(gtid: str, last: str) -> bool:
    """Whether a group is in the chain already, whose last one this is."""
    return gtid.partition("-")[0] == last.partition("-")[0] and sequence(gtid) <= sequence(last)
