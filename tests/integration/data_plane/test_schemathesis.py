"""Schemathesis over the OpenAPI document of a workspace on real services, as who may do everything, little, and nothing."""

from typing import Final

import pytest
from integration.data_plane.workspace import Workspace
from support.hostile import SEEDS, Program
from support.schema_cases import Amount, Target, broken_promises, document_of, strangers_let_in

OWNER: Final = Amount(drawn=4, at_bounds=20)
OTHERS: Final = Amount(drawn=1, at_bounds=3)
WHOLE: Final = Amount(drawn=50, at_bounds=None)


@pytest.fixture
async def target(program: Program) -> Target:
    document = await document_of(program.app, program.host)
    return Target(program.app, program.host, document, program.headers, program.values)


@pytest.fixture
async def others(workspace: Workspace, owner: dict[str, str], target: Target) -> list[Target]:
    viewer = list((await workspace.user(owner, "viewer")).items())
    return [target.asked_by(viewer), target.asked_by([])]


@pytest.mark.parametrize("seed", SEEDS)
async def test_answers_are_those_that_the_document_promises(target: Target, seed: int) -> None:
    assert await broken_promises(target, OWNER, seed) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_also_to_who_may_do_little_or_nothing(others: list[Target], seed: int) -> None:
    assert [problem for one in others for problem in await broken_promises(one, OTHERS, seed)] == []


async def test_nobody_is_let_in_where_a_login_is_needed(target: Target) -> None:
    assert await strangers_let_in(target) == []


@pytest.mark.full
async def test_the_whole(target: Target, others: list[Target]) -> None:
    assert [problem for one in (target, *others) for problem in await broken_promises(one, WHOLE, 1)] == []
