"""What is said when data or keys of a tenant are gone."""

from typing import Final

_WAY_OUT: Final = "or accept the loss by setting spec.acceptDataLossAt to the value of status.dataLostAt"


def of_schema(database: str, server: str) -> str:
    return f"Data lost: schema {database} is missing on {server}. Restore it from a backup, {_WAY_OUT}"


def of_tables(database: str, server: str) -> str:
    return f"Data lost: schema {database} on {server} is empty. Restore it from a backup, {_WAY_OUT}"


def of_bucket(bucket: str) -> str:
    return f"Data lost: bucket {bucket} is missing. Restore it from a backup, {_WAY_OUT}"


def of_keys(ident: str) -> str:
    return (
        "Keys lost: the file encryption key is neither in Secret app of the namespace nor in the escrow, and files cannot"
        f" be decrypted without it. Restore Secret app or Secret escrow-{ident} from a backup, {_WAY_OUT}"
    )
