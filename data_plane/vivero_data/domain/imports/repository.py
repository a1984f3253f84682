"""SQL of imports. A batch's rows, its counts and what undoing it needs are written in one transaction."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.imports.schemas import Import, ImportOrder, ImportState, Mode, Reading
from vivero_data.lib.json import decode, encode

_PROBLEM: Final = 500  # characters
_SHOWN: Final = (
    "i.id, COALESCE(c.label, c.name, i.collection_name), i.makes, i.file_name, i.state, i.mode, i.key_name, i.dry_run,"
    " i.total, i.done, i.inserted, i.updated, i.unchanged, i.failed, i.kept, i.problem, i.created_by, i.created_at, i.ended_at,"
    " j.state, j.problem"
)
# A job that failed without a word of its own, or is forgotten, ends its import.
_FROM: Final = "imports i LEFT JOIN collections c ON c.id = i.collection_id LEFT JOIN jobs j ON j.id = i.job_id"


class NewImport(msgspec.Struct, frozen=True):
    """An import that is asked for."""

    user_id: int
    created_by: str
    collection_id: int | None
    collection_name: str
    file_id: str
    file_name: str
    file_size: int
    asks: bool
    mode: Mode
    key: str | None
    dry_run: bool
    mapping: Mapping[str, Any]


class Work(msgspec.Struct, frozen=True):
    """An import as the program that does it sees it."""

    id: int
    collection_id: int | None
    collection_name: str
    makes: bool
    file_id: str
    file_name: str
    file_size: int
    state: ImportState
    asks: bool
    mode: Mode
    key: str | None
    dry_run: bool
    mapping: Mapping[str, Any]
    reading: Reading | None
    last_row: int
    done: int
    inserted: int


class Counts(msgspec.Struct):
    """What became of the rows of a batch."""

    done: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0


async def insert(tx: Connection, new: NewImport) -> int:
    return await tx.insert(
        "INSERT INTO imports (user_id, created_by, collection_id, collection_name, makes, file_id, file_name, file_size,"
        " state, asks, mode, key_name, dry_run, mapping) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'waiting', %s, %s, %s, %s, %s)",
        new.user_id,
        new.created_by,
        new.collection_id,
        new.collection_name,
        new.collection_id is None,
        new.file_id,
        new.file_name,
        new.file_size,
        new.asks,
        new.mode.value,
        new.key,
        new.dry_run,
        encode(new.mapping),
    )


async def set_job(tx: Connection, import_id: int, job_id: int, state: ImportState) -> None:
    await tx.execute(
        "UPDATE imports SET job_id = %s, state = %s, problem = NULL, ended_at = NULL WHERE id = %s",
        job_id,
        state.value,
        import_id,
    )


async def order(tx: Connection, import_id: int, name: str, wanted: ImportOrder, mapping: Mapping[str, Any]) -> None:
    """Write what a person decided after seeing the plan."""
    await tx.execute(
        "UPDATE imports SET asks = FALSE, collection_name = %s, mode = %s, key_name = %s, dry_run = %s, mapping = %s WHERE id = %s",
        name,
        wanted.mode.value,
        wanted.key,
        wanted.dry_run,
        encode(mapping),
        import_id,
    )


async def get(connection: Connection, import_id: int, user_id: int | None, *, locked: bool = False) -> Import | None:
    """An import; with a user only if it is theirs."""
    row = await connection.fetch_one(
        f"SELECT {_SHOWN} FROM {_FROM} WHERE i.id = %s AND (%s IS NULL OR i.user_id = %s)"  # noqa: S608  fixed words
        + (" FOR UPDATE" if locked else ""),
        import_id,
        user_id,
        user_id,
    )
    return _import(row) if row else None


async def select_page(connection: Connection, user_id: int | None, limit: int, below: int | None) -> list[Import]:
    """Imports, newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_SHOWN} FROM {_FROM} WHERE (%s IS NULL OR i.user_id = %s) AND (%s IS NULL OR i.id < %s)"  # noqa: S608  fixed words
        " ORDER BY i.id DESC LIMIT %s",
        user_id,
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_import(row) for row in rows]


async def work(connection: Connection, import_id: int) -> Work | None:
    row = await connection.fetch_one(
        "SELECT id, collection_id, collection_name, makes, file_id, file_name, file_size, state, asks, mode, key_name,"
        " dry_run, mapping, reading, last_row, done, inserted FROM imports WHERE id = %s",
        import_id,
    )
    if row is None:
        return None
    (
        number,
        collection_id,
        name,
        makes,
        file_id,
        file_name,
        size,
        state,
        asks,
        mode,
        key,
        dry,
        mapping,
        reading,
        last,
        done,
        inserted,
    ) = row
    return Work(
        id=number,
        collection_id=collection_id,
        collection_name=name,
        makes=bool(makes),
        file_id=file_id,
        file_name=file_name,
        file_size=int(size),
        state=ImportState(state),
        asks=bool(asks),
        mode=Mode(mode),
        key=key,
        dry_run=bool(dry),
        mapping=decode(mapping),
        reading=None if reading is None else msgspec.json.decode(reading, type=Reading),
        last_row=int(last),
        done=int(done),
        inserted=int(inserted),
    )


async def begin(connection: Connection, import_id: int, attempt: int, state: ImportState) -> bool:
    """Take the import over for an attempt; False if a later one has it."""
    return bool(
        await connection.execute(
            "UPDATE imports SET attempt = %s, state = %s WHERE id = %s AND attempt <= %s",
            attempt,
            state.value,
            import_id,
            attempt,
        )
    ) or bool(await connection.fetch_one("SELECT id FROM imports WHERE id = %s AND attempt = %s", import_id, attempt))


async def begin_again_if_dry(connection: Connection, import_id: int) -> None:
    """A dry run begins anew with each attempt: nothing of the last one is left that a row could contradict."""
    changed = await connection.execute(
        "UPDATE imports SET last_row = 0, done = 0, inserted = 0, updated = 0, unchanged = 0, failed = 0"
        " WHERE id = %s AND dry_run",
        import_id,
    )
    if changed:
        await connection.execute("DELETE FROM import_batches WHERE import_id = %s", import_id)


async def set_reading(connection: Connection, import_id: int, attempt: int, reading: Reading) -> bool:
    """Store what the file holds; False if the attempt is stale."""
    return (
        await connection.execute(
            "UPDATE imports SET reading = %s, total = %s WHERE id = %s AND attempt = %s",
            encode(reading),
            reading.rows,
            import_id,
            attempt,
        )
        == 1
    )


async def set_collection(tx: Connection, import_id: int, attempt: int, collection_id: int) -> bool:
    """Note the collection that the import has made; False if the attempt is stale."""
    return (
        await tx.execute(
            "UPDATE imports SET collection_id = %s WHERE id = %s AND attempt = %s", collection_id, import_id, attempt
        )
        == 1
    )


async def advance(tx: Connection, import_id: int, attempt: int, last_row: int, counts: Counts) -> bool:
    """Move the checkpoint behind a batch; False if the attempt is stale."""
    return (
        await tx.execute(
            "UPDATE imports SET last_row = %s, done = done + %s, inserted = inserted + %s, updated = updated + %s,"
            " unchanged = unchanged + %s, failed = failed + %s WHERE id = %s AND attempt = %s",
            last_row,
            counts.done,
            counts.inserted,
            counts.updated,
            counts.unchanged,
            counts.failed,
            import_id,
            attempt,
        )
        == 1
    )


async def add_batch(tx: Connection, import_id: int, last_row: int, written: object, failures: list[Any]) -> None:
    """What undoing a batch needs, and its failed rows; nothing is written for a batch without either."""
    if written or failures:
        await tx.execute(
            "INSERT INTO import_batches (import_id, last_row, refused, written, failures) VALUES (%s, %s, %s, %s, %s)",
            import_id,
            last_row,
            len(failures),
            _packed(written) if written else None,
            _packed(failures) if failures else None,
        )


async def counts(connection: Connection, import_id: int) -> dict[str, int]:
    """What became of the rows so far."""
    row = await connection.fetch_one(
        "SELECT done, inserted, updated, unchanged, failed, kept FROM imports WHERE id = %s", import_id
    )
    names = ("done", "inserted", "updated", "unchanged", "failed", "kept")
    return dict(zip(names, map(int, row), strict=True)) if row else {}


async def end(tx: Connection, import_id: int, state: ImportState, problem: str | None = None) -> None:
    await tx.execute(
        "UPDATE imports SET state = %s, problem = %s, ended_at = CURRENT_TIMESTAMP(6) WHERE id = %s",
        state.value,
        None if problem is None else problem[:_PROBLEM],
        import_id,
    )


async def failures(connection: Connection, import_id: int, after: int) -> tuple[int, list[list[Any]]] | None:
    """The refused rows of the next batch that has some, and where it ends; None if there is no more."""
    row = await connection.fetch_one(
        "SELECT last_row, failures FROM import_batches WHERE import_id = %s AND last_row > %s AND refused > 0"
        " ORDER BY last_row LIMIT 1",
        import_id,
        after,
    )
    return None if row is None else (int(row[0]), unpacked(row[1]))


async def last_batch(tx: Connection, import_id: int) -> tuple[int, Any] | None:
    """The newest batch that is not undone: where it ends, and what it wrote."""
    row = await tx.fetch_one(
        "SELECT last_row, written FROM import_batches WHERE import_id = %s AND written IS NOT NULL"
        " ORDER BY last_row DESC LIMIT 1 FOR UPDATE",
        import_id,
    )
    return None if row is None else (int(row[0]), unpacked(row[1]))


async def written(connection: Connection, import_id: int, after: int) -> tuple[int, Any] | None:
    """The next batch that wrote something, and where it ends."""
    row = await connection.fetch_one(
        "SELECT last_row, written FROM import_batches WHERE import_id = %s AND last_row > %s AND written IS NOT NULL"
        " ORDER BY last_row LIMIT 1",
        import_id,
        after,
    )
    return None if row is None else (int(row[0]), unpacked(row[1]))


async def made(connection: Connection, import_id: int) -> list[list[int]]:
    """The ids of all records that the import added and are not taken back, as ranges."""
    ranges: list[list[int]] = []
    last: int | None = 0
    while last is not None:
        found = await written(connection, import_id, last)
        last = found[0] if found else None
        for first, end in found[1]["made"] if found else ():
            if ranges and ranges[-1][1] == first - 1:
                ranges[-1][1] = end
            else:
                ranges.append([first, end])
    return ranges


async def forget_written(tx: Connection, import_id: int, attempt: int, last_row: int, kept: int) -> bool:
    """Note that a batch is undone; False if the attempt is stale."""
    await tx.execute(
        "UPDATE import_batches SET written = NULL WHERE import_id = %s AND last_row = %s", import_id, last_row
    )
    await tx.execute("UPDATE imports SET kept = kept + %s WHERE id = %s", kept, import_id)
    return bool(
        await tx.fetch_one("SELECT id FROM imports WHERE id = %s AND attempt = %s FOR UPDATE", import_id, attempt)
    )


async def select_old(connection: Connection, before: datetime, batch: int) -> list[int]:
    """Imports older than `before`."""
    rows = await connection.fetch_all(
        "SELECT id FROM imports WHERE created_at < %s ORDER BY id LIMIT %s", clock.naive(before), batch
    )
    return [int(number) for (number,) in rows]


async def select_read_files(connection: Connection, before: datetime, batch: int) -> list[tuple[str, int]]:
    """Files, and their sizes, that no import reads any more: it ended, or nobody went on with it, before `before`."""
    rows = await connection.fetch_all(
        "SELECT f.id, f.size FROM files f LEFT JOIN imports i ON i.file_id = f.id WHERE f.source AND f.state = 'stored'"
        " AND f.created_at < %s AND (i.id IS NULL OR i.state = 'ready' OR i.ended_at < %s) LIMIT %s",
        clock.naive(before),
        clock.naive(before),
        batch,
    )
    return [(str(file_id), int(size)) for file_id, size in rows]


async def remove(tx: Connection, import_id: int) -> None:
    await tx.execute("DELETE FROM import_batches WHERE import_id = %s", import_id)
    await tx.execute("DELETE FROM imports WHERE id = %s", import_id)


def _packed(value: object) -> bytes:
    return zlib.compress(encode(value).encode(), 1)


def unpacked(content: bytes) -> Any:  # noqa: ANN401  what was packed
    return decode(zlib.decompress(content))


def _import(row: Row) -> Import:
    (number, collection, makes, file_name, state, mode, key, dry_run, total, done, inserted, updated, unchanged, failed,
     kept, problem, created_by, created_at, ended_at, job_state, job_problem) = row  # fmt: skip
    shown, said = ImportState(state), problem
    if shown in {ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING} and job_state in {
        None,
        "failed",
        "done",
    }:
        shown, said = (
            ImportState.FAILED,
            job_problem or "It was interrupted, and its job is gone. What it wrote can be undone.",
        )
    elif shown is ImportState.RUNNING and job_state == "waiting":
        said = job_problem  # why the last attempt failed
    return Import(
        id=int(number),
        state=shown,
        total=None if total is None else int(total),
        done=int(done),
        failed=int(failed),
        inserted=int(inserted),
        updated=int(updated),
        unchanged=int(unchanged),
        kept=int(kept),
        collection=collection,
        makes=bool(makes),
        file=file_name,
        mode=Mode(mode),
        key=key,
        dry_run=bool(dry_run),
        problem=said,
        created_by=created_by,
        created_at=clock.utc(created_at),
        ended_at=None if ended_at is None else clock.utc(ended_at),
    )
