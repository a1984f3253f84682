"""Schemathesis over the OpenAPI document of a control plane on real services, as staff and as nobody."""

from typing import Final

import pytest
from support.hostile import SEEDS, Program
from support.schema_cases import Amount, Target, broken_promises, document_of, strangers_let_in

STAFF: Final = Amount(drawn=5, at_bounds=25)
NOBODY: Final = Amount(drawn=2, at_bounds=5)
WHOLE: Final = Amount(drawn=50, at_bounds=None)


@pytest.fixture
async def target(program: Program) -> Target:
    document = await document_of(program.app, program.host)
    return Target(program.app, program.host, document, program.headers, program.values)


@pytest.fixture
def stranger(target: Target) -> Target:
    return target.asked_by([])


@pytest.mark.parametrize("seed", SEEDS)
async def test_answers_are_those_that_the_document_promises(target: Target, seed: int) -> None:
    assert await broken_promises(target, STAFF, seed) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_also_to_nobody(stranger: Target, seed: int) -> None:
    assert await broken_promises(stranger, NOBODY, seed) == []


async def test_nobody_is_let_in_where_a_login_is_needed(target: Target) -> None:
    assert await strangers_let_in(target) == []


@pytest.mark.full
async def test_the_whole(target: Target, stranger: Target) -> None:
    assert [problem for one in (target, stranger) for problem in await broken_promises(one, WHOLE, 1)] == []
