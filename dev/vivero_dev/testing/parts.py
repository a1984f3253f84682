"""Which tests run beside which: the one place that decides it.

A test on the platform waits half of its time, for a pod, a browser, a service. So two processes of pytest run at once,
a lane each, as long as their tests have a tenant, a schema or a server of their own. Tests that stop, restart, count or
take what all others use carry the mark `alone`; they come last, when nothing else runs on the platform.

A new folder below tests/integration has to be named here; a test fails until it is.
"""

from dataclasses import dataclass
from typing import Final

ALONE: Final = "alone"
"""The mark; pyproject.toml says what it means."""


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest over these places; `marks` is its expression for which of their tests."""

    name: str
    places: tuple[str, ...]
    marks: str = ""
    processes: int = 1


Lane = tuple[Part, ...]
"""One after the other. A process each: what one prepares for its whole run is gone before the next begins."""
Phase = tuple[Lane, ...]
"""Beside each other."""


def _beside(name: str, *places: str) -> Part:
    return Part(name, places, f"not {ALONE}")


WITHOUT_PLATFORM: Final[Phase] = (
    (Part("unit tests", ("tests/unit", "tests/reconcile", "tests/faults"), processes=2),),
)

WITH_PLATFORM: Final[tuple[Phase, ...]] = (
    (
        (
            # First, while the platform holds little but its demo tenant: what runs beside it makes no Tenants.
            _beside("end to end", "tests/e2e"),
            _beside(
                "integration, others",
                "tests/integration/backends",
                # These start API servers of their own, on ports that two processes would both choose.
                "tests/integration/charts",
                "tests/integration/operator",
                "tests/integration/isolation",
                "tests/integration/terraform",
                "tests/integration/vivero_dev",
                "tests/integration/web",
            ),
        ),
        (
            _beside("integration, data plane", "tests/integration/data_plane"),
            _beside("integration, control plane", "tests/integration/control_plane"),
        ),
    ),
    (
        (
            Part("end to end, alone", ("tests/e2e",), ALONE),
            Part("integration, alone", ("tests/integration",), ALONE),
        ),
    ),
)
