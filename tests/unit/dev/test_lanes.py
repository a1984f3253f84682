"""Which tests run beside which, and what is told of them."""

import threading
from pathlib import Path

import pytest
from rich.console import Console
from vivero_dev.display import PlainDisplay
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.steps import Say
from vivero_dev.testing.lanes import run_phase
from vivero_dev.testing.output import failures, outcome, progress
from vivero_dev.testing.parts import WITH_PLATFORM, WITHOUT_PLATFORM, Part
from vivero_dev.testing.report import Report
from vivero_dev.testing.suite import ROOT

PASSED = """\
tests/a/test_one.py ...                                                  [  3%]
tests/a/test_two.py .......                                              [ 41%]
"""
FAILED = """\
tests/a/test_one.py .F                                                   [100%]

=================================== FAILURES ===================================
___________________________________ test_two ___________________________________
E   AssertionError
=========================== short test summary info ============================
FAILED tests/a/test_one.py::test_two
========================= 1 failed, 1 passed in 1.23s ==========================
"""


def part(name: str) -> Part:
    return Part(name, (f"tests/{name}",))


def display() -> PlainDisplay:
    return PlainDisplay(Console(quiet=True))


def test_every_test_is_in_one_part_or_in_one_beside_and_one_alone() -> None:
    parts = [one for phase in (WITHOUT_PLATFORM, *WITH_PLATFORM) for lane in phase for one in lane]
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        marks = [one.marks for one in parts if any(file.is_relative_to(ROOT / place) for place in one.places)]
        assert sorted(marks) in ([""], ["alone", "not alone"]), file


def test_what_is_alone_has_nothing_beside_it() -> None:
    for phase in WITH_PLATFORM:
        lanes_alone = [lane for lane in phase if any(one.marks == "alone" for one in lane)]
        assert not lanes_alone or len(phase) == 1


def test_names_and_so_folders_are_no_two_parts() -> None:
    names = [one.name for phase in (WITHOUT_PLATFORM, *WITH_PLATFORM) for lane in phase for one in lane]
    assert len(set(names)) == len(names)


def test_lanes_run_beside_each_other_and_parts_of_a_lane_after_each_other() -> None:
    meeting = threading.Barrier(2, timeout=10)
    seen: list[str] = []

    def run(one: Part, _: Say) -> str:
        if one.name in {"first", "other"}:
            meeting.wait()
        else:
            assert "first" in seen
        seen.append(one.name)
        return one.name

    results = run_phase(((part("first"), part("second")), (part("other"),)), run, display())
    assert [(one.stage, one.problem) for one in results] == [("first", ""), ("second", ""), ("other", "")]


def test_a_part_that_fails_lets_all_others_finish_and_the_report_tells_of_it() -> None:
    def run(one: Part, _: Say) -> str:
        if one.name == "first":
            raise ComponentError(one.name, "pytest exited with 1")
        return ""

    console = Console(quiet=True, record=True)
    report = Report(console)
    report.add(run_phase(((part("first"), part("second")), (part("other"),)), run, display()))
    assert [bool(one.problem) for one in report.results] == [True, False, False]
    assert not report.passed
    assert "pytest exited with 1" in report.results[0].problem


def test_a_failing_stage_is_told_and_the_next_still_runs() -> None:
    report = Report(Console(quiet=True, record=True, width=100))

    def fail() -> str:
        raise DevError("ruff found something")

    assert not report.run("ruff", fail)
    assert report.run("mypy", lambda: "fine")
    assert not report.passed
    assert [bool(result.problem) for result in report.results] == [True, False]
    assert report.table().row_count == 2


@pytest.mark.parametrize(("text", "said"), [("", ""), ("collecting ...", ""), (PASSED, "41 %"), (FAILED, "100 %")])
def test_progress_is_what_the_output_says_last(tmp_path: Path, text: str, said: str) -> None:
    log = tmp_path / "output.log"
    log.write_text(text)
    assert progress(log) == said


def test_of_a_failed_run_the_failures_are_shown_and_how_it_ended() -> None:
    shown = failures(FAILED)
    assert shown.startswith("====")
    assert "test_two" in shown
    assert "100%" not in shown
    assert outcome(FAILED) == "1 failed, 1 passed in 1.23s"


def test_of_a_run_that_broke_off_the_end_is_shown() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    assert failures(text).endswith("line 999")
    assert "line 0\n" not in failures(text)
    assert outcome(text) == ""
