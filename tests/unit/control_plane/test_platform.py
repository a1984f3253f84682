"""What the console says of the PlatformBackup, and the one thing that it may change of it."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from reconcile.fakes import FakeKube
from vivero_control.domain.backups.schemas import BackUp
from vivero_control.domain.platform.service import (
    PATIENCE,
    DumpRefusedError,
    PlatformBackupNotFoundError,
    PlatformBackups,
    PlatformState,
)
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_core.backends.kube.errors import KubeUnavailableError

NOW = datetime(2026, 11, 29, 12, 0, 0, 250_000, tzinfo=UTC)
ASKED = "2026-11-29T12:00:00Z"


class Audit:
    def __init__(self) -> None:
        self.actions: list[Any] = []

    @asynccontextmanager
    async def recording(self, action: Any) -> Any:  # noqa: ANN401  an AuditAction
        self.actions.append(action)
        yield


class Scene:
    """A cluster with a PlatformBackup, and who asks."""

    def __init__(self) -> None:
        self.kube, self.audit, self.now = FakeKube(), Audit(), NOW
        self.service = PlatformBackups(cast("Any", self.kube), cast("Any", self.audit), lambda: self.now)

    def put(self, reason: str | None = "Stored", message: str = "Complete", **status: Any) -> None:  # noqa: ANN401  JSON
        conditions = [
            {
                "type": "Recoverable",
                "status": "True" if reason == "Stored" else "False",
                "reason": reason,
                "message": message,
                "lastTransitionTime": "2026-11-29T02:30:00Z",
            }
        ]
        told = {"message": message, "conditions": conditions if reason else [], **status}
        spec = {"recoveryKey": "ab" * 32}
        self.kube.put({"kind": "PlatformBackup", "metadata": {"name": "platform"}, "spec": spec, "status": told})

    async def ask(self) -> Any:  # noqa: ANN401  a PlatformBackupView
        return await self.service.back_up(BackUp(reason=" before the upgrade "), "ada@example.com")

    @property
    def asked(self) -> str | None:
        meta = self.kube.objects["PlatformBackup", None, "platform"]["metadata"]
        found: str | None = meta.get("annotations", {}).get("vivero.dev/dump-at")
        return found


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("Stored", PlatformState.RECOVERABLE),
        (None, PlatformState.RUNNING),
        ("Running", PlatformState.RUNNING),
        ("NotConfigured", PlatformState.NOT_CONFIGURED),
        ("StorageUnavailable", PlatformState.NOT_RECOVERABLE),
        ("ProofFailed", PlatformState.NOT_RECOVERABLE),
    ],
)
async def test_its_condition_in_a_word(scene: Scene, reason: str | None, state: PlatformState) -> None:
    scene.put(reason)
    assert (await scene.service.get()).state is state


async def test_all_that_is_known_is_told(scene: Scene) -> None:
    scene.put(
        installation="q7p2m4k9xa",
        state={"number": 7, "storedAt": "2026-11-29T11:00:00Z", "bytes": 12},
        dumps=[{"name": f"d{day}", "takenAt": f"2026-11-{day}T02:30:00Z"} for day in (27, 28)],
        proof={"endedAt": "2026-11-28T02:31:00Z", "result": "Passed", "message": "The same", "tables": 9},
    )
    found = await scene.service.get()
    assert [one.name for one in found.dumps] == ["d28", "d27"], "the newest first"
    assert found.stored is not None
    assert found.proof is not None
    assert (found.stored.number, found.proof.tables, found.installation) == (7, 9, "q7p2m4k9xa")
    assert not found.dumping


async def test_a_dump_is_asked_for_by_an_annotation_alone_and_once(scene: Scene) -> None:
    scene.put()
    before = scene.kube.objects["PlatformBackup", None, "platform"]["spec"]
    assert (await scene.ask()).dumping
    assert (scene.asked, scene.kube.objects["PlatformBackup", None, "platform"]["spec"]) == (ASKED, before)
    (action,) = scene.audit.actions
    assert (action.actor, action.action, action.subject) == ("ada@example.com", "back-up", "platform")
    assert action.reason == "before the upgrade"
    scene.now += timedelta(seconds=30)
    assert (await scene.ask()).dumping
    assert (scene.asked, len(scene.audit.actions)) == (ASKED, 1), "it begins in a moment"


async def test_what_was_dumped_since_is_no_longer_awaited(scene: Scene) -> None:
    scene.put()
    await scene.ask()
    scene.put(dumps=[{"name": "d29", "takenAt": "2026-11-29T12:00:14Z"}])
    assert not (await scene.service.get()).dumping
    scene.put(dumping=True)
    assert (await scene.service.get()).dumping


async def test_one_that_nobody_has_begun_is_asked_for_anew(scene: Scene) -> None:
    scene.put()
    await scene.ask()
    scene.now += PATIENCE
    assert not (await scene.service.get()).dumping
    await scene.ask()
    assert scene.asked == "2026-11-29T12:05:00Z"


async def test_what_could_not_be_dumped_is_refused_with_the_reason(scene: Scene) -> None:
    scene.put("NotConfigured", "No recovery key (spec.recoveryKey)")
    with pytest.raises(DumpRefusedError, match="No recovery key"):
        await scene.ask()
    assert (scene.asked, scene.audit.actions) == (None, [])


async def test_without_one_and_with_one_that_cannot_be_read(scene: Scene) -> None:
    with pytest.raises(PlatformBackupNotFoundError):
        await scene.service.get()
    scene.put()
    scene.kube.objects["PlatformBackup", None, "platform"]["spec"] = {"recoveryKey": "no key"}
    with pytest.raises(DumpRefusedError, match="cannot be read"):
        await scene.service.get()


async def test_a_cluster_that_does_not_answer_is_told_as_such(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise KubeUnavailableError("kubernetes", "connection refused")

    monkeypatch.setattr(scene.kube, "get", away)
    with pytest.raises(ClusterUnavailableError):
        await scene.service.get()
