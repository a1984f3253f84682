"""A tenant has one place: whatever is interrupted or lost, no second schema is made on another server."""

from typing import Any, cast

import pytest
from reconcile.scenes import IDENT, NAMESPACE, SCHEMA, begun, body, condition, pod, serving
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from vivero_operator.escrow import record
from vivero_operator.escrow.record import Record
from vivero_operator.escrow.store import EscrowStore

RECORD = ("Secret", "vivero-system", record.name(IDENT))
DATABASE = ("Secret", NAMESPACE, "database")


class KilledError(Exception):
    """The program has ended."""


def kill_before(world: World, nth: int) -> None:
    """No write happens from the n-th on."""
    note, left = world.kube._note, [nth]  # noqa: SLF001  what every write calls first

    def counted(*args: Any) -> None:  # noqa: ANN401  as it is called
        left[0] -= 1
        if left[0] <= 0:
            raise KilledError
        note(*args)

    cast("Any", world.kube)._note = counted  # noqa: SLF001


def revive(world: World) -> None:
    """A new process; meanwhile there is a server that would be chosen now: it comes first by name, and nothing is on it."""
    del cast("Any", world.kube)._note  # noqa: SLF001
    world.restart()
    add_emptier(world)


def add_emptier(world: World) -> None:
    emptier: Object = {**SERVER, "metadata": {"name": "emptier"}}
    world.put(emptier)


def places(world: World) -> list[str]:
    """The servers that hold its schema."""
    return [name for name, server in world.backends.servers.items() if SCHEMA in server.databases]


async def first_pass(world: World, nth: int) -> bool:
    """Whether the program was killed in it."""
    for manifest in (PLAN, SERVER, tenant_body()):
        world.put(manifest)
    kill_before(world, nth)
    killed = False
    try:
        await world.reconcile()
    except* KilledError:
        killed = True
    return killed


async def test_a_crash_at_every_write_of_the_first_pass() -> None:
    nth = 1
    while True:
        world = World()
        killed = await first_pass(world, nth)
        if not killed:
            break
        before = places(world)
        revive(world)
        for _ in range(3):
            await world.reconcile()
        assert before in ([], places(world)), f"killed before write {nth}"
        assert len(places(world)) == 1
        world.put(pod())
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert body(world)["status"]["databaseServer"] == places(world)[0]
        nth += 1
    assert nth > 15, "every write of a first pass was one of them"


LOST: list[list[tuple[str, str, str]]] = [[], [DATABASE], [RECORD]]


@pytest.mark.parametrize("lost", LOST, ids=["status", "status and Secret", "status and record"])
async def test_a_status_that_was_lost_is_written_again_from_what_is_left(lost: list[tuple[str, str, str]]) -> None:
    """As of a cluster that was restored without them: the place stands beside the keys as well, twice."""
    world = await serving()
    add_emptier(world)
    world.kube.objects["Tenant", None, "acme"]["status"] = {}
    world.put({"kind": "Tenant", "metadata": {"name": "acme"}})
    for key in lost:
        world.remove(*key)
    world.restart()
    for _ in range(2):
        await world.reconcile()
    assert places(world) == ["main"]
    assert body(world)["status"]["databaseServer"] == "main"
    for key in (DATABASE, RECORD):
        assert world.kube.objects[key]["metadata"]["annotations"]["vivero.dev/database-server"] == "main"


async def test_it_costs_no_write_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status that said it before anything is made would be one more for each tenant (ADR 0035)."""
    asked: list[str] = []
    find = EscrowStore.find

    async def counted(escrow: EscrowStore, ident: str) -> Record | None:
        asked.append(ident)
        return await find(escrow, ident)

    monkeypatch.setattr(EscrowStore, "find", counted)
    world = await begun()
    assert asked == [IDENT, IDENT]  # before keys are made, and before they are kept
    assert not [one for one in world.kube.writes if one.startswith("patch status")]
