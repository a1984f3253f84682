"""Jobs in child processes, on real services: done once, tried again, given up, given back, and never two at a time."""

import asyncio
import csv
import io
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.repository import ATTEMPTS, HEARTBEAT_TIMEOUT, Attempt
from vivero_data.domain.jobs.runner import JobRunner
from vivero_data.domain.jobs.service import MAX_UNFINISHED
from vivero_data.domain.jobs.task import JobLostError, TaskContext, actor_of

RECORDS = "/api/v1/collections/Contacts/records"
PATIENCE = 120.0
FIELDS = [
    {"name": "Name", "type": "long_text"},
    {"name": "Balance", "type": "number"},
    {"name": "Seen", "type": "datetime"},
]


@pytest.fixture
def environ(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The child inherits the server's, as in a pod."""
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)
    return workspace.environ


@pytest.fixture
async def contacts(workspace: Workspace, owner: dict[str, str], environ: dict[str, str]) -> Workspace:
    assert environ
    await workspace.collection(owner, *FIELDS)
    return workspace


@pytest.fixture
def still(no_runner: None, contacts: Workspace) -> Workspace:
    assert no_runner is None
    return contacts


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def ask(contacts: Workspace, owner: dict[str, str]) -> Ask:
    async def send(**body: object) -> Any:  # noqa: ANN401  a JSON body
        answer = await contacts.client.post(f"{RECORDS}/export", json=body, headers=owner)
        assert answer.status_code == 202, answer.text
        return answer.json()

    return send


async def job_of(workspace: Workspace, headers: dict[str, str], number: int) -> Any:  # noqa: ANN401  a JSON body
    answer = await workspace.client.get(f"/api/v1/jobs/{number}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ended(workspace: Workspace, headers: dict[str, str], number: int) -> Any:  # noqa: ANN401  as above
    async with asyncio.timeout(PATIENCE):
        while True:
            job = await job_of(workspace, headers, number)
            if job["state"] in {"done", "failed"}:
                return job
            await asyncio.sleep(0.2)


async def lines(workspace: Workspace, headers: dict[str, str], job: Any) -> list[list[str]]:  # noqa: ANN401  as above
    answer = await workspace.client.get(f"/api/v1/files/{job['result']['file_id']}", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def runner(workspace: Workspace, program: Path, timeout: float = PATIENCE) -> JobRunner:
    """Of a child that is a script of a test's own."""
    services = workspace.app.state.services
    return JobRunner(services.database, asyncio.Event(), (sys.executable, str(program)), timeout)


def script(folder: Path, text: str) -> Path:
    path = folder / "child.py"
    path.write_text(text)
    return path


async def sql(workspace: Workspace, statement: str, *params: object) -> None:
    async with workspace.app.state.services.database.transaction() as tx:
        await tx.execute(statement, *params)


def is_written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


async def written_to(path: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_written(path):  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.05)


async def make_due(workspace: Workspace) -> None:
    await sql(workspace, "UPDATE jobs SET due_at = CURRENT_TIMESTAMP(6)")


async def test_a_collection_is_exported_whole(contacts: Workspace, owner: dict[str, str], ask: Ask) -> None:
    wanted = [[f"N{number} \"'\\,\n🌱", f"{number}.25", "2026-01-02T03:04:05.000006Z"] for number in range(1001)]
    for start in (0, 1000):
        rows = [{"values": dict(zip(("Name", "Balance", "Seen"), row, strict=True))} for row in wanted[start:][:1000]]
        answer = await contacts.client.post(f"{RECORDS}/batch", json={"create": rows}, headers=owner)
        assert answer.status_code == 200, answer.text
    asked = await ask()
    assert (asked["kind"], asked["subject"], asked["state"]) == ("export", "Contacts", "waiting")
    job = await ended(contacts, owner, asked["id"])
    assert (job["state"], job["done"], job["total"], job["problem"]) == ("done", 1001, 1001, None), job
    head, *found = await lines(contacts, owner, job)
    assert head == ["id", "Name", "Balance", "Seen", "created_at", "updated_at"]
    assert [line[1:4] for line in found] == wanted
    assert [int(line[0]) for line in found] == sorted(int(line[0]) for line in found)
    files = (await contacts.client.get("/api/v1/files", headers=owner)).json()["items"]
    assert [file["id"] for file in files] == [job["result"]["file_id"]]
    usage = (await contacts.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]["used"]
    assert usage == files[0]["size"]
    entries = (await contacts.client.get("/api/v1/audit", headers=owner)).json()["items"]
    assert [entry["action"] for entry in entries[:2]] == ["file.create", "export.start"]
    assert {entry["actor"] for entry in entries[:2]} == {"owner@example.com"}


async def test_an_export_has_the_conditions_of_the_list(contacts: Workspace, owner: dict[str, str], ask: Ask) -> None:
    rows = [{"values": {"Name": name, "Balance": number}} for number, name in enumerate(("Ada", "Alan", "Bob"))]
    await contacts.client.post(f"{RECORDS}/batch", json={"create": rows}, headers=owner)
    job = await ask(filters=["Name:starts:A"], where='{"not":{"field":"Balance","operator":"eq","value":0}}')
    found = await lines(contacts, owner, await ended(contacts, owner, job["id"]))
    assert [line[1] for line in found] == ["Name", "Alan"]
    job = await ask(filters=["Name:eq:nobody"])
    assert len(await lines(contacts, owner, await ended(contacts, owner, job["id"]))) == 1
    for body, field in (({"filters": ["Nope:eq:1"]}, "filter"), ({"where": "{"}, "where")):
        answer = await contacts.client.post(f"{RECORDS}/export", json=body, headers=owner)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_job_belongs_to_who_asked_and_needs_a_right(still: Workspace, owner: dict[str, str], ask: Ask) -> None:
    job = await ask()
    member, viewer = await still.user(owner, "member"), await still.user(owner, "viewer")
    assert (await still.client.get(f"/api/v1/jobs/{job['id']}", headers=member)).status_code == 404
    assert (await still.client.get("/api/v1/jobs", headers=member)).json()["items"] == []
    assert [one["id"] for one in (await still.client.get("/api/v1/jobs", headers=owner)).json()["items"]] == [job["id"]]
    assert (await still.client.post(f"{RECORDS}/export", content=b"{", headers=viewer)).status_code == 403
    assert (await still.client.post("/api/v1/collections/No/records/export", json={}, headers=owner)).status_code == 404


async def test_a_full_plan_is_told_and_not_tried_again(contacts: Workspace, owner: dict[str, str], ask: Ask) -> None:
    contacts.set_limits(storage_bytes=10)
    await asyncio.sleep(1.1)  # the file is looked at once a second
    job = await ended(contacts, owner, (await ask())["id"])
    assert (job["state"], job["result"]) == ("failed", None)
    assert "trial plan includes 10 bytes" in job["problem"]
    assert (await contacts.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]["used"] == 0


async def test_who_lost_the_right_meanwhile_gets_nothing(still: Workspace, owner: dict[str, str]) -> None:
    member = await still.user(owner, "member", "mia@example.com")
    asked = (await still.client.post(f"{RECORDS}/export", json={}, headers=member)).json()
    await sql(still, "UPDATE users SET role = 'viewer' WHERE email = 'mia@example.com'")
    services = still.app.state.services
    assert await JobRunner(services.database, asyncio.Event()).once()
    job = await job_of(still, member, asked["id"])
    assert job["state"] == "failed"
    assert "This needs the role" in job["problem"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("raise SystemExit(1)", "Its process ended unexpectedly."),
        ("", "Its process ended unexpectedly."),  # says that all is well, and the job is not done
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Its process was killed by SIGKILL."),
    ],
)
async def test_an_attempt_that_ends_is_followed_by_others_and_then_by_the_truth(
    still: Workspace, owner: dict[str, str], ask: Ask, tmp_path: Path, text: str, problem: str
) -> None:
    number = (await ask())["id"]
    broken = runner(still, script(tmp_path, text))
    for attempt in range(1, ATTEMPTS + 1):
        assert await broken.once()
        job = await job_of(still, owner, number)
        assert (job["state"], job["problem"]) == ("failed" if attempt == ATTEMPTS else "waiting", problem)
        assert not await broken.once(), "it is not due yet"
        await make_due(still)
    assert not await broken.once()
    assert job["ended_at"]


async def test_what_takes_too_long_is_ended(still: Workspace, owner: dict[str, str], ask: Ask, tmp_path: Path) -> None:
    number = (await ask())["id"]
    mark = tmp_path / "pid"
    slow = f"import os, time, pathlib; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(600)"
    assert await runner(still, script(tmp_path, slow), timeout=3.0).once()
    assert "longer than" in (await job_of(still, owner, number))["problem"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_a_pod_that_goes_gives_its_job_back(
    still: Workspace, owner: dict[str, str], ask: Ask, tmp_path: Path
) -> None:
    number = (await ask())["id"]
    mark = tmp_path / "pid"
    slow = f"import os, time, pathlib; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(600)"
    running = asyncio.create_task(runner(still, script(tmp_path, slow)).once())
    await written_to(mark)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    job = await job_of(still, owner, number)
    assert (job["state"], job["problem"]) == ("waiting", None)
    assert await JobRunner(still.app.state.services.database, asyncio.Event()).once()
    assert (await job_of(still, owner, number))["state"] == "done"


async def test_a_job_whose_pod_died_is_taken_over_and_done_once(
    still: Workspace, owner: dict[str, str], ask: Ask
) -> None:
    number = (await ask())["id"]
    services = still.app.state.services
    async with services.database.transaction() as tx:
        lost = await repository.claim(tx)
    assert lost == Attempt(number, 1)
    taker = JobRunner(services.database, asyncio.Event())
    assert not await taker.once(), "its silence is short"
    await sql(still, "UPDATE jobs SET seen_at = CURRENT_TIMESTAMP(6) - INTERVAL %s SECOND", HEARTBEAT_TIMEOUT + 1)
    assert not await taker.once(), "it is taken back, and due later"
    assert "stopped responding" in (await job_of(still, owner, number))["problem"]
    await make_due(still)
    assert await taker.once()
    job = await job_of(still, owner, number)
    assert job["state"] == "done"
    # What was taken for dead comes back, and may neither tell nor write anything.
    async with services.database.read() as connection:
        assert not await repository.heartbeat(connection, lost, 1, None)
        assert not await repository.fail(connection, lost, "late", for_good=True)
        actor = await actor_of(connection, 1)
    context = TaskContext(
        lost,
        actor,
        services.database,
        services.files,
        services.limits,
        services.anchors,
        services.settings,
    )
    with pytest.raises(JobLostError):
        await context.files.store(
            actor, "late.csv", "text/csv", 0, io.BytesIO().read, lambda tx, _: context.finish(tx, {})
        )
    files = (await still.client.get("/api/v1/files", headers=owner)).json()["items"]
    assert [file["id"] for file in files] == [job["result"]["file_id"]]


async def test_one_runs_at_a_time(still: Workspace, ask: Ask) -> None:
    for _ in range(3):
        await ask()
    database = still.app.state.services.database

    async def begin() -> Attempt | None:
        try:
            async with database.transaction() as tx:
                return await repository.claim(tx)
        except DuplicateKeyError:
            return None

    begun = await asyncio.gather(*(begin() for _ in range(5)))
    assert len([one for one in begun if one]) == 1


async def test_only_so_many_wait(still: Workspace, owner: dict[str, str], ask: Ask) -> None:
    for _ in range(MAX_UNFINISHED):
        await ask()
    assert (await still.client.post(f"{RECORDS}/export", json={}, headers=owner)).status_code == 409


def test_a_child_has_its_bounds() -> None:
    program = (
        "import os, resource; from vivero_data.domain.jobs.child import limit_resources; limit_resources(); print(os.nice(0));"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
        "try:\n    bytearray(1 << 30)\nexcept MemoryError:\n    print('bounded')"
    )
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    nice, core, bounded = done.stdout.split()
    assert (int(nice) >= 10, core, bounded) == (True, "0", "bounded")
