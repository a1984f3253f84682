"""Whatever is done to a sealed log is found, and named where that can be told: random logs, random hands."""

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.audit.anchors import Anchor, anchor_of
from vivero_data.domain.audit.chain import ChainProblem, Head, Kind, Mark, Seal, next_seal, read_seal
from vivero_data.domain.audit.verification import ANCHORED_WITHIN, Walk
from vivero_data.lib.json import encode

WORKSPACE = "k3v9q2mzt7"
AT = "2026-11-30T12:00:00.000000"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SALT = "5a17"


class Log:
    """Entries by their numbers, each a text; what is sealed, and the heads in the bucket."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.anchors: list[Anchor] = []
        self.head: Head | None = None
        self.next = 1

    def add(self, text: str) -> int:
        number, self.next = self.next, self.next + 1
        self.rows[number] = text
        return number

    def marks(self, after: int, last: int) -> list[Mark]:
        return [Mark(number, digest(self.rows[number])) for number in sorted(self.rows) if after < number <= last]

    def seal(self, gap: int, day: str) -> None:
        before = self.head.seal if self.head else None
        marks = self.marks(before.last if before else 0, self.next)
        made = next_seal(before, WORKSPACE, SALT, day + AT[10:], marks)
        self.next += gap  # numbers of transactions that were rolled back
        self.head = Head(self.add("seal:" + encode(made)), made)
        newest = self.anchors[-1] if self.anchors else None
        anchor = anchor_of(self.head, newest)
        self.anchors = [*(one for one in self.anchors if one.day != anchor.day), anchor]

    def found(self) -> ChainProblem | None:
        """As `verification.verify` does it."""
        walk = Walk(WORKSPACE, self.anchors)
        for number in sorted(self.rows):
            if not self.rows[number].startswith("seal:"):
                continue
            seal = read_seal(self.rows[number].removeprefix("seal:"))
            if seal is None:
                return ChainProblem(Kind.EDITED, number, "")
            problem = walk.step(number, seal, self.marks(walk.last, seal.last))
            if problem is not None:
                return problem
        return walk.end(NOW)


def digest(text: str) -> str:
    return hashlib.sha256((SALT + text).encode()).hexdigest()


@st.composite
def logs(draw: st.DrawFn) -> Log:
    log = Log()
    for part, size in enumerate(draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))):
        for place in range(size):
            log.next += draw(st.integers(0, 2))
            log.add(f"entry {part} {place} {draw(st.text(max_size=3))}")
        log.seal(draw(st.integers(0, 2)), f"2026-11-{28 + draw(st.integers(0, 1)) + (part > 3):02}")
    return log


@given(logs())
def test_a_log_that_nobody_touched_is_intact(log: Log) -> None:
    assert log.found() is None


@given(logs(), st.data())
def test_an_edit_of_any_entry_is_found(log: Log, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(sorted(log.rows)))
    log.rows[number] += data.draw(st.text(min_size=1, max_size=2))
    found = log.found()
    assert found is not None
    assert (found.kind, found.entry) == (Kind.EDITED, number)


@given(logs(), st.data())
def test_any_deletion_is_found(log: Log, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(sorted(log.rows)))
    was_seal = log.rows.pop(number).startswith("seal:")
    found = log.found()
    assert found is not None
    if number > max(log.rows):
        assert (found.kind, found.entry) == (Kind.TRUNCATED, found.entry)
    else:
        assert found.kind == Kind.DELETED
        assert was_seal or found.entry == number


@given(logs(), st.data())
def test_two_entries_in_each_others_place_are_found(log: Log, data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.lists(st.sampled_from(sorted(log.rows)), min_size=2, max_size=2, unique=True)))
    log.rows[one], log.rows[other] = log.rows[other], log.rows[one]
    assert log.found() is not None


@given(logs(), st.data())
def test_neighbours_in_each_others_place_are_named(log: Log, data: st.DataObject) -> None:
    assert log.head is not None
    pairs = [
        (one[0], other[0])
        for number in log.rows
        if (seal := _seal(log, number)) is not None
        for one, other in zip(seal.entries, seal.entries[1:], strict=False)
        if not any(log.rows[entry[0]].startswith("seal:") for entry in (one, other))
    ]
    if pairs:
        one, other = data.draw(st.sampled_from(pairs))
        log.rows[one], log.rows[other] = log.rows[other], log.rows[one]
        found = log.found()
        assert found is not None
        assert (found.kind, found.entry) == (Kind.REORDERED, one)


def _seal(log: Log, number: int) -> Seal | None:
    text = log.rows[number]
    return read_seal(text.removeprefix("seal:")) if text.startswith("seal:") else None


@given(logs(), st.data())
def test_an_end_that_was_cut_off_is_found(log: Log, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from(sorted(log.rows)))
    log.rows = {number: text for number, text in log.rows.items() if number < first}
    found = log.found()
    assert found is not None
    assert found.kind == Kind.TRUNCATED


@given(logs(), st.data())
def test_an_entry_that_was_put_between_is_named(log: Log, data: st.DataObject) -> None:
    assert log.head is not None
    free = sorted(set(range(1, log.head.seal.last)) - log.rows.keys())
    if free:
        number = data.draw(st.sampled_from(free))
        log.rows[number] = "put between"
        found = log.found()
        assert found is not None
        assert (found.kind, found.entry) == (Kind.INSERTED, number)


@given(logs(), st.data())
def test_a_chain_made_anew_is_not_the_one_in_the_bucket(log: Log, data: st.DataObject) -> None:
    """Who can write the whole database, and not the bucket."""
    anew = Log()
    entries = [text for _, text in sorted(log.rows.items()) if not text.startswith("seal:")]
    victim = data.draw(st.integers(0, len(entries) - 1))
    for place, text in enumerate(entries):
        anew.add(text + "!" * (place == victim))
        anew.seal(0, AT[:10])
    anew.anchors = log.anchors
    found = anew.found()
    assert found is not None
    assert found.kind in {Kind.REWRITTEN, Kind.TRUNCATED}


@pytest.mark.parametrize(
    ("age", "kind"), [(ANCHORED_WITHIN, None), (ANCHORED_WITHIN + timedelta(seconds=1), Kind.ANCHOR_MISSING)]
)
def test_a_head_may_be_late_by_an_hour_while_the_bucket_is_away(age: timedelta, kind: Kind | None) -> None:
    log = Log()
    log.add("one")
    log.seal(0, AT[:10])
    log.anchors = []
    walk = Walk(WORKSPACE, [])
    assert log.head is not None
    assert walk.step(log.head.entry, log.head.seal, log.marks(0, 1)) is None
    found = walk.end(NOW + age)
    assert (found.kind if found else None) == kind


def test_a_seal_is_read_letter_for_letter() -> None:
    seal = next_seal(None, WORKSPACE, SALT, AT, [Mark(1, digest("one"))])
    text = encode(seal)
    assert read_seal(text) == seal
    for changed in (text + " ", text.replace('"number":1', '"number":2'), text[:-1] + ',"more":1}', "{}", "", None):
        assert read_seal(changed) is None
    assert read_seal(encode(msgspec.structs.replace(seal, previous="x"))) is None
