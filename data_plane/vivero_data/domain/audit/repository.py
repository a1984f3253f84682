"""SQL of the audit log, which may be in a separate schema; rows are only inserted and read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web import clock
from vivero_web.logins import WINDOW

from vivero_data.db.database import OWN_AUDIT_LOG, Connection, Row
from vivero_data.domain.audit.schemas import KEY_MARK, NAME_MAX, SEAL, SUBJECT_MAX, AuditEntry, AuditQuery
from vivero_data.lib.json import decode, encode

_NAME: Final = ""  # the key of a subject's name beside its values: no field has it, and older programs read it as one
_CONTENT: Final = "at, actor, action, subject, before_values, after_values, request_id, address"
_COLUMNS: Final = f"id, {_CONTENT}"


class NewEntry(msgspec.Struct, frozen=True):
    """An entry to write; `name` is what its subject is called, where that is a number or an address."""

    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    name: str = ""


async def insert(tx: Connection, actor: str, entries: Sequence[NewEntry], *, request_id: str, address: str) -> None:
    """Add entries of one request, in their order."""
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(entries))
    params = [
        param
        for entry in entries
        for param in (actor, entry.action, entry.subject[:SUBJECT_MAX], *_stored(entry), request_id, address)
    ]
    tx.logged.set()
    await tx.execute(
        f"INSERT INTO {tx.audit_log} (actor, action, subject, before_values, after_values, request_id, address)"  # noqa: S608  a checked name
        f" VALUES {rows}",
        *params,
    )


def _stored(entry: NewEntry) -> tuple[str | None, str | None]:
    """The values before and after as they are stored; the name is with the newer ones that there are."""
    before, after = entry.before, entry.after
    if entry.name:
        named = {_NAME: entry.name[:NAME_MAX]}
        if after is None and before is not None:
            before = {**named, **before}
        else:
            after = {**named, **(after or {})}
    return None if before is None else encode(before), None if after is None else encode(after)


async def recent(connection: Connection, action: str, subject: str, address: str) -> tuple[int, int]:
    """Counts of an action's entries within WINDOW: with this subject and address, and in total."""
    row = await connection.fetch_one(
        f"SELECT COALESCE(SUM(subject = %s AND address = %s), 0), COUNT(*) FROM {connection.audit_log}"  # noqa: S608  a checked name
        " WHERE action = %s AND at > CURRENT_TIMESTAMP(6) - INTERVAL %s SECOND",
        subject,
        address,
        action,
        int(WINDOW.total_seconds()),
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def select_page(connection: Connection, query: AuditQuery, below: int | None) -> list[AuditEntry]:
    """Entries that match, newest first, one more than the limit when there are more."""
    where, params = _conditions(query, below)
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM {connection.audit_log} WHERE {where} ORDER BY id DESC LIMIT %s",  # noqa: S608  fixed words and a checked name
        *params,
        query.limit + 1,
    )
    return [_entry(row) for row in rows]


async def select_of(connection: Connection, subject: str, limit: int, below: int | None) -> list[AuditEntry]:
    """Entries of exactly this subject, newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM {connection.audit_log} WHERE subject = %s AND (%s IS NULL OR id < %s)"  # noqa: S608  a checked name
        " ORDER BY id DESC LIMIT %s",
        subject[:SUBJECT_MAX],
        below,
        below,
        limit + 1,
    )
    return [_entry(row) for row in rows]


async def newest_of(connection: Connection, action: str) -> AuditEntry | None:
    """The newest entry of an action."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM {connection.audit_log} WHERE action = %s ORDER BY id DESC LIMIT 1",  # noqa: S608  a checked name
        action,
    )
    return _entry(row) if row else None


async def use(connection: Connection) -> None:
    """Read and insert zero rows: the database raises an error if a privilege or the table is missing."""
    log = connection.audit_log
    await connection.execute(f"INSERT INTO {log} ({_CONTENT}) SELECT {_CONTENT} FROM {log} WHERE FALSE")  # noqa: S608  a checked name


async def move_legacy_entries(tx: Connection, limit: int) -> int:
    """Move the newest rows of the own schema's table into the audit log; returns how many.

    Each keeps its id, which orders the log, unless the id is taken, because an older program added the row meanwhile,
    or the entries around it are sealed.
    """
    rows = await tx.fetch_all(f"SELECT id FROM {OWN_AUDIT_LOG} ORDER BY id DESC LIMIT %s FOR UPDATE", limit)  # noqa: S608  our own constant
    numbers = tuple(number for (number,) in rows)
    if numbers:
        sealed = await tx.fetch_one(f"SELECT COALESCE(MAX(id), 0) FROM {tx.audit_log} WHERE action = %s", SEAL)  # noqa: S608  a checked name
        content = ", ".join(f"mine.{column}" for column in _CONTENT.split(", "))
        # Rows that need new ids come last: AUTO_INCREMENT continues from the highest id.
        await tx.execute(
            f"INSERT INTO {tx.audit_log} ({_COLUMNS}) SELECT IF(log.id IS NULL AND mine.id > %s, mine.id, NULL), {content}"  # noqa: S608  a checked name
            f" FROM {OWN_AUDIT_LOG} mine LEFT JOIN {tx.audit_log} log USING (id)"
            " WHERE mine.id IN %s ORDER BY log.id IS NOT NULL OR mine.id <= %s, mine.id",
            *(sealed or (0,)),
            numbers,
            *(sealed or (0,)),
        )
        await tx.execute(f"DELETE FROM {OWN_AUDIT_LOG} WHERE id IN %s", numbers)  # noqa: S608  our own constant
    return len(numbers)


def _conditions(query: AuditQuery, below: int | None) -> tuple[str, list[object]]:
    options: list[tuple[str, object | None]] = [
        ("id < %s", below),
        ("subject LIKE %s", _prefix(query.subject) if query.subject else None),
        ("at >= %s", clock.naive(query.since) if query.since else None),
        ("at < %s", clock.naive(query.until) if query.until else None),
    ]
    if query.action:
        whole = "." in query.action
        options.append(("action = %s", query.action) if whole else ("action LIKE %s", _prefix(f"{query.action}.")))
    else:
        options.append(("action <> %s", SEAL))
    used = [(sql, [value]) for sql, value in options if value is not None]
    if query.actor:
        # With the programs that acted on the person's behalf.
        used.append(("(actor = %s OR actor LIKE %s)", [query.actor, _prefix(query.actor + KEY_MARK)]))
    return " AND ".join(sql for sql, _ in used) or "TRUE", [value for _, values in used for value in values]


def _prefix(text: str) -> str:
    """A LIKE pattern for a prefix."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


def _entry(row: Row) -> AuditEntry:
    number, at, actor, action, subject, before, after, request_id, address = row
    (old, old_name), (new, new_name) = _values(before), _values(after)
    return AuditEntry(
        number, clock.utc(at), actor, action, subject, old, new, request_id, address, new_name or old_name
    )


def _values(text: str | None) -> tuple[dict[str, Any] | None, str]:
    """Stored values, and the name among them; what was erased for a person's sake is gone (ADR 0053)."""
    if text is None or text.startswith("*"):
        return None, ""
    values = dict(decode(text))
    name = str(values.pop(_NAME, ""))
    return (values or None) if name else values, name
