"""What reports of errors take in a workspace's program: memory and processor, ours beside Sentry's library.

    PYTHONPATH=web:core:operator:data_plane:tests python benchmarks/error_reports.py

Each side is a process of its own that has loaded what a pod has, raises the same error REPORTS times, thirty calls deep,
and reports it to a server in this process. Sentry's library goes without any of its integrations.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from statistics import median

import psutil
from figures import machine, print_table
from vivero_core.error_reports.dsn import read
from vivero_core.error_reports.reporter import Program, Reporter
from vivero_data import lean

REPORTS = 50
ROUNDS = 3
PAUSE_SECONDS = 0.02
_DEPTH = 30
_PACE = 1000
"""Times faster the reporter's minute goes, so that none is over its bound."""


def ours(address: str) -> tuple[Callable[[Exception], object], Callable[[], object]]:
    reporter = Reporter(lambda: read(address), Program("vivero-data-plane"), lambda: time.monotonic() * _PACE)
    return (lambda error: reporter.report("failed", "error", error)), reporter.close


def library(address: str) -> tuple[Callable[[Exception], object], Callable[[], object]]:
    import sentry_sdk  # noqa: PLC0415  what loading it takes is measured

    sentry_sdk.init(address, default_integrations=False, include_local_variables=False)
    return sentry_sdk.capture_exception, sentry_sdk.flush


SIDES = {"ours": ours, "Sentry's library": library}


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError


def measure(side: str, address: str) -> None:
    """Prints MiB and seconds."""
    lean.apply()
    for module in ("vivero_data.main", "vivero_data.app", "uvicorn"):
        import_module(module)
    lean.end_of_imports()
    me = psutil.Process()
    memory, processor = me.memory_full_info().uss, time.process_time()
    report, close = SIDES[side](address)
    for _ in range(REPORTS):
        try:
            fail(_DEPTH)
        except ValueError as error:
            report(error)
        time.sleep(PAUSE_SECONDS)
    close()
    print((me.memory_full_info().uss - memory) / 2**20, time.process_time() - processor)


def measured(side: str) -> tuple[float, float]:
    from support.reports import taking_reports  # noqa: PLC0415  reads by Sentry's library, which the sides must not have yet

    with taking_reports() as sentry:
        words = [sys.executable, "-W", "ignore", __file__, side, sentry.dsn]
        said = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603  our own program
    if len(sentry.events) != REPORTS:
        raise SystemExit(f"{side}: {len(sentry.events)} reports arrived of {REPORTS}")
    memory, processor = map(float, said.stdout.split())
    return memory, processor


def main() -> None:
    print(machine())
    rows = []
    for side in SIDES:
        rounds = [measured(side) for _ in range(ROUNDS)]
        memory, processor = (median(column) for column in zip(*rounds, strict=True))
        rows.append((side, f"{memory:.1f} MiB", f"{processor:.2f} s"))
    print_table(("", "memory", "processor"), rows)


if __name__ == "__main__":
    measure(*sys.argv[1:]) if sys.argv[1:] else main()
