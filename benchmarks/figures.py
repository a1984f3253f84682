"""What the benchmarks share: the status file, percentiles, the machine, a table."""

import argparse
import json
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def arguments(description: str, **options: int | str) -> argparse.Namespace:
    """`--status` and one option for each name, with its default and of its type."""
    parser = argparse.ArgumentParser(description=description)
    default = os.environ.get("VIVERO_STATUS")
    parser.add_argument(
        "--status",
        type=Path,
        default=default,
        required=default is None,
        help="output of ./vivero status --json, as a file",
    )
    for name, value in options.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args()


def read_status(path: Path) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(path.read_text())
    return status


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: a value that was really measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: Sequence[float]) -> dict[str, float]:
    return {"p50": percentile(values, 0.50), "p95": percentile(values, 0.95), "max": max(values)}


def machine() -> str:
    """Kernel, cores, memory: enough to tell whether two runs can be compared."""
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {gibibytes:.0f} GiB"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As Markdown, so that it goes into docs/performance.md as it is."""
    for row in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(row) + " |")
