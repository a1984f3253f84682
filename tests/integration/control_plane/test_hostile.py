"""Fuzzed requests to a control plane on real services: none causes a 5xx."""

from typing import Final

import pytest
from support.hostile import SEEDS, Program, misses, shots, some

SHARE: Final = 800


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_odd_request_is_a_fault_of_ours(program: Program, seed: int) -> None:
    assert await misses(program, some(shots(program), seed, SHARE)) == []


@pytest.mark.full
async def test_none_of_them_all(program: Program) -> None:
    assert await misses(program, shots(program)) == []
