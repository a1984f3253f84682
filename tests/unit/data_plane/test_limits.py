import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.limits import service
from vivero_data.domain.limits.service import Limits, LimitService, refusal, require_confirmed
from vivero_data.errors import OwnerUnconfirmedError, SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "limits.json"
    file.write_text(json.dumps({"plan": "trial", "records": 10, "users": 5, "requests_per_minute": 100}))
    return file


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_STAT_SECONDS", 0.0)


def test_what_is_absent_is_unlimited(path: Path) -> None:
    limits = LimitService(path).current
    assert (limits.plan, limits.records, limits.storage_bytes) == ("trial", 10, None)


def test_a_new_plan_counts_without_a_restart(path: Path) -> None:
    limits = LimitService(path)
    path.write_text(json.dumps({"plan": "starter", "records": 50_000}))
    assert limits.current.plan == "starter"
    assert limits.current.records == 50_000


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{",
        "[]",
        '{"plan": "x", "records": -1}',
        '{"plan": "x", "records": "many"}',
        '{"plan": "x", "trial_ends_at": "soon"}',
        '{"plan": "x", "trial_ends_at": "2026-12-22T00:00:00"}',
    ],
)
def test_a_broken_file_leaves_the_last_good_plan(path: Path, broken: str) -> None:
    limits = LimitService(path)
    path.write_text(broken)
    assert limits.current.records == 10
    path.write_text(json.dumps({"plan": "starter"}))
    assert limits.current.plan == "starter"


def test_a_trial_has_an_end_that_may_be_moved_or_taken_away(path: Path) -> None:
    limits = LimitService(path)
    assert limits.current.trial_ends_at is None
    for text, end in (
        ("2026-12-22T00:00:00Z", datetime(2026, 12, 22, tzinfo=UTC)),
        ("2027-01-05T12:30:00.5+02:00", datetime(2027, 1, 5, 10, 30, 0, 500_000, tzinfo=UTC)),
        (None, None),
    ):
        path.write_text(json.dumps({"plan": "trial", "trial_ends_at": text}))
        assert limits.current.trial_ends_at == end


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS))  # noqa: DTZ001  Hypothesis adds it
def test_any_end_that_is_written_is_read_as_it_was_meant(moment: datetime) -> None:
    text = json.dumps({"plan": "trial", "trial_ends_at": moment.isoformat()})
    assert msgspec.json.decode(text, type=Limits).trial_ends_at == moment


def test_a_file_that_is_gone_leaves_the_last_good_plan(path: Path) -> None:
    limits = LimitService(path)
    path.unlink()
    assert limits.current.records == 10


def test_a_start_without_a_plan_says_so(path: Path) -> None:
    path.write_text("{}")
    with pytest.raises(SettingsError, match=str(path)):
        LimitService(path)


def test_a_refusal_says_what_and_how_to_go_on(path: Path) -> None:
    error = refusal("records", LimitService(path).current, 10)
    assert error.status == 402
    assert "trial" in error.detail
    assert "10 records" in error.detail
    assert "upgrade" in error.detail


def test_until_the_owner_has_confirmed_nothing_is_mailed_to_others(path: Path) -> None:
    limits = LimitService(path)
    require_confirmed(limits.current)
    path.write_text(json.dumps({"plan": "trial", "confirm_url": "https://vivero.example/confirm/again?workspace="}))
    with pytest.raises(OwnerUnconfirmedError):
        require_confirmed(limits.current)
