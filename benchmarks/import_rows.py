"""Rows of a CSV file imported into a new collection, and loaded by LOAD DATA into a bare table like it, in one run.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    python benchmarks/import_rows.py --status status.json --rows 100000

The demo tenant's plan needs room for the records. The import is everything from the upload to the answer "done": sealed into
the bucket, read as a whole, typed, validated, written with what undoing it needs, and told. LOAD DATA gets the same file
into a table with the same columns and indexes on the same server. Then the import is undone.
"""

import csv
import io
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import pymysql
from figures import arguments, machine, print_table, read_status
from vivero_core.backends.tls import client_context
from vivero_data.domain.collections import definition
from vivero_data.domain.collections.columns import create_table
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_dev.localhost import local_client

COLUMNS = 20
POLL_SECONDS = 0.2


def content(rows: int) -> bytes:
    """Twenty columns: texts, numbers, whole numbers, dates, addresses and a choice, in the spelling that MariaDB reads."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([f"Column {number}" for number in range(COLUMNS)])
    for row in range(rows):
        day = f"2026-{row % 12 + 1:02}-{row % 28 + 1:02}"
        texts = [
            f"{name} {row * step % 99_991}"
            for step, name in enumerate(("Plant", "Pot", "Tool", "Soil", "Shelf", "Note"), 3)
        ]
        numbers = [f"{row * step % 100_000 / 100:.2f}" for step in (7, 11, 13, 17, 19)]
        whole = [str(row * step % 1_000_003) for step in (23, 29, 31, 37)]
        writer.writerow(
            [
                f"A-{row:07}",
                *texts,
                *numbers,
                *whole,
                day,
                day,
                f"c{row}@example.com",
                ("red", "green", "blue")[row % 3],
            ]
        )
    return text.getvalue().encode()


def ended(client: httpx.Client, at: str, headers: dict[str, str]) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = client.get(at, headers=headers).raise_for_status().json()
        if found["state"] in {"done", "failed", "undone"}:
            return found
        time.sleep(POLL_SECONDS)


def imported(client: httpx.Client, api: str, headers: dict[str, str], file: bytes) -> tuple[float, float, str]:
    """Seconds of the import and of its undo, and the statement that makes a table like the collection's."""
    name = f"Measured {time.time_ns()}"
    begun = time.monotonic()
    form = {"file": ("rows.csv", file, "text/csv")}
    made = client.post(f"{api}/imports", files=form, data={"name": name}, headers=headers).raise_for_status().json()
    at = f"{api}/imports/{made['id']}"
    done = ended(client, at, headers)
    took = time.monotonic() - begun
    if (done["state"], done["failed"]) != ("done", 0):
        raise SystemExit(f"the import came to {done}")
    fields = client.get(f"{api}/collections/{name}", headers=headers).raise_for_status().json()["fields"]
    begun = time.monotonic()
    client.post(f"{at}/undo", headers=headers).raise_for_status()
    undone = ended(client, at, headers)
    if undone["state"] != "undone":
        raise SystemExit(f"its undo came to {undone}")
    return took, time.monotonic() - begun, definition_of(fields)


def loaded(connection: pymysql.Connection, table: str, file: bytes) -> float:
    """Seconds of LOAD DATA into a table of this definition."""
    with connection.cursor() as cursor, tempfile.NamedTemporaryFile() as spool:
        spool.write(file)
        spool.flush()
        cursor.execute("CREATE DATABASE IF NOT EXISTS measured")
        cursor.execute("USE measured")
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute(table)
        cursor.execute("SHOW COLUMNS FROM bare")
        names = [name for name, *_ in cursor.fetchall() if name.startswith("f_")]
        cursor.execute("SELECT @@GLOBAL.local_infile")
        (allowed,) = cursor.fetchone() or (0,)
        cursor.execute("SET GLOBAL local_infile = ON")
        begun = time.monotonic()
        cursor.execute(
            f"LOAD DATA LOCAL INFILE '{spool.name}' INTO TABLE bare CHARACTER SET utf8mb4 FIELDS TERMINATED BY ','"
            f" OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n' IGNORE 1 LINES ({', '.join(names)})"
        )
        connection.commit()
        took = time.monotonic() - begun
        cursor.execute("SET GLOBAL local_infile = %s", (int(allowed),))
        cursor.execute("DROP DATABASE measured")
    return took


def definition_of(fields: list[dict[str, Any]]) -> str:
    """The statement that makes a table like a collection's with these fields."""
    made = [
        NewField(one["name"], FieldType(one["type"]), indexed=one["indexed"], choices=list(one["choices"]))
        for one in fields
    ]
    stored = [definition.as_field(one, number) for number, one in enumerate(made, 1)]
    return create_table(0, stored).replace("`c_0`", "bare")


def measure(  # noqa: PLR0913, PLR0917  both sides' addresses
    client: httpx.Client, api: str, headers: dict[str, str], server: dict[str, Any], tls: ssl.SSLContext, rows: int
) -> None:
    file = content(rows)
    took, undone, table = imported(client, api, headers, file)
    connection = pymysql.connect(
        host=server["host"],
        port=int(server["port"]),
        user=server["admin_user"],
        password=server["admin_password"],
        ssl=tls,
        local_infile=True,
    )
    with connection:
        bare = loaded(connection, table, file)
    print(f"\n{rows:,} rows of {COLUMNS} columns, {len(file) / 2**20:.1f} MiB; {machine()}\n")
    lines = {"LOAD DATA": bare, "import, from the upload to done": took, "its undo": undone}
    print_table(
        ["", "seconds", "rows a second", "ratio"],
        [[name, f"{one:.1f}", f"{rows / one:,.0f}", f"{one / bare:.2f}"] for name, one in lines.items()],
    )


def main() -> None:
    options = arguments(__doc__ or "", rows=100_000)
    status = read_status(options.status)
    demo, at = status["demo_tenant"], status["mariadb"]
    with local_client(Path(status["ca"]), timeout=120) as client:
        api = f"{demo['url'].rstrip('/')}/api/v1"
        login = {"email": demo["email"], "password": demo["password"]}
        told = client.post(f"{api}/auth/login", json=login).raise_for_status().json()
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        measure(client, api, headers, at, client_context(Path(status["ca"]).read_text()), options.rows)


if __name__ == "__main__":
    main()
