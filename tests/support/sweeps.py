"""Sweeps over many cases: each run tries a seeded sample, `./vivero test --full` the whole."""

import random
from collections.abc import Sequence
from typing import Any

import pytest


def sampled(cases: Sequence[Any], size: int, seed: int) -> list[Any]:
    """The cases for `parametrize`, in their order; those outside the sample carry the mark `full`. A tuple has several
    arguments."""
    chosen = set(random.Random(seed).sample(range(len(cases)), size))  # noqa: S311  a test's choice
    arguments = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=() if at in chosen else pytest.mark.full) for at, case in enumerate(arguments)]
