"""A part of the tests is a run of pytest with a budget: what fails, what takes too long, and what is kept."""

import signal
from pathlib import Path

import pytest
from vivero_dev.errors import ComponentError
from vivero_dev.steps import silently
from vivero_dev.testing import ending
from vivero_dev.testing import suite as suite_module
from vivero_dev.testing.durations import Duration, beyond, durations, slowest
from vivero_dev.testing.output import failures, outcome, progress
from vivero_dev.testing.parts import Budget, Part
from vivero_dev.testing.suite import Suite

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
AMPLE = Budget(60, 60)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, whose tests take what the test says."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = full\n")
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(suite_module, "ROOT", tmp_path)
    monkeypatch.setattr(suite_module, "LOOK_SECONDS", 0.1)
    # Of all plugins only the one that is asked for: importing them takes longer than these tests.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_cov.plugin")
    monkeypatch.setenv("PYTHONPATH", str(Path(suite_module.__file__).parents[2]))
    return tmp_path


def ran(root: Path, tests: str, budget: Budget, *, full: bool = False, expression: str | None = None) -> str:
    (root / "test_own.py").write_text(tests)
    part = Part("a part", ("test_own.py",), budget)
    return Suite(root / "results", expression, full=full).pytest(part, {}, silently)


def test_a_part_says_how_it_ended_and_leaves_its_output_and_durations(root: Path) -> None:
    assert ran(root, "def test_one(): pass\n", AMPLE).startswith("1 passed")
    kept = root / "results" / "a-part"
    assert "1 passed" in (kept / "output.log").read_text()
    assert (kept / ".coverage").exists()
    assert [one.name for one in durations(kept / "junit.xml")] == ["test_own.py::test_one"]
    suite = Suite(root / "results")
    assert "test_own.py::test_one" in suite.keep_durations([Duration(1.5, "mypy")])
    assert "mypy" in (root / "results" / "durations.txt").read_text()


def test_a_run_that_is_not_measured_leaves_no_coverage(root: Path) -> None:
    (root / "test_own.py").write_text("def test_one(): pass\n")
    Suite(root / "results", measured=False).pytest(Part("a part", ("test_own.py",), AMPLE), {}, silently)
    assert not (root / "results" / "a-part" / ".coverage").exists()


def test_modules_are_compiled_once_whatever_the_machine_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    tests = "import sys\ndef test_one(): assert not sys.dont_write_bytecode\n"
    assert ran(root, tests, AMPLE).startswith("1 passed")


def test_a_failure_is_shown_with_its_words(root: Path) -> None:
    with pytest.raises(ComponentError, match="seven is no prime"):
        ran(root, "def test_one(): raise AssertionError('seven is no prime')\n", AMPLE)


def test_a_test_that_takes_longer_than_its_budget_fails_its_part(root: Path) -> None:
    tests = "def test_slow():\n    import time\n    time.sleep(0.01)\n"
    with pytest.raises(ComponentError, match=r"test_own\.py::test_slow"):
        ran(root, tests, Budget(60, 0))
    assert ran(root, tests, Budget(60, 0), full=True).startswith("1 passed"), "sweeps have no bound"


def test_a_part_that_takes_longer_than_its_budget_is_ended(root: Path) -> None:
    tests = "def test_hangs():\n    import time\n    time.sleep(3600)\n"
    with pytest.raises(ComponentError, match="took longer than 2 s") as caught:
        ran(root, tests, Budget(2, 2))
    assert caught.value.log == root / "results" / "a-part" / "output.log"


def test_a_run_is_ended_as_by_a_person() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        ending.pytest_configure()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_expression_need_not_match_in_every_part(root: Path) -> None:
    assert ran(root, "def test_one(): pass\n", AMPLE, expression="nothing_of_this_name") == "nothing matches"
    with pytest.raises(ComponentError):
        ran(root, "", AMPLE)


def test_durations_are_read_slowest_first_by_names_that_pytest_takes(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    assert durations(junit) == []
    junit.write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.unit.test_a" name="test_one[x-1]" time="0.500" />
        <testcase classname="tests.unit.test_b.TestRead" name="test_two" time="2.000"><failure>no</failure></testcase>
        </testsuite></testsuites>"""
    )
    found = durations(junit)
    assert found == [
        Duration(2.0, "tests/unit/test_b.py::TestRead::test_two"),
        Duration(0.5, "tests/unit/test_a.py::test_one[x-1]"),
    ]
    assert beyond(found, 0.5) == found[:1]
    assert beyond(found, 2.0) == []
    assert slowest(reversed(found)) == found


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
