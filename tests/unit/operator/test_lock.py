"""What Object Lock keeps, and how programs learn of it."""

from datetime import UTC, datetime, timedelta

import pytest
from vivero_operator.archiver.lock import Lock, Retention, retention
from vivero_operator.settings import Settings

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LOCK = Lock("COMPLIANCE", 30)


@pytest.mark.parametrize(
    "key",
    [
        "abcdefghij/log/0ffff",
        "abcdefghij/backups/uid/dump.sql",
        "abcdefghij/files/a/b/c/etag",
        "platform/state/0ffff",
        "platform/log/0ffff",
    ],
)
def test_what_is_written_once_is_kept_for_all_days(key: str) -> None:
    assert retention(LOCK, key, NOW) == Retention("COMPLIANCE", NOW + timedelta(days=30))
    assert retention(None, key, NOW) is None


@pytest.mark.parametrize(
    "key", ["abcdefghij/trimmed", "platform/newest", "servers/uid/position", "erasures/abcdefghij.json", "log", ""]
)
def test_a_note_that_is_written_again_is_not_kept(key: str) -> None:
    assert retention(LOCK, key, NOW) is None


def test_programs_learn_of_it_by_their_environment() -> None:
    told = {one["name"]: one["value"] for one in LOCK.environment()}
    assert Lock.of(told) == LOCK
    assert Lock.of({}) is None


def test_it_lasts_as_long_as_the_window_of_recovery() -> None:
    assert Settings(data_plane_image="image:1").lock is None
    settings = Settings(data_plane_image="image:1", backup_lock="GOVERNANCE", recovery_days=21)
    assert settings.lock == Lock("GOVERNANCE", 21)
