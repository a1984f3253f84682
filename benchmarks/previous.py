"""This commit beside an earlier one, in one run: signup, bind, many tenants, memory.

    git worktree add ../before <commit>
    (cd ../before && ./vivero up --instance before --pool 0 --requests-per-minute 6000)
    (cd ../before && ./vivero status --instance before --json) > before.json
    ./vivero up --pool 0 --requests-per-minute 6000
    ./vivero status --json > status.json
    sudo python benchmarks/previous.py --status status.json --before before.json --tenants 1000

Both platforms are up all the time, and one is at rest while the other is
measured, in turn, so that both see the same machine. Many tenants are made on
simulated pods (simulated_node.py); everything else is real.

Each side should run as many replicas of the operator as the other: one that
stands by follows every watch too, on the same processors.

    kubectl --namespace vivero-system scale deployment vivero-operator --replicas=1
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import at_rest
import memory
from any_kind import AnyKindClient
from figures import arguments, machine, percentile, print_table, read_status
from many_tenants import erase_tenants, make_tenants
from signup import erase, sign_up
from simulated_node import simulated_node
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_dev.localhost import local_client
from warm_signup import Run, pool, watch_binds

HEAD = ["", "before", "now", "ratio"]
SPARES = 2
SECONDS_APART = 8.0  # a claim's refill is over by then


@dataclass
class Side:
    """One of the two platforms, and what was measured on it."""

    name: str
    status: dict[str, Any]
    kube: AnyKindClient
    signups: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    run: Run = field(default_factory=Run)
    many: list[float] = field(default_factory=list)
    operator: list[float] = field(default_factory=list)
    data_plane: list[float] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    async def sign_up(self) -> float:
        """Seconds to the first authenticated answer."""
        with local_client(Path(self.status["ca"]), timeout=30.0) as client:
            found = await asyncio.to_thread(sign_up, client, self.status["control_plane_url"])
        self.made.append(found.tenant)
        return found.seconds

    async def look_at_memory(self) -> None:
        self.operator.append(await at_rest.resident(self.kube))
        for pod in await memory.pods(self.status):
            if pod["metadata"]["labels"][memory.NAME] == "vivero-data-plane":
                self.data_plane.append(memory.usage(memory.processes_of(memory.container_ids(pod))).rss)

    async def clean_up(self) -> None:
        await erase(self.kube, self.made)
        self.made.clear()


async def in_turn(sides: Sequence[Side], rounds: int, once: Callable[[Side], Awaitable[None]]) -> None:
    """Who begins changes each time."""
    for number in range(rounds):
        for side in sides if number % 2 else sides[::-1]:
            await once(side)


async def cold(side: Side) -> None:
    side.signups.append(await side.sign_up())


async def warm(side: Side) -> None:
    side.warm.append(await side.sign_up())
    await asyncio.sleep(SECONDS_APART)


async def many(side: Side, count: int, concurrency: int) -> None:
    async with simulated_node(side.kube, side.status):
        side.many.append(await make_tenants(side.kube, count, concurrency))
        side.operator.append(await at_rest.resident(side.kube))
        figures = f"{count} tenants after {side.many[-1]:.1f} s, the operator's memory {side.operator[-1]:.0f} MiB"
        print(f"{side.name}: {figures}", flush=True)
        await erase_tenants(side.kube)


async def signups(sides: Sequence[Side], rounds: int) -> None:
    await in_turn(sides, rounds + 1, cold)  # the first of each pays for what is loaded once
    for side in sides:
        del side.signups[0]
        await side.look_at_memory()
        await side.clean_up()
    async with AsyncExitStack() as stack:
        watching = [asyncio.create_task(watch_binds(side.kube, side.run)) for side in sides]
        for side in sides:
            await stack.enter_async_context(pool(side.kube, SPARES))
        await in_turn(sides, rounds, warm)
        for task in watching:
            task.cancel()
    for side in sides:
        await side.clean_up()


def rows(before: Side, now: Side) -> list[list[str]]:
    """Of each figure both values and their ratio: above one, this commit is slower or larger."""
    measured = {
        "signup without a spare, p50": (before.signups, now.signups, 0.5, "s"),
        "signup without a spare, p95": (before.signups, now.signups, 0.95, "s"),
        "signup from a spare, p50": (before.warm, now.warm, 0.5, "s"),
        "signup from a spare, p95": (before.warm, now.warm, 0.95, "s"),
        "bind, p50": (before.run.binds, now.run.binds, 0.5, "s"),
        "bind, p95": (before.run.binds, now.run.binds, 0.95, "s"),
        "many tenants, until all are ready, best": (before.many, now.many, 0.01, "s"),
        "many tenants, until all are ready, worst": (before.many, now.many, 1.0, "s"),
        "operator that leads, resident, at its largest": (before.operator, now.operator, 1.0, "MiB"),
        "data plane, resident, p50": (before.data_plane, now.data_plane, 0.5, "MiB"),
    }
    return [
        [
            name,
            f"{(a := percentile(old, share)):.3g} {unit}",
            f"{(b := percentile(new, share)):.3g} {unit}",
            f"{b / a:.2f}",
        ]
        for name, (old, new, share, unit) in measured.items()
        if old and new
    ]


async def run(options: Any) -> tuple[Side, Side]:  # noqa: ANN401  argparse's
    files = {"before": Path(options.before), "now": options.status}
    async with AsyncExitStack() as stack:
        sides = []
        for name, path in files.items():
            status = read_status(path)
            config = from_kubeconfig(Path(status["kubeconfig"]))
            kube = await stack.enter_async_context(AnyKindClient(config, field_manager="vivero-benchmark"))
            sides.append(Side(name, status, kube))
        await signups(sides, options.rounds)
        # The many take long, and what was found so far is not to be lost with them.
        print_table(HEAD, rows(*sides))
        await in_turn(sides, options.turns, lambda side: many(side, options.tenants, options.concurrency))
    return sides[0], sides[1]


def main() -> None:
    options = arguments(__doc__ or "", before="before.json", rounds=20, tenants=300, turns=2, concurrency=12)
    before, now = asyncio.run(run(options))
    print(f"\n{options.rounds} signups of each sort, {options.tenants} tenants {options.turns} times; {machine()}\n")
    print_table(HEAD, rows(before, now))


if __name__ == "__main__":
    main()
