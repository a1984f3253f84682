"""Several sources as one list, page by page."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.db.tables import AuditRecord, OutboxEntry
from vivero_control.domain.notifications import mails
from vivero_control.domain.timeline import entries
from vivero_control.domain.timeline.policies import CURSOR_MAX, KINDS, Entry, Place, Source, merged, newest
from vivero_control.domain.timeline.schemas import Kind, TimelineItem
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload
from vivero_web.errors import InvalidInputError

BEGIN = datetime(2026, 11, 30, tzinfo=UTC)
MOMENTS = st.integers(0, 4).map(lambda seconds: BEGIN + timedelta(seconds=seconds))


def entry(source: Source, ident: str, at: datetime) -> Entry:
    return Entry(source, ident, TimelineItem(at=at, kind=min(KINDS[source]), what=f"{source.name} {ident}", state=""))


def of(source: Source) -> st.SearchStrategy[list[Entry]]:
    """Ids with points and spaces in them, as those of backups."""
    made = st.builds(lambda number, at: entry(source, f"a {number}.b", at), st.integers(0, 99), MOMENTS)
    return st.lists(made, max_size=12, unique_by=lambda one: one.ident)


ALL = st.fixed_dictionaries({one: of(one) for one in (Source.INVOICES, Source.BACKUPS, Source.CONDITIONS)})


@given(ALL, st.integers(1, 6))
def test_walking_gives_every_entry_once_the_newest_first(sources: dict[Source, list[Entry]], limit: int) -> None:
    seen, place = list[TimelineItem](), None
    while True:
        page = merged([newest(found, place)[: limit + 1] for found in sources.values()], limit)
        seen += page.items
        if page.next_cursor is None:
            break
        assert len(page.items) == limit
        assert len(page.next_cursor) <= CURSOR_MAX
        place = Place.read(page.next_cursor)
    every = [one for found in sources.values() for one in found]
    assert sorted(one.what for one in seen) == sorted(one.item.what for one in every)
    assert [one.at for one in seen] == sorted((one.at for one in seen), reverse=True)
    rank = {one.item.what: one.source for one in every}
    for _, same in groupby(seen, key=lambda one: one.at):
        ranks = [rank[one.what] for one in same]
        assert ranks == sorted(ranks)


def test_each_kind_comes_from_one_source() -> None:
    assert sorted(kind for kinds in KINDS.values() for kind in kinds) == sorted(Kind)
    assert set(KINDS) == set(Source)


@given(MOMENTS, st.sampled_from(Source), st.integers(0, 10**17))
def test_a_cursor_comes_back_as_it_was(at: datetime, source: Source, number: int) -> None:
    place = Place(at, source, str(number))
    assert Place.read(str(place)) == place


@pytest.mark.parametrize("cursor", ["x", "1", "1.0", "1.0.", "1.0.x", "1.9.x", ".0.1", "-1.0.1", f"{'9' * 18}.2.a"])
def test_what_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        Place.read(cursor)


@given(st.text(max_size=CURSOR_MAX))
def test_any_text_is_a_place_or_refused(cursor: str) -> None:
    try:
        place = Place.read(cursor)
    except InvalidInputError:
        return
    assert Place.read(str(place)) == place


class _Told(JobKind):
    async def perform(self, payload: Payload) -> None:
        raise NotImplementedError

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Mail “{payload.get('subject', '')}”", str(payload.get("to", "")))


def job(state: str, payload: Payload | None, kind: str = mails.KIND, attempts: int = 1) -> TimelineItem:
    row = OutboxEntry(
        id=7,
        kind=kind,
        key="mail.trial-ending-7:uid:20261207T000000Z",
        payload=payload,
        state=state,
        attempts=attempts,
        due_at=BEGIN + timedelta(minutes=5),
        last_error=None if state == "done" else "the server is away",
        created_at=BEGIN,
    )
    return entries.job(row, _Told()).item


def test_a_mail_is_told_by_its_subject_and_once_it_is_sent_by_its_key() -> None:
    waiting = job("pending", {"subject": "Three days left", "to": "ada@example.com"}, attempts=3)
    assert (waiting.what, waiting.state) == ("Mail “Three days left”", "queued")
    assert waiting.detail == "ada@example.com · 3 attempts · the server is away"
    assert waiting.next_attempt_at == BEGIN + timedelta(minutes=5)
    sent = job("done", None)
    assert (sent.kind, sent.what, sent.state, sent.next_attempt_at) == (
        Kind.MAIL,
        "Mail: trial ending 7",
        "sent",
        None,
    )


@pytest.mark.parametrize(
    ("kind", "state", "seen"),
    [
        (mails.KIND, "dead", (Kind.MAIL, "failed")),
        ("billing.apply", "done", (Kind.WEBHOOK, "done")),
        ("tenant.create", "dead", (Kind.JOB, "failed")),
        ("tenant.create", "pending", (Kind.JOB, "queued")),
    ],
)
def test_a_job_has_its_kind_and_state(kind: str, state: str, seen: tuple[Kind, str]) -> None:
    found = job(state, {}, kind)
    assert (found.kind, found.state) == seen


@pytest.mark.parametrize(
    ("outcome", "state", "why"),
    [("done", "done", ""), ("failed: KubeUnavailableError", "failed", " · KubeUnavailableError")],
)
def test_an_act_says_who_why_and_what_came_of_it(outcome: str, state: str, why: str) -> None:
    row = AuditRecord(
        id=1,
        at=BEGIN,
        actor="ada@vivero.example",
        action="change-plan",
        subject="tenant/acme",
        reason="They asked.",
        detail={"to_plan": "starter", "note": "", "old": None},
        outcome=outcome,
    )
    found = entries.act(row).item
    assert (found.what, found.state, found.actor) == ("Change plan", state, row.actor)
    assert found.detail == f"They asked. · to plan: starter{why}"
