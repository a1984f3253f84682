"""What documents name between backticks: files of this repository, and tests in them as `path::test_name`."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def spelled_out(name: str) -> Iterator[str]:
    """As a shell does: a{b,c}d is abd and acd."""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return map("".join, product(*parts))


def is_there(name: str) -> bool:
    """Whether a file or folder of this name exists (`*` stands for any), and has the test that is named with it."""
    path, _, test = name.partition("::")
    return any(not test or test in _tests(file) for file in ROOT.glob(path.rstrip("/")))


@cache
def _tests(file: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^ *(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE))
