"""The object store goes away while a backup, a restore and the archiver run: each says so in bounded time, and the next
attempt finishes. The archiver's outage is ten minutes with `-m full`, and some seconds of the same otherwise.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from faults.gate import Gate
from faults.plan import Outage
from integration.conftest import Login
from integration.operator.archive_rig import archived, seeded
from integration.operator.test_archiver import check_walk
from integration.operator.test_in_place import Scene, set_up
from vivero_operator.operations import backup, moment, object_store
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.program import Files

Step = Callable[[Files], Any]
BACKUP: dict[str, Step] = {"files": backup.copy_files, "dump": backup.dump, "verify": backup.verify}
RESTORE: dict[str, Step] = {
    "log": moment.replay,
    "database": moment.load,
    "files": moment.copy_files,
    "verify": moment.verify,
}
FEW = 20
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""How often each call is tried where the store goes before all of them."""
WALKED = 60
"""Of all seconds that were written."""


class Store:
    """The object store behind a gate, for programs that know nothing of it."""

    def __init__(self, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
        self._gate, self._loop = gate, loop
        self._down_at = 0.0

    def go(self) -> None:
        self._wait(asyncio.run_coroutine_threadsafe(self._gate.fail(Outage.DOWN), self._loop))
        self._down_at = time.monotonic()

    def come_back(self) -> None:
        self._wait(asyncio.run_coroutine_threadsafe(self._gate.heal(), self._loop))

    @property
    def asked(self) -> int:
        """How often since it went."""
        return len(self._gate.between(self._down_at, time.monotonic()))

    @staticmethod
    def _wait(future: "Future[None]") -> None:
        future.result(60)


@contextmanager
def gated(platform: dict[str, Any]) -> Iterator[tuple[Store, dict[str, Any]]]:
    """The store, and the platform as those see it who reach the store through the gate."""
    at = urlsplit(platform["backup"]["endpoint"])
    loop = asyncio.new_event_loop()
    gate = Gate((str(at.hostname), int(at.port or 443)))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(gate.__aenter__(), loop).result(60)
    backup_at = platform["backup"] | {"endpoint": f"{at.scheme}://{at.hostname}:{gate.port}"}
    try:
        yield Store(gate, loop), platform | {"backup": backup_at}
    finally:
        asyncio.run_coroutine_threadsafe(gate.__aexit__(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


@contextmanager
def leaves_at(store: Store, call: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The store goes before this call of a program to it, in the midst of a step."""
    calls = itertools.count(1)
    translated = ObjectStore._translated  # noqa: SLF001  where every call comes by

    @contextmanager
    def counted(itself: ObjectStore, doing: str) -> Iterator[None]:
        if next(calls) == call:
            store.go()
        with translated(itself, doing):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "_translated", counted)
        yield


def play(store: Store, steps: dict[str, Step], scene: Scene, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    """The store goes before the first call of each step, then its second, fourth, eighth…, until it goes too late.

    What the last step says, and the steps that failed, once for each time.
    """
    said, failed = None, list[str]()
    for name, step in steps.items():
        call, is_done = 1, False
        while not is_done:
            try:
                with leaves_at(store, call, monkeypatch):
                    said = step(Files(scene.folder))
                is_done = True
            except StepFailedError as error:
                assert str(error).startswith("bucket "), "it says what is away"  # noqa: PT017  or the step is done
                failed.append(name)
                call *= 2
            store.come_back()
    return said, failed


@pytest.fixture
def away(platform: dict[str, Any]) -> Iterator[tuple[Store, dict[str, Any]]]:
    with gated(platform) as found:
        yield found


@pytest.fixture
def scene(
    tmp_path: Path,
    away: tuple[Store, dict[str, Any]],
    new_tenant: Callable[[], Login],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    with set_up(tmp_path, away[1], new_tenant(), monkeypatch) as made:
        yield made


@pytest.mark.usefixtures("neighbour_stays")
def test_a_restore_and_a_backup_end_as_if_it_had_been_there(
    scene: Scene, away: tuple[Store, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = away
    then, held = scene.settled(), scene.told()
    scene.sql("DELETE FROM c_1 WHERE id = 2", "UPDATE c_1 SET f_1 = 'overwritten'")
    changed = scene.told()
    scene.order(then)
    with leaves_at(store, 1, monkeypatch), pytest.raises(StepFailedError, match=r"^bucket vivero-\w+: list: "):
        moment.replay(Files(scene.folder))
    store.come_back()
    assert 1 < store.asked < FEW, "tried again, and not for ever"
    monkeypatch.setattr(object_store, "_CONFIG", object_store._CONFIG.merge(ONCE))  # noqa: SLF001
    said, failed = play(store, RESTORE, scene, monkeypatch)
    # The rows are loaded from where the log was replayed.
    assert set(failed) == set(RESTORE) - {"database"}
    assert said.message == "The same as replayed"
    assert scene.told() == changed, "the live data is untouched until the switch"
    scene.switch("u1")
    assert scene.told() == held

    scene.order_backup("b1")
    said, failed = play(store, BACKUP, scene, monkeypatch)
    assert set(failed) == set(BACKUP)
    assert said.message == "Read back, the same as written"
    assert scene.told() == held
    assert not scene.rig.store.uploads(f"{scene.tenant.id}/")


@pytest.mark.parametrize("seconds", [8, pytest.param(600, marks=pytest.mark.full)])
def test_what_was_written_meanwhile_is_archived_to_the_second(
    tmp_path: Path,
    away: tuple[Store, dict[str, Any]],
    in_a_job: None,  # noqa: ARG001
    seconds: int,
) -> None:
    store, platform = away
    chance = seeded(4)
    with archived(tmp_path, platform) as rig:
        rig.write(2, chance, {})
        archiver = rig.process.pid
        store.go()
        rig.write(seconds, chance, {})
        assert store.asked <= seconds, "it is not hammered"
        store.come_back()
        rig.write(2, chance, {})
        rig.wait_until_archived(int(time.time()) + 1)
        assert (rig.process.pid, rig.process.is_alive()) == (archiver, True), "it went on by itself"
        moments = sorted(rig.states, key=str)
        check_walk(rig, chance.sample(moments, min(WALKED, len(moments))))
