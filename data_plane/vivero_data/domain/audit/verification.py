"""Verifies the audit log: every entry against the chain of seals, and the chain against its heads in the bucket.

It holds one seal and its entries at a time, and one small head for each day.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit import seals
from vivero_data.domain.audit.anchors import Anchor, Anchors
from vivero_data.domain.audit.chain import ChainProblem, Head, Kind, Mark, Seal, compare, follows
from vivero_data.domain.audit.seals import StoredSeal

_SEALS_AT_ONCE: Final = 20
ANCHORED_WITHIN: Final = timedelta(hours=1)
"""A seal of this age has its head in the bucket, unless that was away all the time."""


class Verification(msgspec.Struct, frozen=True):
    """What a verification found; `problem` is null if all that is sealed is as it was."""

    intact: Annotated[bool, msgspec.Meta(description="Whether every sealed entry is as it was written.")]
    entries: Annotated[int, msgspec.Meta(description="Sealed entries that were compared, seals included.")]
    seals: Annotated[int, msgspec.Meta(description="Seals that were followed.")]
    unsealed: Annotated[int, msgspec.Meta(description="Entries since the last seal, which nothing protects yet.")]
    erased: Annotated[int, msgspec.Meta(description="Entries with a value that was erased for a person's sake.")]
    anchors: Annotated[int, msgspec.Meta(description="Heads in the bucket that the log agrees with.")]
    copied_from: Annotated[
        tuple[str, ...], msgspec.Meta(description="Workspaces that the log was restored from, by their ids.")
    ]
    head: Annotated[str, msgspec.Meta(description="Hash of the last seal; empty without any.")]
    problem: Annotated[ChainProblem | None, msgspec.Meta(description="The first thing that is not as it was.")] = None


class LastVerification(msgspec.Struct, frozen=True):
    """The newest verification that came to its end."""

    at: Annotated[datetime, msgspec.Meta(description="When it ended.")]
    actor: Annotated[str, msgspec.Meta(description="Who asked for it.")]
    found: Verification


class Walk:
    """Follows the chain from its beginning; pure. `anchors` are the workspace's, in the order of days."""

    def __init__(self, workspace: str, anchors: Sequence[Anchor]) -> None:
        self._workspace = workspace
        self._ahead = {anchor.number: anchor for anchor in anchors}
        self._newest = anchors[-1] if anchors else None
        self._copied: dict[str, None] = {}
        self.entries = self.seals = self.anchors = self.erased = 0
        self.head: Head | None = None
        self._unanchored: Head | None = None

    @property
    def last(self) -> int:
        """The last entry that is covered."""
        return self.head.seal.last if self.head else 0

    def step(self, entry: int, seal: Seal, marks: Sequence[Mark], erased: int = 0) -> ChainProblem | None:
        """The next seal, stored as `entry`, with the entries that are there of those it covers."""
        problem = follows(seal, entry, self.head, marks) or compare(seal, marks) or self._compare_anchor(entry, seal)
        if problem is None:
            self.head = Head(entry, seal)
            self.seals, self.entries, self.erased = seal.number, self.entries + len(marks), self.erased + erased
        return problem

    def _compare_anchor(self, entry: int, seal: Seal) -> ChainProblem | None:
        if seal.workspace != self._workspace:
            self._copied[seal.workspace] = None
        anchor = self._ahead.pop(seal.number, None)
        if anchor is None:
            if seal.workspace == self._workspace and (self._newest is None or seal.number > self._newest.number):
                self._unanchored = self._unanchored or Head(entry, seal)
            return None
        if (anchor.hash, anchor.entry) != (seal.hash, entry):
            text = f"Seal {seal.number} is not the one whose hash has been in the bucket since {anchor.day}."
            return ChainProblem(Kind.REWRITTEN, entry, text)
        self.anchors += 1
        return None

    def end(self, now: datetime) -> ChainProblem | None:
        """What is wrong with the chain's end."""
        if self._ahead:
            first = self._ahead[min(self._ahead)]
            text = f"The log ends before seal {first.number}, whose hash has been in the bucket since {first.day}."
            return ChainProblem(Kind.TRUNCATED, self.last + 1, text)
        late = self._unanchored
        if late is not None and now - datetime.fromisoformat(late.seal.at).replace(tzinfo=UTC) > ANCHORED_WITHIN:
            text = f"Nothing in the bucket vouches for seal {late.seal.number} of {late.seal.at[:10]} or for any later one."
            return ChainProblem(Kind.ANCHOR_MISSING, late.entry, text)
        return None

    def found(self, unsealed: int, problem: ChainProblem | None) -> Verification:
        return Verification(
            intact=problem is None,
            entries=self.entries,
            seals=self.seals,
            unsealed=unsealed,
            erased=self.erased,
            anchors=self.anchors,
            copied_from=tuple(self._copied),
            head=self.head.seal.hash if self.head else "",
            problem=problem,
        )


async def verify(
    database: Database, anchors: Anchors, progress: Callable[[int, int | None], None] | None = None
) -> Verification:
    """Verify the whole log; writes nothing.

    Raises:
        UnavailableError: the database or the bucket does not answer.
    """
    known, gone = await _known(anchors)
    walk, problem = Walk(anchors.workspace, known), None
    async with database.read() as connection:
        async for stored in _all_seals(connection):
            problem = await _step(connection, walk, stored)
            if problem:
                break
            if progress:
                progress(walk.entries, None)
        problem = problem or gone or walk.end(clock.now())
        return walk.found(await seals.count_after(connection, walk.last), problem)


async def _step(connection: Connection, walk: Walk, stored: StoredSeal) -> ChainProblem | None:
    seal = stored.seal
    if seal is None:
        return ChainProblem(Kind.EDITED, stored.entry, f"Entry {stored.entry} is a seal, and not as it was written.")
    covered = await seals.cover(connection, walk.last, seal.last, seal.salt, wait=False)
    return walk.step(stored.entry, seal, covered.marks, covered.erased)


async def _all_seals(connection: Connection) -> AsyncIterator[StoredSeal]:
    behind = 0
    while page := await seals.select_after(connection, behind, _SEALS_AT_ONCE):
        for stored in page:
            yield stored
        behind = page[-1].entry


async def _known(anchors: Anchors) -> tuple[list[Anchor], ChainProblem | None]:
    """The anchors that can be read, and the first that cannot, or that a later one names and is not there."""
    known: list[Anchor] = []
    problem = None
    before = ""
    for day in await anchors.days():
        anchor = await anchors.read(day)
        gone = day if anchor is None else anchor.before if anchor.before != before else ""
        if gone:
            problem = problem or ChainProblem(
                Kind.ANCHOR_MISSING, None, f"The head of {gone} is not in the bucket any more."
            )
        if anchor is not None:
            known.append(anchor)
        before = day
    return known, problem
