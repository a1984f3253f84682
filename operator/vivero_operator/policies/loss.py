"""What is said when data or keys of a tenant are gone."""

from typing import Final

_WAY_OUT: Final = "or give it up with spec.acceptDataLossAt, set to the value of status.dataLostAt"


def of_schema(database: str, server: str) -> str:
    return f"Schema {database} held data and is gone from {server}. Restore it from a backup, {_WAY_OUT}"


def of_tables(database: str, server: str) -> str:
    return f"Schema {database} on {server} held data and is empty. Restore it from a backup, {_WAY_OUT}"


def of_bucket(bucket: str) -> str:
    return f"Bucket {bucket} held data and is gone. Restore it from a backup, {_WAY_OUT}"


def of_keys(ident: str) -> str:
    return (
        "The key of this tenant's files is neither in Secret app of its namespace nor in the escrow, and files cannot be"
        f" read without it. Restore Secret app or Secret escrow-{ident} from a backup, {_WAY_OUT}"
    )
