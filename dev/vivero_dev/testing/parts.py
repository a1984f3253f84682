"""Which tests run beside which: the one place that decides it.

A test on a platform waits half of its time, for a pod, a browser, a service. So several processes of pytest run at once,
a lane each. On the shared platform every test has a tenant, a schema or a server of its own. Tests that stop, restart,
count or take what all others use carry the mark `alone`: they run one after the other on a second platform.

A new folder below tests/integration has to be named here; a test fails until it is.
"""

import math
from dataclasses import dataclass
from typing import Final

ALONE: Final = "alone"
"""The mark; pyproject.toml says what it means."""
FULL_FACTOR: Final = 6
TEST_SECONDS: Final = 240.0
"""For a test on the platform: the slowest, an operator among faults, needs a third of it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that a part, and each of its tests with its fixtures, may take: more is a failure.

    Both are some three times what two quiet cores need, so that a machine of half the speed, or one that does something
    else as well, passes; what grows beyond them has become slow. The sweeps of `--full` have no bound for a test.
    """

    part: float
    test: float

    def for_full(self) -> "Budget":
        return Budget(self.part * FULL_FACTOR, math.inf)


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest over these places; `marks` is its expression for which of their tests."""

    name: str
    places: tuple[str, ...]
    budget: Budget
    marks: str = ""
    processes: int = 1

    @property
    def alone(self) -> bool:
        """Runs on the second platform, where nothing else does."""
        return self.marks == ALONE


Lane = tuple[Part, ...]
"""One after the other. A process each: what one prepares for its whole run is gone before the next begins."""
Lanes = tuple[Lane, ...]
"""Beside each other."""


def _beside(name: str, seconds: float, *places: str) -> Part:
    return Part(name, places, Budget(seconds, TEST_SECONDS), f"not {ALONE}")


def _alone(name: str, seconds: float, *places: str, test: float = TEST_SECONDS) -> Part:
    return Part(name, places, Budget(seconds, test), ALONE)


_UNIT: Final = ("tests/unit", "tests/reconcile", "tests/faults")

_PEOPLE: Final = ("tests/e2e/control_plane", "tests/e2e/data_plane", "tests/e2e/pages", "tests/e2e/platform")
_OPERATION: Final = ("tests/e2e/recovery", "tests/e2e/observability")

WITHOUT_PLATFORM: Final[Lanes] = ((Part("unit tests", _UNIT, Budget(900, 90), processes=2),),)
"""Where there is no platform, or nobody waits for one."""

WITH_PLATFORM: Final[Lanes] = (
    (
        _beside("end to end", 1800, *_PEOPLE),
        _beside("integration, data plane", 2700, "tests/integration/data_plane"),
        _beside("integration, control plane", 1200, "tests/integration/control_plane"),
    ),
    (
        _beside("end to end, operation", 1800, *_OPERATION),
        _beside(
            "integration, others",
            2400,
            "tests/integration/backends",
            "tests/integration/charts",
            "tests/integration/operator",
            "tests/integration/isolation",
            "tests/integration/terraform",
            "tests/integration/vivero_dev",
            "tests/integration/web",
        ),
        # A process of its own, too, because it moves into the network of a Docker daemon of its own.
        _beside("integration, docker", 600, "tests/integration/docker"),
    ),
    (
        # One of them sets up a platform of its own, and rebuilds the other one there.
        _alone("end to end, alone", 2100, *_PEOPLE, *_OPERATION, test=900.0),
        _alone("integration, alone", 2700, "tests/integration"),
        Part("unit tests", _UNIT, Budget(2700, TEST_SECONDS)),
    ),
)
"""All tests, in lanes of about the same length: one test keeps a third of two processors busy."""
