"""Each kind of list of a large collection, by the program and by bare SQL, in one run.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    PYTHONPATH=web:core:data_plane python benchmarks/lists.py --status status.json --records 1000000

A schema of its own on the platform's MariaDB is filled by SQL and dropped afterwards. The program's part of a request is
measured, from its query to its page, in turn with the statement alone on the same connection; HTTP comes on top. A list
that the program refuses with advice counts with the time of the refusal.
"""

import asyncio
import json
import secrets
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from figures import arguments, machine, percentile, print_table, read_status
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import client as mariadb
from vivero_core.backends.tls import client_context
from vivero_core.model import naming
from vivero_data.db.database import Connection, Database
from vivero_data.db.schema import ensure_current
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import NewCollection, NewField
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.records import lists
from vivero_data.domain.records.access import Access, access_of
from vivero_data.domain.records.indexing import keys_of, statement
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib import cursors
from vivero_data.settings import DatabaseSecret

OWNER = Actor(1, "owner@example.com", "Olive", Role.OWNER)
FILLED = 50_000  # records of one statement
# By field: its type, whether it has an index, and its value for the number `seq`.
FIELDS = {
    "Company": (FieldType.TEXT, True, "CONCAT('Company ', seq * 7919 % 100003)"),
    "City": (FieldType.TEXT, False, "CONCAT('City ', seq % 997)"),
    "Note": (FieldType.LONG_TEXT, False, "CONCAT('Called on day ', seq % 365, ' about delivery ', seq)"),
    "State": (FieldType.CHOICE, True, "ELT(1 + seq % 5, 'new', 'open', 'paid', 'late', 'lost')"),
    "Amount": (FieldType.NUMBER, True, "seq * 31 % 1000003 / 100"),
    "Weight": (FieldType.NUMBER, False, "seq * 17 % 99991 / 10"),
    "Pieces": (FieldType.INTEGER, False, "seq * 13 % 5003"),
    "Due": (FieldType.DATE, True, "DATE_ADD('2020-01-01', INTERVAL seq % 3000 DAY)"),
    "Paid": (FieldType.BOOLEAN, False, "seq % 3 = 0"),
    **{f"Text {number}": (FieldType.TEXT, False, f"CONCAT('Value {number} of ', seq)") for number in range(1, 7)},
    **{f"Number {number}": (FieldType.INTEGER, False, f"seq * {number} % 10007") for number in range(1, 6)},
}
PAGE_50_000 = 50_000 * 50
LISTS = {
    "as they were made": RecordQuery(),
    "sorted, index": RecordQuery(sort="-Amount"),
    "sorted and filtered, indexes": RecordQuery(sort="-Amount", filters=("State:eq:late",)),
    "filtered by a day, index": RecordQuery(filters=("Due:eq:2021-03-04",)),
    "sorted, no index": RecordQuery(sort="Weight"),
    "sorted by two, no index": RecordQuery(sort="City,-Pieces"),
    "filtered, no index, nothing found": RecordQuery(filters=("City:eq:nowhere",)),
    "filtered, no index, many found": RecordQuery(filters=("Pieces:gt:10",)),
    "contains, many found": RecordQuery(filters=("Note:contains:delivery",)),
    "contains, nothing found": RecordQuery(filters=("Note:contains:nowhere",)),
    "search of two words, some found": RecordQuery(search="city 99"),
    "search, nothing found": RecordQuery(search="nowhere"),
}


def main() -> None:
    options = arguments(__doc__ or "", records=100_000, rounds=40)
    in_a_schema_of_its_own(
        read_status(options.status), lambda database: measured(database, options.records, options.rounds)
    )


def in_a_schema_of_its_own(status: dict[str, Any], measure: Callable[[Database], Awaitable[None]]) -> None:
    """Run what measures with a workspace's tables, which are dropped afterwards."""
    authority = Path(status["ca"]).read_text()
    at = status["mariadb"]
    admin = mariadb.MariaDbAdmin(
        mariadb.Server(at["host"], int(at["port"]), authority), Credentials(at["admin_user"], at["admin_password"])
    )
    ident = naming.tenant_id(str(uuid.uuid4()))
    schema = naming.database_name(ident)
    login = Credentials(naming.database_users(ident)[0], secrets.token_urlsafe(24))
    admin.ensure_database(schema)
    admin.ensure_user(login, schema, 10)
    secret = DatabaseSecret(login.name, login.secret, at["host"], int(at["port"]), schema)

    async def opened() -> None:
        database = Database(secret, client_context(authority), 4)
        await database.open(20)
        try:
            await ensure_current(database)
            await measure(database)
        finally:
            await database.close()

    try:
        asyncio.run(opened())
    finally:
        admin.drop_database(schema)
        admin.drop_users(schema)
        admin.close()


async def measured(database: Database, records: int, rounds: int) -> None:
    access = await filled(database, records)
    async with database.patient(3600) as connection:
        await connection.execute("SET SESSION max_statement_time = 0")
        before = await table(connection, access, rounds)
        await connection.execute(statement(access.whole, keys_of(access.whole, ("City", "-Pieces"))))
        after = await timed(rounds, lambda: lists.page(connection, access, LISTS["sorted by two, no index"]))
    print(f"\n{records:,} records of {len(FIELDS)} fields, {rounds} rounds; {machine()}\n")
    print_table(["p95 of the first page", "program", "bare SQL", ""], before)
    print(f"\nSorted by two, once the index that was offered is there: {shown(after)}")


async def filled(database: Database, records: int) -> Access:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as limits:
        json.dump({"plan": "trial"}, limits)
        limits.flush()
        fields = [
            NewField(
                name,
                kind,
                indexed=indexed,
                choices=["new", "open", "paid", "late", "lost"] if kind is FieldType.CHOICE else [],
            )
            for name, (kind, indexed, _) in FIELDS.items()
        ]
        await CollectionService(database, LimitService(Path(limits.name))).create(
            OWNER, NewCollection("Orders", fields)
        )
    async with database.patient(3600) as connection:
        await connection.execute("SET SESSION max_statement_time = 0")
        made = (await access_of(connection, OWNER, "Orders")).whole
        names = ", ".join(column_name(field) for field in made.fields)
        values = ", ".join(value for _, _, value in FIELDS.values())
        for start in range(1, records + 1, FILLED):
            end = min(start + FILLED - 1, records)
            await connection.execute(
                f"INSERT INTO {table_name(made.id)} ({names}) SELECT {values} FROM seq_{start}_to_{end}"  # noqa: S608  our own words
            )
        await connection.execute(f"ANALYZE TABLE {table_name(made.id)}")
        await connection.execute("UPDATE collections SET records = %s WHERE id = %s", records, made.id)
        return await access_of(connection, OWNER, "Orders")


async def table(connection: Connection, access: Access, rounds: int) -> list[list[str]]:
    rows = []
    for name, query in LISTS.items():
        said = ""
        try:
            await lists.page(connection, access, query)
        except lists.SlowListError as error:
            said = (
                f"refused: index on {', '.join(error.advice.index)}"
                if error.advice.index
                else "refused: no index helps"
            )
        rows.append([name, *await both(connection, access, query, rounds, slow=bool(said)), said])
    last = await connection.fetch_one(
        f"SELECT id FROM {table_name(access.whole.id)} ORDER BY id LIMIT 1 OFFSET %s",  # noqa: S608  names from numbers
        min(PAGE_50_000, access.records - 100),
    )
    deep = RecordQuery(cursor=cursors.encode(cursors.Cursor("", int(last[0]) if last else 0)))
    return [*rows, ["page 50,000, or the last", *await both(connection, access, deep, rounds, slow=False), ""]]


async def both(connection: Connection, access: Access, query: RecordQuery, rounds: int, *, slow: bool) -> list[str]:
    """p95 of the program and of its statement, in turn; of what takes seconds three rounds of the statement do."""
    asked: list[tuple[str, tuple[object, ...]]] = []
    fetch = connection.fetch_all

    async def noted(sql: str, *params: object) -> Any:  # noqa: ANN401  rows
        asked.append((sql, params))
        return await fetch(sql, *params)

    connection.fetch_all = noted  # type: ignore[method-assign]  # to see the statement
    try:
        await quietly(lambda: lists.page(connection, access, query))
    finally:
        connection.fetch_all = fetch  # type: ignore[method-assign]  # as it was
    sql, params = asked[0]
    bare = sql.partition(" FOR ")[2] if sql.startswith("SET STATEMENT") else sql
    program = await timed(rounds, lambda: lists.page(connection, access, query))
    return [shown(program), shown(await timed(3 if slow else rounds, lambda: fetch(bare, *params)))]


async def timed(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await quietly(work)
        taken.append(time.perf_counter() - begun)
    return percentile(taken, 0.95)


async def quietly(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except lists.SlowListError:
        return


def shown(seconds: float) -> str:
    return f"{1000 * seconds:,.1f} ms"


if __name__ == "__main__":
    main()
