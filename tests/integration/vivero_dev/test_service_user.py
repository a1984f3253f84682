from collections.abc import Iterator
from pathlib import Path

import pytest
from vivero_dev.instance import open_instance
from vivero_dev.processes import ProcessSpec, ProcessTable, User

LOOK = "ls /mnt > /mnt/seen; id -u >> /mnt/seen; grep CapEff /proc/self/status >> /mnt/seen; sleep 60"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessTable]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    table = ProcessTable(open_instance("viewer"))
    yield table
    table.stop("viewer")


def test_a_service_has_its_own_number_no_capability_and_its_own_view(table: ProcessTable, tmp_path: Path) -> None:
    view = tmp_path / "view"
    view.mkdir()
    view.chmod(0o777)
    (view / "here").touch()
    seen = view / "seen"
    table.ensure(
        ProcessSpec(
            "viewer",
            ["sh", "-c", LOOK],
            user=User(61999, 61999),
            binds=[(view, Path("/mnt"))],
            ready=lambda: seen.exists() and "CapEff" in seen.read_text(),
            deadline=20,
        )
    )
    lines = seen.read_text().split()
    assert "here" in lines
    assert "61999" in lines
    assert lines[-1] == "0000000000000000"
    assert not Path("/mnt/here").exists()
