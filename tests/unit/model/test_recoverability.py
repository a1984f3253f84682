"""Settings that would lose data are each told by name."""

from datetime import UTC, datetime, timedelta

import pytest
from vivero_core.model.recoverability import KEPT_SECONDS, VARIABLES, kept_until, shortcomings

WHOLE = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_checksum": "CRC32",
    "sync_binlog": "1",
    "innodb_flush_log_at_trx_commit": "1",
    "binlog_expire_logs_seconds": "259200",
    "log_bin_trust_function_creators": "ON",
}


def test_a_whole_log_has_none() -> None:
    assert shortcomings(WHOLE) == []
    assert set(WHOLE) == set(VARIABLES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_bin", "OFF"),
        ("binlog_format", "MIXED"),
        ("binlog_format", "STATEMENT"),
        ("binlog_row_image", "MINIMAL"),
        ("binlog_row_image", "NOBLOB"),
        ("binlog_checksum", "NONE"),
        ("sync_binlog", "0"),
        ("log_bin_trust_function_creators", "OFF"),
        ("sync_binlog", "100"),
        ("innodb_flush_log_at_trx_commit", "2"),
        ("innodb_flush_log_at_trx_commit", "0"),
        ("binlog_expire_logs_seconds", str(KEPT_SECONDS - 1)),
        ("binlog_expire_logs_seconds", ""),
    ],
)
def test_each_that_would_lose_data_is_named(name: str, value: str) -> None:
    (told,) = shortcomings(WHOLE | {name: value})
    assert told.startswith(f"{name} is {value}")


@pytest.mark.parametrize("name", VARIABLES)
def test_what_a_server_does_not_say_counts_as_wrong(name: str) -> None:
    (told,) = shortcomings({key: value for key, value in WHOLE.items() if key != name})
    assert told.startswith(f"{name} is unknown")


@pytest.mark.parametrize(
    ("changed", "days"),
    [
        ({}, 3),
        ({"binlog_expire_logs_seconds": "1209600"}, 14),
        ({"binlog_expire_logs_seconds": "0"}, None),
        ({"binlog_expire_logs_seconds": ""}, None),
        ({"log_bin": "OFF"}, None),
    ],
)
def test_until_when_a_server_has_its_own_log(changed: dict[str, str], days: int | None) -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    assert kept_until(WHOLE | changed, at) == (at + timedelta(days) if days is not None else None)


def test_a_log_that_is_never_removed_is_kept_long_enough() -> None:
    assert shortcomings(WHOLE | {"binlog_expire_logs_seconds": "0"}) == []
