"""Schemathesis over the OpenAPI document of a control plane on real services, as who may do everything, less, and nothing."""

from typing import Final

import pytest
from integration.control_plane.support import PASSWORD, add_member
from support.hostile import SEEDS, Program
from support.schema_cases import Amount, Target, broken_promises, document_of, strangers_let_in
from vivero_control import composition
from vivero_control.domain.staff.schemas import Login

SOME: Final = Amount(drawn=3, at_bounds=10)
ALL: Final = Amount(drawn=50, at_bounds=None)


@pytest.fixture
async def target(program: Program, infrastructure: composition.Infrastructure) -> Target:
    support = await bearer_of_support(infrastructure)
    document = await document_of(program.app, program.host)
    roles = {"admin": program.headers, "support": lambda _: support, "nobody": lambda _: []}
    return Target(program.app, program.host, document, roles, program.values)


async def bearer_of_support(infrastructure: composition.Infrastructure) -> list[tuple[str, str]]:
    services, member = composition.services(infrastructure), await add_member(infrastructure)
    login = await services.staff.login(Login(email=member.email, password=PASSWORD), "192.0.2.78")
    return [("authorization", f"Bearer {(await services.tokens.issue(login)).access_token}")]


@pytest.mark.parametrize("seed", SEEDS)
async def test_answers_are_those_that_the_document_promises(target: Target, seed: int) -> None:
    assert await strangers_let_in(target) == []
    assert await broken_promises(target, SOME, seed) == []


@pytest.mark.full
async def test_all_answers_are(target: Target) -> None:
    assert await broken_promises(target, ALL, 1) == []
