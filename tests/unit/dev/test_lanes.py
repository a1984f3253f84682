"""Which tests run beside which, and what is told of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console
from vivero_dev.display import PlainDisplay
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.steps import Say
from vivero_dev.testing.lanes import run_lanes
from vivero_dev.testing.parts import WITH_PLATFORM, WITHOUT_PLATFORM, Budget, Lanes, Part
from vivero_dev.testing.report import Report
from vivero_dev.testing.suite import ROOT


def part(name: str) -> Part:
    return Part(name, (f"tests/{name}",), Budget(1, 1))


def display() -> PlainDisplay:
    return PlainDisplay(Console(quiet=True))


def parts_of(lanes: Lanes) -> list[Part]:
    return [one for lane in lanes for one in lane]


def test_every_test_is_in_one_part_or_in_one_beside_and_one_alone() -> None:
    parts = parts_of(WITH_PLATFORM)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        marks = [one.marks for one in parts if any(file.is_relative_to(ROOT / place) for place in one.places)]
        assert sorted(marks) in ([""], ["alone", "not alone"]), file


def test_what_needs_no_platform_is_the_same_without_one() -> None:
    places = {place for one in parts_of(WITHOUT_PLATFORM) for place in one.places}
    assert {place for one in parts_of(WITH_PLATFORM) if not one.marks for place in one.places} == places


def test_what_is_alone_runs_one_after_the_other() -> None:
    (lane,) = [lane for lane in WITH_PLATFORM if any(one.alone for one in lane)]
    assert all(one.marks == "alone" and one.processes == 1 for one in lane if one.alone)


def test_names_and_so_folders_are_no_two_parts() -> None:
    names = [one.name for one in parts_of(WITH_PLATFORM)]
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

    results = run_lanes(((part("first"), part("second")), (part("other"),)), run, display())
    assert [(one.stage, one.problem) for one in results] == [("first", ""), ("second", ""), ("other", "")]


def test_a_part_that_fails_lets_all_others_finish_and_the_report_tells_of_it() -> None:
    def run(one: Part, _: Say) -> str:
        if one.name == "first":
            raise ComponentError(one.name, "pytest exited with 1")
        return ""

    console = Console(quiet=True, record=True)
    report = Report(console)
    report.add(run_lanes(((part("first"), part("second")), (part("other"),)), run, display()))
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


def test_a_run_that_is_interrupted_begins_no_further_part(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    running, leaving = threading.Event(), threading.Event()

    class Pool(ThreadPoolExecutor):
        """Says when the run waits for what still runs."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  its signature
            leaving.set()
            super().shutdown(wait, cancel_futures=cancel_futures)

    def run(part: Part, say: Say) -> str:  # noqa: ARG001
        begun.append(part.name)
        if part.name == "interrupted":
            assert running.wait(20)
            raise KeyboardInterrupt
        running.set()
        assert leaving.wait(20)
        return ""

    monkeypatch.setattr("vivero_dev.testing.lanes.ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        run_lanes(((part("interrupted"),), (part("running"), part("next"))), run, display())
    assert sorted(begun) == ["interrupted", "running"]
