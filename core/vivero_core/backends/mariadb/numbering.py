"""Lets a server that was set up anew count its transactions on from where a lost one was (ADR 0047).

Archived logs are compared by these numbers: what has one that is archived already would be taken for archived.
"""

from typing import Final

from pymysql.cursors import Cursor

AHEAD: Final = 1_000_000
"""What the lost server may have committed behind the last transaction that is known of it, at most."""


def current(cursor: Cursor) -> tuple[int, str]:
    """The domain in which the server counts, and its last transactions in all domains, with commas between."""
    cursor.execute("SELECT @@gtid_domain_id, @@gtid_binlog_pos")
    row = cursor.fetchone()
    assert row is not None  # noqa: S101  a SELECT of variables has one
    return int(row[0]), str(row[1] or "")


def number_in(position: str, domain: int) -> int:
    """Of the last transaction of this domain; 0 if there is none."""
    found = (gtid.split("-") for gtid in position.split(",") if gtid)
    return next((int(parts[2]) for parts in found if int(parts[0]) == domain), 0)


def proceed(cursor: Cursor, number: int) -> None:
    """Give the next transaction this number. It changes nothing: what is logged only has rights read again."""
    cursor.execute("SET SESSION gtid_seq_no = %s", (number,))
    cursor.execute("FLUSH PRIVILEGES")
