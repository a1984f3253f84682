"""A new record with its rights, limits and audit entry, beside the bare commit of the same row, in one run.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    PYTHONPATH=web:core:data_plane python benchmarks/one_record.py --status status.json

The program's part of a request is measured, from the values to the record, in turn with a transaction that inserts the
same row over the same pool: who is first changes each time. HTTP comes on top. The rows have the twenty fields of
benchmarks/lists.py; five of them have an index.
"""

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from figures import arguments, machine, percentile, print_table, read_status
from lists import FIELDS, OWNER, filled, in_a_schema_of_its_own
from vivero_data.db.database import Database
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.records.service import RecordService
from vivero_data.lib.json import encode

GIVEN: dict[FieldType, Any] = {
    FieldType.TEXT: "Some words of a text",
    FieldType.LONG_TEXT: "Called about a delivery.\n" * 4,
    FieldType.CHOICE: "open",
    FieldType.NUMBER: "12.5",
    FieldType.INTEGER: 12,
    FieldType.DATE: "2026-11-30",
    FieldType.BOOLEAN: True,
}
VALUES = {name: GIVEN[kind] for name, (kind, _, _) in FIELDS.items()}


async def measured(database: Database, records: int, rounds: int) -> None:
    access = await filled(database, records)
    columns = ", ".join(column_name(field) for field in access.whole.fields)
    places = ", ".join("%s" for _ in access.whole.fields)
    sql = f"INSERT INTO {table_name(access.whole.id)} ({columns}) VALUES ({places})"  # noqa: S608  our own words
    row = [VALUES[field.name] for field in access.whole.fields]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as limits:
        limits.write(encode({"plan": "trial"}))
        limits.flush()
        service = RecordService(database, LimitService(Path(limits.name)))

        async def program() -> None:
            await service.create(OWNER, access.whole.name, VALUES)

        async def bare() -> None:
            async with database.transaction() as tx:
                await tx.execute(sql, *row)

        taken = await in_turn({"bare commit": bare, "program": program}, rounds)
    print(f"\n{records:,} records of {len(FIELDS)} fields before, {rounds} new ones each; {machine()}\n")
    base = percentile(taken["bare commit"], 0.5)
    print_table(
        ["", "p50", "p95", "ratio of p50"],
        [
            [
                name,
                *(f"{1000 * percentile(each, share):.2f} ms" for share in (0.5, 0.95)),
                f"{percentile(each, 0.5) / base:.2f}",
            ]
            for name, each in taken.items()
        ],
    )


async def in_turn(ways: dict[str, Callable[[], Awaitable[None]]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each; the first round, which prepares statements, does not count."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, work in list(ways.items())[:: -1 if number % 2 else 1]:
            begun = time.perf_counter()
            await work()
            taken[name].append(time.perf_counter() - begun)
    return {name: each[1:] for name, each in taken.items()}


def main() -> None:
    options = arguments(__doc__ or "", records=10_000, rounds=1000)
    in_a_schema_of_its_own(
        read_status(options.status), lambda database: measured(database, options.records, options.rounds)
    )


if __name__ == "__main__":
    main()
