"""A person with kubectl or with a server's login changes something of a tenant that is well: it is as before in a minute.

All at once, each on a tenant of its own, so that one is also seen not to disturb the others. The operator looks at tenants
every ten minutes here, as by default: what it finds sooner, watches, polling and surveys have told it.
"""

import asyncio
import random
import traceback
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from faults import sizes
from faults.flows import FLOWS
from faults.hands import HANDS, Hand
from faults.looks import REST_SECONDS, told
from faults.plan import WRITES
from faults.play import differences
from faults.rig import Rig, eventually
from faults.scenarios import born, clean_up, discard, new_slug, ready, retire
from faults.state import Names, diff
from vivero_core.backends.kube.resources import PLAN
from vivero_core.errors import BackendError
from vivero_core.model.constants import Reason

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIG_SETTINGS: dict[str, str] = {}
SAMPLE_OF_FLOWS = (
    "schema lost and given up",
    "keys lost, record restored",
    "kubectl rollout restart",
    "finalizer stripped, deleted on request",
    "from enterprise to trial",
    "from trial to professional",
)
SAMPLE = sorted(random.Random(12).sample(sorted(HANDS), 5))  # noqa: S311  a seeded sample
PARTS = 4
"""More at once would not be ready within a minute."""
QUIET_SECONDS = 25.0
EVENT_SECONDS = 10.0


async def suffer(rig: Rig, hand: Hand, names: Names) -> list[str]:
    """What is not as it was a minute after; empty when all is well."""
    before = await rig.collector.collect(names)
    credentials = await rig.collector.credentials(names.id)
    await hand.act(rig, names)
    problems = await differences(rig, names, before, ready)
    kept = await rig.collector.credentials(names.id)
    if hand.told and not problems:
        problems += diff(credentials, kept)
        try:
            await eventually(lambda: told(rig, names, Reason.DRIFT_CORRECTED), EVENT_SECONDS)
        except TimeoutError:
            problems.append("no event")
    return problems


async def suffer_all(rig: Rig, chosen: Sequence[str]) -> str:
    """What was not right, for people; empty when all was."""
    tenants = await asyncio.gather(*(born(rig, new_slug()) for _ in chosen))
    await asyncio.sleep(REST_SECONDS)
    found = await asyncio.gather(
        *(suffer(rig, HANDS[what], names) for what, names in zip(chosen, tenants, strict=True))
    )
    mark = len(rig.proxy.journal)
    await asyncio.sleep(QUIET_SECONDS)
    lines = []
    for what, names, problems in zip(chosen, tenants, found, strict=True):
        # Nor is anything corrected that is right.
        problems += [f"then {one}" for one in rig.calls(names, mark) if one.call.verb in WRITES]
        lines += [f"{what} ({names.tenant}, {names.id}): {one}" for one in problems]
        rig.tally.hands += 1
        await retire(rig, names)
    return "\n".join(lines)


async def go_through(rig: Rig, name: str) -> str:
    """What was not right; empty when all was."""
    try:
        await FLOWS[name](rig)
    except (AssertionError, BackendError, TimeoutError):
        return f"{name}: {traceback.format_exc()}"
    finally:
        rig.tally.hands += 1
    return ""


async def test_some_hands(rig: Rig) -> None:
    """Those of a sample, step by step or not, at the same time."""
    found = await asyncio.gather(suffer_all(rig, SAMPLE), *(go_through(rig, name) for name in SAMPLE_OF_FLOWS))
    problems = "\n".join(filter(None, found))
    assert not problems, problems


@pytest.mark.full
@pytest.mark.parametrize("name", FLOWS)
async def test_every_flow(rig: Rig, name: str) -> None:
    await FLOWS[name](rig)
    rig.tally.hands += 1


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def plans_of_the_chart(rig: Rig) -> AsyncIterator[None]:
    for plan in sizes.PLANS.values():
        await rig.kube.create(plan)
    yield
    await clean_up(rig)
    for plan in sizes.PLANS.values():
        await discard(rig, PLAN, plan["metadata"]["name"])


@pytest.mark.full
@pytest.mark.parametrize("part", range(PARTS))
async def test_every_hand(rig: Rig, part: int) -> None:
    problems = await suffer_all(rig, sorted(HANDS)[part::PARTS])
    assert not problems, problems
