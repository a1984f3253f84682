import json
from pathlib import Path

import pytest
from vivero_data.domain.limits import service
from vivero_data.domain.limits.service import LimitService, refusal
from vivero_data.errors import SettingsError


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


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"plan": "x", "records": -1}', '{"plan": "x", "records": "many"}'])
def test_a_broken_file_leaves_the_last_good_plan(path: Path, broken: str) -> None:
    limits = LimitService(path)
    path.write_text(broken)
    assert limits.current.records == 10
    path.write_text(json.dumps({"plan": "starter"}))
    assert limits.current.plan == "starter"


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
