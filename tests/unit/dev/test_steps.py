import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from vivero_dev.display import LiveDisplay, PlainDisplay, make_display
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.steps import Say, Step, StepFailedError, run_steps


@dataclass
class Recorder:
    events: list[tuple[str, str]] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def started(self, step: str) -> None:
        self.events.append(("started", step))

    def said(self, step: str, text: str) -> None:
        self.events.append((text, step))

    def finished(self, step: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.events.append((outcome, step))

    def failed(self, step: str, seconds: float) -> None:
        assert seconds >= 0
        self.events.append(("failed", step))

    def progressed(self, share: float, left: float) -> None:
        assert left >= 0
        self.shares.append(share)


def test_a_step_waits_for_what_it_needs() -> None:
    seen: list[str] = []

    def note(name: str) -> Step:
        def run(_: Say) -> str:
            seen.append(name)
            return name

        return Step(name, run, {"c": ("a", "b")}.get(name, ()))

    display = Recorder()
    times = run_steps([note("a"), note("b"), note("c")], display)
    assert seen[-1] == "c"
    assert display.shares[-1] == 1.0
    assert {time.name for time in times} == {"a", "b", "c"}


def test_independent_steps_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(_: Say) -> str:
        meeting.wait()
        return "met"

    run_steps([Step("a", meet), Step("b", meet)], Recorder())


def test_a_failure_names_step_and_object_and_shows_the_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    reached: list[str] = []

    def fail(_: Say) -> str:
        raise ComponentError("Deployment vivero-system/vivero-operator", "ImagePullBackOff", log)

    def unreached(_: Say) -> str:
        reached.append("charts")
        return ""

    display = Recorder()
    with pytest.raises(StepFailedError) as caught:
        run_steps([Step("operator", fail), Step("charts", unreached, ("operator",))], display)
    text = str(caught.value)
    assert "operator failed: Deployment vivero-system/vivero-operator: ImagePullBackOff" in text
    assert "line 99" in text
    assert "line 1\n" not in text
    assert not reached
    assert ("failed", "operator") in display.events


def test_what_runs_beside_a_failure_is_awaited() -> None:
    released = threading.Event()

    def fail(_: Say) -> str:
        released.set()
        raise DevError("no")

    def slow(_: Say) -> str:
        assert released.wait(10)
        return "finished"

    display = Recorder()
    with pytest.raises(StepFailedError):
        run_steps([Step("slow", slow), Step("fail", fail)], display)
    assert ("finished", "slow") in display.events


@pytest.mark.parametrize(
    "steps",
    [[("a", ("b",)), ("b", ())], [("a", ()), ("a", ())], [("a", ("missing",))]],
)
def test_an_order_that_cannot_be_followed_is_refused(steps: list[tuple[str, tuple[str, ...]]]) -> None:
    with pytest.raises(DevError):
        run_steps([Step(name, lambda _: "", needs) for name, needs in steps], Recorder())


def counted(say: Say) -> str:
    for number in range(3):
        say(f"compiling [etcd], {number} of 3", number / 3)
    return "built"


def test_plain_lines_say_what_happened() -> None:
    console = Console(force_terminal=False, width=40, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123  closed below
    with make_display(console) as display:
        assert isinstance(display, PlainDisplay)
        run_steps([Step("tools", counted)], display)
        display.failed("other", 1.0)
    console.file.close()
    text = console.export_text()
    assert "tools: begins" in text
    assert text.count("tools: compiling [etcd]") == 1
    assert "(built)" in text
    assert "other: FAILED" in text


def test_a_terminal_gets_a_live_display_unless_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=80, record=True, quiet=True)
    monkeypatch.setenv("CI", "true")
    assert isinstance(make_display(console), PlainDisplay)
    monkeypatch.delenv("CI")
    with make_display(console) as display:
        assert isinstance(display, LiveDisplay)
        display.started("tools")
        display.said("tools", "compiling")
        display.progressed(0.5, 90.0)
        display.finished("tools", "built", 1.0)
        display.started("other")
        display.failed("other", 2.0)
