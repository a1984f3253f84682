"""A busy processor is one, and is left alone afterwards."""

import os
import time
from pathlib import Path

import pytest
from vivero_dev.testing.load import busy_processor


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def ticks(process: str) -> int:
    """Of processor time, a hundredth of a second each."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_it_takes_processor_time_until_the_end_of_the_block() -> None:
    before = children()
    with busy_processor():
        (busy,) = children() - before
        while ticks(busy) < 10:
            time.sleep(0.01)
    assert children() <= before


def test_it_ends_with_a_failure_too() -> None:
    before = children()
    with pytest.raises(ZeroDivisionError), busy_processor():
        _ = 1 / 0
    assert children() <= before
