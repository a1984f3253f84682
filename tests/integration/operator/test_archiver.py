"""The archiver beside a real server and the real object store: killed at random, and every second can be gone back to."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.operator.archive_rig import WAIT_SECONDS, Moment, Rig, archived, seeded
from integration.operator.binlog_source import Tenant
from vivero_operator.operations.errors import RefusedError


@pytest.fixture
def rig(tmp_path: Path, platform: dict[str, Any]) -> Iterator[Rig]:
    with archived(tmp_path, platform) as rig:
        yield rig


def check(rig: Rig, moments: list[Moment]) -> None:
    for number, (tenant, second) in enumerate(moments):
        found = rig.restored(tenant, second, rig.folder / f"restored-{number}")
        like = [at for (whose, at), state in rig.states.items() if whose == tenant and state == found]
        assert found == rig.states[tenant, second], f"second {second} of {tenant.id} is as it was in {like}"


def test_every_second_of_every_tenant_is_exact(rig: Rig) -> None:
    rig.write(12, seeded(1), kills=(3, 7))
    end = int(time.time()) + 1
    rig.wait_until_archived(end)
    assert rig.states, "too slow a machine to write within a second"
    check(rig, seeded(2).sample(sorted(rig.states, key=str), min(8, len(rig.states))))


@pytest.mark.full
def test_a_thousand_random_moments(rig: Rig) -> None:
    chance = seeded(3)
    rig.write(400, chance, kills=tuple(chance.sample(range(400), 20)))
    rig.wait_until_archived(int(time.time()) + 1)
    check(rig, chance.sample(sorted(rig.states, key=str), min(1000, len(rig.states))))


def test_what_a_server_no_longer_has_is_a_gap_that_is_told(rig: Rig) -> None:
    rig.write(2, seeded(4), kills=())
    rig.wait_until_archived(int(time.time()))
    rig.kill()
    begin = rig.history(rig.tenants[0]).reach([])
    rig.server.run("FLUSH BINARY LOGS")
    rig.server.run(f"INSERT INTO {rig.tenants[0].data}.t (id, text) VALUES (1, 'in the gap')")  # noqa: S608  our name
    rig.server.run("FLUSH BINARY LOGS")
    ((last, *_),) = rig.server.run("SHOW MASTER STATUS")
    time.sleep(1)
    rig.server.run(f"PURGE BINARY LOGS TO '{last}'")
    rig.start()
    after = gap_of(rig, lambda: rig.history(rig.tenants[0]).reach([]).ends <= begin.ends + 1)
    assert after, "what is behind a gap is not reached from before it"
    with pytest.raises(RefusedError):
        rig.history(Tenant("zzzzzzzzzz")).reach([])


def gap_of(rig: Rig, holds: Callable[[], bool]) -> bool:
    """Whether it holds once the archiver has noted a gap."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not rig.store.list(f"servers/{rig.environment['VIVERO_SERVER_UID']}/gaps/"):
        assert time.monotonic() < deadline, "no gap was noted"
        time.sleep(0.2)
    return holds()
