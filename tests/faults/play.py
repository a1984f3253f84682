"""Plays a plan and holds its end against the same scenario undisturbed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from faults.plan import Fault, Plan
from faults.proxy import Entry
from faults.rig import CONVERGE_SECONDS, Rig
from faults.scenarios import SCENARIOS, Done, new_slug, retire
from faults.state import Names, State, diff

_JOURNAL_LINES = 60


@dataclass
class Book:
    """The end states of undisturbed runs, each made when first needed."""

    rig: Rig
    ends: dict[str, State] = field(default_factory=dict)

    async def undisturbed(self, name: str) -> State:
        if name not in self.ends:
            scenario, slug = SCENARIOS[name], new_slug()
            names = await scenario.act(self.rig, slug, await scenario.prepare(self.rig, slug))
            await _until(lambda: scenario.done(self.rig, names))
            writes = await self.rig.writes_at_rest(names) if name != "death" else []
            assert not writes, f"undisturbed {name} is not at rest: {list(map(str, writes))}"
            self.ends[name] = await self.rig.collector.collect(names)
            await retire(self.rig, names)
        return self.ends[name]


async def _until(check: Callable[[], Awaitable[bool]], seconds: float = CONVERGE_SECONDS) -> bool:
    """Whether it came true in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await check():  # noqa: ASYNC110  the API server is asked, no one tells
                await asyncio.sleep(0.2)
    except TimeoutError:
        return False
    return True


async def play(book: Book, plan: Plan) -> list[Fault]:
    """The faults that struck; AssertionError with the plan, its seed and the journal when the end is another."""
    rig, scenario, slug = book.rig, SCENARIOS[plan.scenario], new_slug()
    expected = await book.undisturbed(plan.scenario)
    before = await scenario.prepare(rig, slug)
    credentials = await rig.collector.credentials(before.id) if before else None
    mark = len(rig.proxy.journal)
    async with rig.disturbed(plan.faults, before) as director:
        names = await scenario.act(rig, slug, before)
        problems = await differences(rig, names, expected, scenario.done)
    if not problems and credentials and plan.scenario != "death":
        problems = diff(credentials, await rig.collector.credentials(names.id))
    if not problems and plan.scenario != "death":
        problems = [f"at rest: {entry}" for entry in await rig.writes_at_rest(names)]
    met = [fault for fault, _ in director.met]
    rig.tally.played(met, problems)
    assert not problems, _story(plan, problems, rig.proxy.journal[mark:], director.foreign)
    await retire(rig, names)
    return met


async def differences(rig: Rig, names: Names, expected: State, done: Done) -> list[str]:
    """What is other than in the undisturbed run once time is up; empty as soon as nothing is."""
    seen: list[str] = ["never done"]

    async def same() -> bool:
        if await done(rig, names):
            seen[:] = diff(expected, await rig.collector.collect(names))
        return not seen

    await _until(same)
    return seen


def _story(plan: Plan, problems: Sequence[str], calls: Sequence[Entry], spared: Iterable[str]) -> str:
    journal = [str(entry) for entry in calls if entry.call.counts and not entry.call.mentions(spared)]
    lines = [f"plan ({plan})", *problems, "", "journal:", *journal[-_JOURNAL_LINES:]]
    return "\n".join(lines)
