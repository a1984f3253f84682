import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance
from vivero_dev.processes import ProcessSpec, ProcessTable, Running, is_alive, start_time, stop_process


@pytest.fixture
def table(instance: Instance) -> Iterator[ProcessTable]:
    table = ProcessTable(instance)
    yield table
    for running in table.strays():
        stop_process(running, grace=0)


SLEEP = ProcessSpec("sleeper", ["sleep", "60"])


def test_a_process_is_started_once_and_found_again(table: ProcessTable, instance: Instance) -> None:
    first = table.ensure(SLEEP)
    assert table.ensure(SLEEP) == first
    assert ProcessTable(instance).find("sleeper") == first
    assert [running.pid for running in table.running()] == [first.pid]


def test_a_changed_specification_starts_it_anew(table: ProcessTable) -> None:
    first = table.ensure(SLEEP)
    second = table.ensure(replace(SLEEP, revision="other configuration"))
    assert second.pid != first.pid
    assert not is_alive(first)


def test_stopping_ends_it_and_says_whether_it_ran(table: ProcessTable) -> None:
    running = table.ensure(SLEEP)
    assert table.stop("sleeper")
    assert not is_alive(running)
    assert not table.stop("sleeper")


def test_a_process_deaf_to_term_is_killed(table: ProcessTable, tmp_path: Path) -> None:
    sign = tmp_path / "deaf"
    code = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(sign)!r}).touch(); time.sleep(60)"
    )
    running = table.ensure(ProcessSpec("deaf", [sys.executable, "-c", code], ready=sign.exists, deadline=20))
    assert table.stop("deaf", grace=0.2)
    assert not is_alive(running)


def test_a_recycled_number_is_never_ours(table: ProcessTable, instance: Instance) -> None:
    own = start_time(os.getpid())
    assert own is not None
    stored = {"name": "x", "pid": os.getpid(), "started": own - 1, "fingerprint": ""}
    (instance.run_dir / "x.pid").write_text(json.dumps(stored))
    assert table.find("x") is None
    assert not table.stop("x")


def test_exiting_before_ready_fails_at_once_with_the_log(table: ProcessTable) -> None:
    spec = ProcessSpec("broken", ["sh", "-c", "echo no config; sleep 0.1; exit 3"], ready=lambda: False, deadline=30)
    with pytest.raises(ComponentError, match="exited before it was ready") as caught:
        table.ensure(spec)
    assert caught.value.log is not None
    assert "no config" in caught.value.log.read_text()


def test_never_ready_ends_at_the_deadline(table: ProcessTable) -> None:
    with pytest.raises(ComponentError, match="not ready within"):
        table.ensure(replace(SLEEP, ready=lambda: False, deadline=0.2))


def test_a_stray_without_pid_file_is_found_by_its_mark(table: ProcessTable, instance: Instance) -> None:
    running = table.ensure(SLEEP)
    (instance.run_dir / "sleeper.pid").unlink()
    assert table.find("sleeper") is None
    assert [stray.pid for stray in table.strays()] == [running.pid]


def test_a_process_that_is_gone_has_no_start_time() -> None:
    assert start_time(2**22 + 1) is None
    assert not is_alive(Running("gone", 2**22 + 1, 1))
