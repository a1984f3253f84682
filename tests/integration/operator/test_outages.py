"""A server is away in the middle of 20 signups: none is lost, it is not hammered, and all is well a minute after.

In every run the API server for a quarter of a minute; the whole, with `-m full`, is ten minutes of each.
"""

import asyncio
import itertools
import logging
import time
from dataclasses import dataclass

import pytest
from faults.gate import Gate
from faults.plan import Outage
from faults.rig import Rig, eventually
from faults.scenarios import born, create, new_slug, prepare_signup, ready, retire
from faults.state import Names, diff, inventory, orphans
from integration.operator.rigged import GONE_SECONDS, nothing_left

pytestmark = pytest.mark.asyncio(loop_scope="module")
logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 15.0
WHOLE_SECONDS = 600.0
BACK_SECONDS = 180.0  # patience: how soon it was is logged, and docs/performance.md holds it against the goal
PACE_SECONDS = 1.0
BEFORE, DURING, AFTER = 5, 10, 5

FIRST_SECONDS = 3.0
"""What was under way when the server went may still meet it; from then on one attempt a second in all."""
UNDER_WAY = 40
"""Connections in those first seconds: six calls to a backing server, or every watch and write that broke."""
WINDOW_SECONDS = 5.0


@dataclass(frozen=True)
class Figures:
    """What an outage was like for the server that was away."""

    first: int
    """Connections in the first seconds."""
    later: int
    most: int
    """Connections in the worst window after the first seconds."""

    @classmethod
    def of(cls, gate: Gate, begin: float, end: float) -> "Figures":
        later = gate.between(begin + FIRST_SECONDS, end)
        most = max((len(gate.between(at, min(at + WINDOW_SECONDS, end))) for at in later), default=0)
        return cls(len(gate.between(begin, begin + FIRST_SECONDS)), len(later), most)


async def sign_up(rig: Rig, count: int) -> list[Names]:
    """So many, at a steady pace."""
    made = []
    for _ in range(count):
        slug = new_slug()
        await prepare_signup(rig, slug)
        made.append(await create(rig, slug))
        await asyncio.sleep(PACE_SECONDS)
    return made


async def all_ready(rig: Rig, tenants: list[Names]) -> bool:
    return all([await ready(rig, names) for names in tenants])


CASES = [
    ("kubernetes", Outage.DOWN, SAMPLE_SECONDS),
    *(
        pytest.param(service, outage, WHOLE_SECONDS, marks=pytest.mark.full)
        for service, outage in (
            ("mariadb", Outage.DOWN),
            ("mariadb", Outage.SILENT),
            ("valkey", Outage.DOWN),
            ("s3", Outage.DOWN),
            ("kubernetes", Outage.DOWN),
            ("kubernetes", Outage.SILENT),
        )
    ),
]


@pytest.mark.parametrize(("service", "outage", "seconds"), CASES)
async def test_an_outage_in_the_middle_of_signups(rig: Rig, service: str, outage: Outage, seconds: float) -> None:
    """The API server is away for the operator alone: what is signed up meanwhile, it finds when that is back."""
    before = await inventory(rig.kube, rig.servers)
    pattern = await born(rig, new_slug())
    expected = await rig.collector.collect(pattern)
    gate, starts = rig.gates[service], rig.operator.starts

    early = await sign_up(rig, BEFORE)
    begin = time.monotonic()
    await gate.fail(outage)
    meanwhile = await sign_up(rig, DURING)
    await asyncio.sleep(begin + seconds - time.monotonic())
    end = time.monotonic()
    await gate.heal()
    late = await sign_up(rig, AFTER)
    everyone = [*early, *meanwhile, *late]
    await eventually(lambda: all_ready(rig, everyone), end + BACK_SECONDS - time.monotonic(), pause=0.5)
    back = time.monotonic() - end

    figures = Figures.of(gate, begin, end)
    logger.warning("%s %s %.0f s: %s, all ready %.1f s after its return", service, outage, seconds, figures, back)
    assert figures.first <= UNDER_WAY
    assert figures.later <= seconds - FIRST_SECONDS
    assert figures.most <= WINDOW_SECONDS

    assert rig.operator.starts == starts, "kubelet's pauses between restarts would outlast the outage"
    assert orphans(await inventory(rig.kube, rig.servers), before, {names.id for names in [*everyone, pattern]}) == {}
    for names in (early[-1], meanwhile[0], meanwhile[-1], late[-1]):
        assert diff(expected, await rig.collector.collect(names)) == []
    assert rig.complaints([]) == []
    for names in itertools.chain(everyone, [pattern]):
        await retire(rig, names)
    await eventually(lambda: nothing_left(rig, before), GONE_SECONDS)
