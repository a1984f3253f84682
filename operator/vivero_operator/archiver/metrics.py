"""Metrics of the archiver, as Prometheus reads them; not by its client, which takes more than a MiB.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Metric:
    """One number. One thread writes it."""

    kind: str
    """`counter`, which only grows, or `gauge`."""
    name: str
    says: str
    value: float = 0.0

    def inc(self, by: float = 1.0) -> None:
        self.value += by

    def set(self, value: float) -> None:
        self.value = value

    def now(self) -> float:
        """The value to tell."""
        return float(self.value)

    def __str__(self) -> str:
        return f"# HELP {self.name} {self.says}\n# TYPE {self.name} {self.kind}\n{self.name} {self.now()}\n"


@dataclass
class Age(Metric):
    """Seconds that go on growing while nothing sets them: also of what never began."""

    clock: Callable[[], float] = time.monotonic
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def set(self, value: float) -> None:
        self.value, self.since = value, self.clock()

    def now(self) -> float:
        return self.value + self.clock() - self.since


BYTES = Metric("counter", "vivero_archiver_read_bytes_total", "Bytes of the server's binary log that were read")
GROUPS = Metric("counter", "vivero_archiver_groups_total", "Transactions of tenants that were read")
SEGMENTS = Metric("counter", "vivero_archiver_segments_total", "Segments that were stored")
LAG = Age("gauge", "vivero_archiver_lag_seconds", "How old the newest moment is to which a tenant can be restored")
GAPS = Metric("counter", "vivero_archiver_gaps_total", "Parts of the log that the server no longer had")
KEYS_MISSING = Metric("gauge", "vivero_archiver_keys_missing", "Tenants whose part of the log waits for their key")
LOSSES = Metric(
    "counter", "vivero_archiver_losses_total", "Parts of a tenant's log that were given up, for no key of it came"
)
STOPPED = Metric("gauge", "vivero_archiver_stopped", "1 while the log has something that cannot be archived")
_ALL: Final = (BYTES, GROUPS, SEGMENTS, LAG, GAPS, KEYS_MISSING, LOSSES, STOPPED)


def text() -> bytes:
    """All of them, and what Prometheus' own clients say of a process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    process = (
        Metric("gauge", "process_resident_memory_bytes", "Resident memory", pages * os.sysconf("SC_PAGE_SIZE")),
        Metric("counter", "process_cpu_seconds_total", "Processor time", used.ru_utime + used.ru_stime),
    )
    return "".join(map(str, (*_ALL, *process))).encode()
