from faults.plan import Action, Fault
from faults.report import Tally

KILL, LOSE = Fault(Action.KILL_BEFORE), Fault(Action.LOSE)


def test_what_was_tried_and_what_came_of_it() -> None:
    tally = Tally()
    tally.played([KILL, LOSE], [])
    tally.played([KILL], ["Service x.spec: undisturbed None, now {}", "Secret x.data: undisturbed 1, now 2"])
    tally.played([], [])
    tally.orphans = 3
    assert list(tally.lines()) == [
        "plans played       2, and 1 that no fault struck",
        "converged          1 (50 %)",
        "leaves walked      0",
        "hands              0",
        "differences        2, duplicates 1",
        "orphans            3",
        "faults that struck 3",
        "  kill before      2",
        "  lose             1",
    ]


def test_nothing_tried_is_not_called_a_success() -> None:
    assert "converged          0 (none)" in Tally().lines()
