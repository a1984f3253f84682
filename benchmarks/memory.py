"""Resident memory of idle pods: every tenant's data plane, the operator, the control plane.

    ./vivero status --json > status.json
    sudo python benchmarks/memory.py --status status.json

Reads /proc of the node, which with both local providers is this machine: the
processes whose cgroup holds the container's id. RSS counts a page shared by
two processes twice; PSS shares it out.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import arguments, machine, percentile, print_table, read_status
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import POD

PROC = Path("/proc")
GOALS = {"vivero-data-plane": 70.0, "vivero-operator": 150.0}  # MiB resident
NAME = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Usage:
    """MiB of all processes of one pod."""

    rss: float
    pss: float


def processes_of(container_ids: set[str]) -> list[Path]:
    found = []
    for folder in PROC.glob("[0-9]*"):
        try:
            groups = (folder / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if any(ident in groups for ident in container_ids):
            found.append(folder)
    return found


def usage(processes: list[Path]) -> Usage:
    totals: dict[str, float] = defaultdict(float)
    for folder in processes:
        for line in (folder / "smaps_rollup").read_text().splitlines():
            field, _, value = line.partition(":")
            if field in {"Rss", "Pss"}:
                totals[field] += int(value.split()[0]) / 1024
    return Usage(totals["Rss"], totals["Pss"])


def container_ids(pod: Object) -> set[str]:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return {status["containerID"].partition("://")[2] for status in statuses if "running" in status["state"]}


async def pods(status: dict[str, Any]) -> list[Object]:
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        listing = await kube.list(
            POD, label_selector=f"{NAME} in (vivero-data-plane,vivero-operator,vivero-control-plane)"
        )
    return [pod for pod in listing.items if container_ids(pod)]


def main() -> None:
    options = arguments(__doc__ or "")
    by_program: dict[str, list[Usage]] = defaultdict(list)
    for pod in asyncio.run(pods(read_status(options.status))):
        by_program[pod["metadata"]["labels"][NAME]].append(usage(processes_of(container_ids(pod))))
    rows = [
        [
            name,
            str(len(usages)),
            f"{percentile([one.rss for one in usages], 0.5):.1f} MiB",
            f"{max(one.rss for one in usages):.1f} MiB",
            f"{max(one.pss for one in usages):.1f} MiB",
            f"{GOALS[name]:.0f} MiB" if name in GOALS else "",
        ]
        for name, usages in sorted(by_program.items())
    ]
    print(f"{machine()}\n")
    print_table(["program", "pods", "RSS p50", "largest RSS", "largest PSS", "goal (RSS)"], rows)


if __name__ == "__main__":
    main()
