"""SQL of seals, which are entries of the log themselves, and of what they cover.

The server makes the digests: the values of an entry may be large, and neither the serving process nor a verification
holds any.
"""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import OWN_AUDIT_LOG, Connection
from vivero_data.db.errors import MissingTableError
from vivero_data.domain.audit.chain import BrokenChainError, Head, Mark, Seal, read_seal
from vivero_data.domain.audit.schemas import SEAL, SYSTEM
from vivero_data.lib.json import encode

AT_ONCE: Final = 200
"""Entries that a seal covers at most, but for those that were committed late."""

SETTLED_SECONDS: Final = 20
"""A statement ends within ten seconds: a number below that of an entry of this age is there, or locked, or never used."""

_LOCK: Final = "audit_seals"
# A value that was erased for a person's sake is replaced by its digest, behind a star (docs/runbooks/audit-erasure.md).
_ERASED: Final = r"CHAR_LENGTH({0}) = 45 AND {0} REGEXP '^[*][A-Za-z0-9+/]{{43}}=$'"
_TEXTS: Final = ("action", "request_id", "actor", "subject", "address", "before_values", "after_values")
_DIGESTS: Final = ", ".join(
    f"COALESCE(IF({_ERASED.format(one)}, SUBSTRING({one}, 2), TO_BASE64(UNHEX(SHA2(CONCAT(%s, {one}), 256)))), '-')"
    for one in _TEXTS
)
_DIGEST: Final = f"SHA2(CONCAT_WS('|', DATE_FORMAT(at, '%%Y-%%m-%%dT%%H:%%i:%%s.%%f'), {_DIGESTS}), 256)"
_ANY_ERASED: Final = " OR ".join(f"COALESCE({_ERASED.format(one)}, FALSE)" for one in _TEXTS)


class Covered(msgspec.Struct, frozen=True):
    """The entries of a range, and how many of them have an erased value."""

    marks: list[Mark]
    erased: int


class StoredSeal(msgspec.Struct, frozen=True):
    """An entry that is a seal by its action; `seal` is None if it is not as seals are written."""

    entry: int
    seal: Seal | None


async def lock(tx: Connection) -> bool:
    """Whether this transaction is now the only one that seals; False while another is."""
    if await tx.fetch_one("SELECT 1 FROM counters WHERE name = %s", _LOCK) is None:
        await tx.execute("INSERT IGNORE INTO counters (name, value) VALUES (%s, 0)", _LOCK)
    row = await tx.fetch_one("SELECT value FROM counters WHERE name = %s FOR UPDATE SKIP LOCKED", _LOCK)
    return row is not None


async def wait_for_lock(tx: Connection) -> None:
    """As `lock`, after the other one."""
    await tx.execute("INSERT INTO counters (name, value) VALUES (%s, 0) ON DUPLICATE KEY UPDATE value = value", _LOCK)


async def head(connection: Connection) -> Head | None:
    """The newest seal; None before the first.

    Raises:
        BrokenChainError: it is not as seals are written.
    """
    found = await _select(connection, "TRUE ORDER BY id DESC LIMIT 1")
    if not found:
        return None
    newest = found[0]
    if newest.seal is None:
        raise BrokenChainError(f"Entry {newest.entry} of the audit log is a seal, and not as it was written.")
    return Head(newest.entry, newest.seal)


async def select_after(connection: Connection, entry: int, limit: int) -> list[StoredSeal]:
    """Seals behind this entry, in their order."""
    return await _select(connection, "id > %s ORDER BY id LIMIT %s", entry, limit)


async def select_one(connection: Connection, entry: int) -> StoredSeal | None:
    found = await _select(connection, "id = %s", entry)
    return found[0] if found else None


async def _select(connection: Connection, where: str, *params: object) -> list[StoredSeal]:
    rows = await connection.fetch_all(
        "SELECT id, DATE_FORMAT(at, '%%Y-%%m-%%dT%%H:%%i:%%s.%%f'), actor, subject, before_values, request_id, address,"  # noqa: S608  a checked name, fixed words
        f" after_values FROM {connection.audit_log} WHERE action = %s AND {where}",
        SEAL,
        *params,
    )
    return [StoredSeal(row[0], _seal(row[1], tuple(row[2:7]), row[7])) for row in rows]


def _seal(at: str, others: tuple[str | None, ...], text: str | None) -> Seal | None:
    seal = read_seal(text)
    return seal if seal and seal.at == at and others == _others(seal) else None


def _others(seal: Seal) -> tuple[str | None, ...]:
    """Actor, subject, values before, request and address of a seal's entry."""
    return SYSTEM, f"seal/{seal.number}", None, "", ""


async def insert(tx: Connection, seal: Seal) -> int:
    """The number of its entry."""
    actor, subject, before, request_id, address = _others(seal)
    return await tx.insert(
        f"INSERT INTO {tx.audit_log} (at, action, after_values, actor, subject, before_values, request_id, address)"  # noqa: S608  a checked name
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        seal.at.replace("T", " "),
        SEAL,
        encode(seal),
        actor,
        subject,
        before,
        request_id,
        address,
    )


async def due(connection: Connection, after: int) -> tuple[int, str] | None:
    """Up to which entry can be sealed, and the time by the server's clock; None if there is nothing but seals."""
    log = connection.audit_log
    row = await connection.fetch_one(
        "SELECT MAX(id), DATE_FORMAT(UTC_TIMESTAMP(6), '%%Y-%%m-%%dT%%H:%%i:%%s.%%f')"  # noqa: S608  a checked name
        f" FROM (SELECT id, at FROM {log} WHERE id > %s ORDER BY id LIMIT %s) page"
        " WHERE at < UTC_TIMESTAMP(6) - INTERVAL %s SECOND AND EXISTS (SELECT 1"
        f" FROM {log} WHERE id > %s AND action <> %s AND at < UTC_TIMESTAMP(6) - INTERVAL %s SECOND)",
        after,
        AT_ONCE,
        SETTLED_SECONDS,
        after,
        SEAL,
        SETTLED_SECONDS,
    )
    return (int(row[0]), str(row[1])) if row and row[0] else None


async def cover(tx: Connection, after: int, last: int, salt: str, *, wait: bool) -> Covered:
    """The entries behind one up to another; `wait` for transactions that are still adding some of them."""
    rows = await tx.fetch_all(
        f"SELECT id, {_DIGEST}, {_ANY_ERASED} FROM {tx.audit_log} WHERE id > %s AND id <= %s ORDER BY id"  # noqa: S608  a checked name, fixed words
        f"{' LOCK IN SHARE MODE' if wait else ''}",
        *[salt] * len(_TEXTS),
        after,
        last,
    )
    return Covered([Mark(row[0], row[1]) for row in rows], sum(bool(row[2]) for row in rows))


async def count_after(connection: Connection, entry: int) -> int:
    """Entries that no seal up to this one covers."""
    row = await connection.fetch_one(
        f"SELECT COUNT(*) FROM {connection.audit_log} WHERE id > %s AND action <> %s",  # noqa: S608  a checked name
        entry,
        SEAL,
    )
    return int(row[0]) if row else 0


async def oldest_after(connection: Connection, entry: int) -> datetime | None:
    """When the first entry behind this one was made that is no seal."""
    row = await connection.fetch_one(
        f"SELECT at FROM {connection.audit_log} WHERE id > %s AND action <> %s ORDER BY id LIMIT 1",  # noqa: S608  a checked name
        entry,
        SEAL,
    )
    return clock.utc(row[0]) if row else None


async def has_legacy_entries(connection: Connection) -> bool:
    """Whether entries of an older program have still to be moved into the log."""
    if connection.audit_log == OWN_AUDIT_LOG:
        return False
    try:
        return await connection.fetch_one(f"SELECT 1 FROM {OWN_AUDIT_LOG} LIMIT 1") is not None  # noqa: S608  our own constant
    except MissingTableError:
        return False  # the old table was dropped
