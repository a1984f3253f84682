"""Schemathesis over the OpenAPI document of a workspace on real services, as who may do everything, little, and nothing."""

from typing import Final

import pytest
from integration.data_plane.workspace import Workspace
from support.hostile import SEEDS, Program
from support.schema_cases import Amount, Target, broken_promises, document_of, strangers_let_in

SOME: Final = Amount(drawn=2, at_bounds=10)
ALL: Final = Amount(drawn=50, at_bounds=None)


@pytest.fixture
async def target(program: Program, workspace: Workspace, owner: dict[str, str]) -> Target:
    viewer = list((await workspace.user(owner, "viewer")).items())
    document = await document_of(program.app, program.host)
    roles = {"owner": program.headers, "viewer": lambda _: viewer, "nobody": lambda _: []}
    return Target(program.app, program.host, document, roles, program.values)


@pytest.mark.parametrize("seed", SEEDS)
async def test_answers_are_those_that_the_document_promises(target: Target, seed: int) -> None:
    assert await strangers_let_in(target) == []
    assert await broken_promises(target, SOME, seed) == []


@pytest.mark.full
async def test_all_answers_are(target: Target) -> None:
    assert await broken_promises(target, ALL, 1) == []
