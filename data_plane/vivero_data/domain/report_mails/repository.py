"""SQL of schedules, of whom they are for, and of what was sent.

A period is taken in one transaction with its job, and each mail of it has one row: so it is sent once, however many
programs look for what is due.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.report_mails.periods import Rule
from vivero_data.domain.report_mails.schemas import Every, ReportSchedule, Sending, SendingState, Subject

PROBLEM: Final = 500  # characters
_COLUMNS: Final = (
    "s.id, s.subject, s.subject_id, s.every, s.hour, s.weekday, s.day, s.active, s.next_at, s.ended, s.owner_id"
)
_SELECT: Final = (
    f"SELECT {_COLUMNS}, COALESCE(r.name, d.name, ''), COALESCE(u.email, ''), s.created_at,"  # noqa: S608  fixed words
    " (SELECT GROUP_CONCAT(p.email ORDER BY p.email SEPARATOR ' ') FROM report_recipients t"
    " JOIN users p ON p.id = t.user_id WHERE t.schedule_id = s.id),"
    " (SELECT f.problem FROM report_sendings f WHERE f.schedule_id = s.id AND f.state <> 'waiting'"
    " ORDER BY f.id DESC LIMIT 1)"
    " FROM report_schedules s LEFT JOIN users u ON u.id = s.owner_id"
    " LEFT JOIN reports r ON s.subject = 'report' AND r.id = s.subject_id"
    " LEFT JOIN dashboards d ON s.subject = 'dashboard' AND d.id = s.subject_id"
)
_SEEN: Final = (
    "(%s OR s.owner_id = %s OR EXISTS"
    " (SELECT 1 FROM report_recipients o WHERE o.schedule_id = s.id AND o.user_id = %s))"
)


class StoredSchedule(msgspec.Struct, frozen=True):
    """A row."""

    id: int
    subject: Subject
    subject_id: int
    rule: Rule
    next_at: datetime
    ended: str
    owner_id: int
    shown: ReportSchedule

    @property
    def logged_as(self) -> str:
        """What the audit log calls it."""
        return f"{self.shown.name} ({self.id})"


class Due(msgspec.Struct, frozen=True):
    """A mail that was not sent yet."""

    id: int
    user_id: int


async def select_page(
    connection: Connection, user_id: int, limit: int, below: int | None, *, everything: bool
) -> list[StoredSchedule]:
    """The user's own and those that they get, or all; newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"{_SELECT} WHERE {_SEEN} AND (%s IS NULL OR s.id < %s) ORDER BY s.id DESC LIMIT %s",
        everything,
        user_id,
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_schedule(row) for row in rows]


async def get(
    connection: Connection, schedule_id: int, user_id: int, *, everything: bool, lock: bool = False
) -> StoredSchedule | None:
    row = await connection.fetch_one(
        f"{_SELECT} WHERE s.id = %s AND {_SEEN}{' FOR UPDATE' if lock else ''}",
        schedule_id,
        everything,
        user_id,
        user_id,
    )
    return _schedule(row) if row else None


async def count(tx: Connection) -> int:
    row = await tx.fetch_one("SELECT COUNT(*) FROM report_schedules")
    return int(row[0]) if row else 0


async def insert(  # noqa: PLR0913, PLR0917  the columns
    tx: Connection, subject: Subject, subject_id: int, owner_id: int, rule: Rule, next_at: datetime
) -> int:
    return await tx.insert(
        "INSERT INTO report_schedules (subject, subject_id, owner_id, every, hour, weekday, day, active, next_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        subject.value,
        subject_id,
        owner_id,
        rule.every.value,
        rule.hour,
        rule.weekday,
        rule.day,
        rule.active,
        clock.naive(next_at),
    )


async def update(tx: Connection, schedule_id: int, rule: Rule, next_at: datetime, ended: str) -> None:
    await tx.execute(
        "UPDATE report_schedules SET every = %s, hour = %s, weekday = %s, day = %s, active = %s, next_at = %s,"
        " ended = %s WHERE id = %s",
        rule.every.value,
        rule.hour,
        rule.weekday,
        rule.day,
        rule.active,
        clock.naive(next_at),
        ended[:PROBLEM],
        schedule_id,
    )


async def set_recipients(tx: Connection, schedule_id: int, user_ids: Sequence[int]) -> None:
    await tx.execute("DELETE FROM report_recipients WHERE schedule_id = %s", schedule_id)
    for user_id in user_ids:
        await tx.execute("INSERT INTO report_recipients VALUES (%s, %s)", schedule_id, user_id)


async def remove_recipient(tx: Connection, schedule_id: int, user_id: int) -> bool:
    """False if the person did not get it any more."""
    gone = await tx.execute(
        "DELETE FROM report_recipients WHERE schedule_id = %s AND user_id = %s", schedule_id, user_id
    )
    return gone == 1


async def delete(tx: Connection, schedule_id: int) -> None:
    """With its recipients and its history."""
    await tx.execute("DELETE FROM report_sendings WHERE schedule_id = %s", schedule_id)
    await tx.execute("DELETE FROM report_recipients WHERE schedule_id = %s", schedule_id)
    await tx.execute("DELETE FROM report_schedules WHERE id = %s", schedule_id)


async def people(connection: Connection, emails: Sequence[str]) -> dict[str, int]:
    """Those of these addresses that people who may log in have, with their numbers."""
    if not emails:
        return {}
    rows = await connection.fetch_all("SELECT email, id FROM users WHERE email IN %s AND active", tuple(emails))
    return {str(email): int(number) for email, number in rows}


async def take_due(tx: Connection) -> StoredSchedule | None:
    """A schedule that is due, locked until this transaction ends; those that another program has locked are skipped."""
    row = await tx.fetch_one(
        "SELECT id FROM report_schedules WHERE active AND next_at <= CURRENT_TIMESTAMP(6)"
        " ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    return await get(tx, int(row[0]), 0, everything=True) if row else None


async def is_soon(connection: Connection, seconds: int) -> bool:
    """Whether any schedule is due within so many seconds."""
    row = await connection.fetch_one(
        "SELECT 1 FROM report_schedules WHERE active AND next_at <= CURRENT_TIMESTAMP(6) + INTERVAL %s SECOND LIMIT 1",
        seconds,
    )
    return row is not None


async def owner_is_active(connection: Connection, owner_id: int) -> bool:
    return await connection.fetch_one("SELECT 1 FROM users WHERE id = %s AND active", owner_id) is not None


async def begin_period(tx: Connection, schedule_id: int, due_at: datetime) -> int:
    """A mail for each recipient of now; how many."""
    return await tx.execute(
        "INSERT IGNORE INTO report_sendings (schedule_id, due_at, user_id)"
        " SELECT schedule_id, %s, user_id FROM report_recipients WHERE schedule_id = %s",
        clock.naive(due_at),
        schedule_id,
    )


async def select_due(connection: Connection, schedule_id: int, due_at: datetime) -> list[Due]:
    """What of a period was not sent yet, to people who are recipients still."""
    rows = await connection.fetch_all(
        "SELECT f.id, f.user_id FROM report_sendings f JOIN report_recipients t"
        " ON t.schedule_id = f.schedule_id AND t.user_id = f.user_id"
        " WHERE f.schedule_id = %s AND f.due_at = %s AND f.state IN ('waiting', 'failed') ORDER BY f.id",
        schedule_id,
        clock.naive(due_at),
    )
    return [Due(int(number), int(user_id)) for number, user_id in rows]


async def note(connection: Connection, sending_id: int, state: SendingState, problem: str) -> None:
    """What came of a mail."""
    await connection.execute(
        "UPDATE report_sendings SET state = %s, problem = %s, ended_at = CURRENT_TIMESTAMP(6) WHERE id = %s",
        state.value,
        problem[:PROBLEM],
        sending_id,
    )


async def select_sendings(connection: Connection, schedule_id: int, limit: int, below: int | None) -> list[Sending]:
    """Newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        "SELECT f.id, f.due_at, COALESCE(u.email, ''), f.state, f.problem, f.ended_at FROM report_sendings f"
        " LEFT JOIN users u ON u.id = f.user_id WHERE f.schedule_id = %s AND (%s IS NULL OR f.id < %s)"
        " ORDER BY f.id DESC LIMIT %s",
        schedule_id,
        below,
        below,
        limit + 1,
    )
    return [
        Sending(
            int(number),
            clock.utc(due_at),
            email,
            SendingState(state),
            problem,
            None if ended_at is None else clock.utc(ended_at),
        )
        for number, due_at, email, state, problem, ended_at in rows
    ]


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Forget what was sent for periods before `before`; returns how many."""
    return await tx.execute("DELETE FROM report_sendings WHERE due_at < %s LIMIT %s", clock.naive(before), batch)


def _schedule(row: Row) -> StoredSchedule:
    number, subject, subject_id, every, hour, weekday, day, active, next_at, ended, owner_id, *rest = row
    name, owner, created_at, recipients, problem = rest
    rule, at = Rule(Every(every), int(hour), int(weekday), int(day), bool(active)), clock.utc(next_at)
    shown = ReportSchedule(
        **msgspec.structs.asdict(rule),
        id=int(number),
        subject=Subject(subject),
        subject_id=int(subject_id),
        name=name,
        recipients=tuple((recipients or "").split()),
        next_at=at if active else None,
        ended=ended,
        problem=problem or "",
        owner=owner,
        created_at=clock.utc(created_at),
    )
    return StoredSchedule(int(number), Subject(subject), int(subject_id), rule, at, ended, int(owner_id), shown)
