"""The audit log's chain of seals on the real server and the real bucket: what changes it afterwards is found and named."""

# ruff: noqa: S608  names of tables and words of our own

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from integration.data_plane.workspace import OWNER, Workspace
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_data.clients.storage import Storage
from vivero_data.db.errors import DatabaseError
from vivero_data.domain.audit import seals
from vivero_data.domain.audit.anchors import Anchors
from vivero_data.domain.audit.chain import BrokenChainError, Kind
from vivero_data.domain.audit.sealing import Sealer
from vivero_data.domain.audit.service import record
from vivero_data.domain.audit.verification import Verification, verify
from vivero_data.domain.users.schemas import Actor, Role
from vivero_web.errors import UnavailableError

NewWorkspace = Callable[..., Awaitable[Workspace]]
READER = Actor(1, OWNER, "Olive", Role.OWNER, 1)
ENTRIES = 9
COLUMNS = {
    "at": "at + INTERVAL 1 MICROSECOND",
    "actor": "'somebody@example.com'",
    "action": "'record.update'",
    "subject": "'Contacts/99'",
    "before_values": "'{}'",
    "after_values": '\'{"Name": "Eve"}\'',
    "request_id": "'another'",
    "address": "'198.51.100.7'",
}


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are sealed at once, three by three, and nothing is sealed but by a test."""
    monkeypatch.setattr(seals, "SETTLED_SECONDS", 0)
    monkeypatch.setattr(seals, "AT_ONCE", 3)

    async def rest(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Sealer, "run", rest)


async def add(workspace: Workspace, amount: int, name: str = "Ada") -> None:
    async with workspace.app.state.services.database.transaction() as tx:
        for number in range(amount):
            await record(tx, READER, "record.create", f"Contacts/{number}", after={"Name": f"{name} {number}"})


async def seal(workspace: Workspace) -> None:
    services = workspace.app.state.services
    await all_of(Sealer(services.database, services.anchors))


async def all_of(sealer: Sealer) -> None:
    while await sealer.once():
        pass


async def found(workspace: Workspace) -> Verification:
    services = workspace.app.state.services
    return await verify(services.database, services.anchors)


@pytest.fixture
async def sealed(workspace: Workspace) -> Workspace:
    await add(workspace, ENTRIES)
    await seal(workspace)
    return workspace


@contextmanager
def by_hand(admin: MariaDbAdmin) -> Iterator[Any]:
    """Statements of an administrator of the server."""
    with admin._session("change the log") as cursor:  # noqa: SLF001  a hand behind the program's back
        yield cursor


def as_in_its_pod(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)


async def ids(workspace: Workspace, where: str = "action = 'record.create'") -> list[int]:
    async with workspace.app.state.services.database.read() as connection:
        rows = await connection.fetch_all(f"SELECT id FROM {connection.audit_log} WHERE {where} ORDER BY id")
    return [row[0] for row in rows]


async def test_what_was_sealed_is_intact_and_its_head_is_in_the_bucket(sealed: Workspace) -> None:
    before = await found(sealed)
    assert before.intact, before
    assert before.entries > ENTRIES
    assert (before.anchors, before.copied_from) == (1, ())
    await add(sealed, 2)
    assert (await found(sealed)).unsealed == 2
    await seal(sealed)
    after = await found(sealed)
    assert after.intact, after
    assert (after.unsealed, after.anchors) == (0, 1)
    assert after.seals > before.seals
    await seal(sealed)
    assert await found(sealed) == after  # nothing new, so nothing is written


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("of", ["entry", "seal"])
async def test_an_edit_of_any_column_is_found(
    sealed: Workspace, database_admin: MariaDbAdmin, column: str, of: str
) -> None:
    victim = (await ids(sealed) if of == "entry" else await ids(sealed, "action = 'audit.seal'"))[1]
    with by_hand(database_admin) as cursor:
        value = COLUMNS[column] if (of, column) != ("entry", "action") else "'record.delete'"
        cursor.execute(f"UPDATE {sealed.audit_log} SET {column} = {value} WHERE id = %s", (victim,))
        assert cursor.rowcount == 1
    problem = (await found(sealed)).problem
    assert problem is not None
    if (of, column) == ("seal", "action"):
        assert problem.kind == Kind.DELETED  # it is no seal any more
    else:
        assert (problem.kind, problem.entry) == (Kind.EDITED, victim)


@pytest.mark.parametrize("of", ["entry", "seal"])
async def test_a_deleted_entry_is_named(sealed: Workspace, database_admin: MariaDbAdmin, of: str) -> None:
    victim = (await ids(sealed) if of == "entry" else await ids(sealed, "action = 'audit.seal'"))[1]
    with by_hand(database_admin) as cursor:
        cursor.execute(f"DELETE FROM {sealed.audit_log} WHERE id = %s", (victim,))
    problem = (await found(sealed)).problem
    assert problem is not None
    assert problem.kind == Kind.DELETED
    assert f"Entry {victim} was deleted" in problem.message if of == "entry" else "Seal 2 is missing" in problem.message


async def test_two_entries_in_each_others_place_are_named(sealed: Workspace, database_admin: MariaDbAdmin) -> None:
    async with sealed.app.state.services.database.read() as connection:
        first = (await seals.select_after(connection, 0, 2))[1].seal
    assert first is not None
    one, other = first.entries[0][0], first.entries[1][0]
    with by_hand(database_admin) as cursor:
        for old, new in ((one, 10**6), (other, one), (10**6, other)):
            cursor.execute(f"UPDATE {sealed.audit_log} SET id = %s WHERE id = %s", (new, old))
    problem = (await found(sealed)).problem
    assert problem is not None
    assert (problem.kind, problem.entry) == (Kind.REORDERED, one)


async def test_an_entry_that_was_put_between_is_named(sealed: Workspace, database_admin: MariaDbAdmin) -> None:
    log, victim = sealed.audit_log, (await ids(sealed))[4]
    with by_hand(database_admin) as cursor:
        cursor.execute(f"DELETE FROM {log} WHERE id = %s", (victim,))  # so that there is a number
    await seal(sealed)
    assert (await found(sealed)).problem is not None
    with by_hand(database_admin) as cursor:
        cursor.execute(
            f"INSERT INTO {log} (id, actor, action, subject, request_id) VALUES (%s, 'a', 'a.b', 's', 'r')", (victim,)
        )
    problem = (await found(sealed)).problem
    assert problem is not None
    assert (problem.kind, problem.entry) == (Kind.EDITED, victim)  # one is gone and another is in its place


@pytest.mark.parametrize("kept", ["seals", "entries", "nothing"])
async def test_an_end_that_is_gone_is_found_and_no_head_is_written_over(
    sealed: Workspace, database_admin: MariaDbAdmin, kept: str
) -> None:
    log, cut = sealed.audit_log, (await ids(sealed))[4]
    words = {"seals": f"id > {cut} AND action <> 'audit.seal'", "entries": f"id > {cut}", "nothing": "TRUE"}
    with by_hand(database_admin) as cursor:
        cursor.execute(f"DELETE FROM {log} WHERE {words[kept]}")
    problem = (await found(sealed)).problem
    assert problem is not None
    assert problem.kind == (Kind.DELETED if kept == "seals" else Kind.TRUNCATED)
    if kept == "seals":
        return
    # The program goes on, and makes no new head of what is left.
    await add(sealed, ENTRIES, "Eve")
    with pytest.raises(BrokenChainError):
        await seal(sealed)
    after = (await found(sealed)).problem
    assert after is not None
    assert after.kind in {Kind.TRUNCATED, Kind.REWRITTEN}


async def test_a_chain_that_was_made_anew_is_not_the_one_in_the_bucket(
    sealed: Workspace, database_admin: MariaDbAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the whole database changes an entry and seals everything once more."""
    log, victim = sealed.audit_log, (await ids(sealed))[1]
    with by_hand(database_admin) as cursor:
        cursor.execute(f"UPDATE {log} SET subject = 'Contacts/7' WHERE id = %s", (victim,))
        cursor.execute(f"DELETE FROM {log} WHERE action = 'audit.seal'")
    with monkeypatch.context() as patched:
        patched.setattr(Sealer, "_anchor", lambda _: asyncio.sleep(0))
        await seal(sealed)
        await add(sealed, 3 * ENTRIES)
        await seal(sealed)
    result = await found(sealed)
    assert result.problem is not None
    assert result.problem.kind == Kind.REWRITTEN


async def test_heads_that_are_gone_from_the_bucket_are_missed(sealed: Workspace) -> None:
    anchors: Anchors = sealed.app.state.services.anchors
    storage: Storage = sealed.app.state.services.storage
    (today,) = await anchors.days()
    head = await anchors.read(today)
    assert head is not None
    later = msgspec.structs.replace(head, day="9999-12-31", before=today)
    await anchors.write(later)
    assert (await found(sealed)).problem is None
    await asyncio.to_thread(storage.delete, f"audit/{anchors.workspace}/{today}")
    problem = (await found(sealed)).problem
    assert problem is not None
    assert problem.kind == Kind.ANCHOR_MISSING
    assert today in problem.message


async def test_while_the_bucket_is_away_sealing_goes_on_and_the_head_follows(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = workspace.app.state.services
    sealer = Sealer(services.database, services.anchors)
    await add(workspace, ENTRIES)

    def away(*_: object) -> None:
        raise UnavailableError("The bucket does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put", away)
        with pytest.raises(UnavailableError):
            await all_of(sealer)
    assert sealer.lag() > 0
    before = await found(workspace)
    assert (before.intact, before.unsealed, before.anchors) == (True, 0, 0)
    await all_of(sealer)
    assert sealer.lag() == 0
    assert (await found(workspace)).anchors == 1


async def test_several_pods_make_one_chain(workspace: Workspace) -> None:
    services = workspace.app.state.services

    async def write_and_seal() -> None:
        sealer = Sealer(services.database, services.anchors)
        for _ in range(5):
            await add(workspace, 2)
            await all_of(sealer)

    await asyncio.gather(*(write_and_seal() for _ in range(3)))
    await seal(workspace)
    result = await found(workspace)
    assert result.intact, result
    assert result.unsealed == 0


async def test_an_entry_that_is_not_committed_yet_is_waited_for(workspace: Workspace) -> None:
    """Its number is below that of one that is: sealed without it, it would look like one that was put between."""
    services = workspace.app.state.services
    async with services.database.transaction() as tx:
        await record(tx, READER, "record.create", "Contacts/1")
        await add(workspace, 1)
        sealing = asyncio.create_task(seal(workspace))
        done, _ = await asyncio.wait({sealing}, timeout=0.5)
        assert not done
    await sealing
    result = await found(workspace)
    assert (result.intact, result.unsealed) == (True, 0)


async def test_the_login_of_the_workspace_changes_no_seal(sealed: Workspace) -> None:
    async with sealed.app.state.services.database.read() as connection:
        for statement in ("UPDATE {} SET subject = ''", "DELETE FROM {}"):
            with pytest.raises(DatabaseError):
                await connection.execute(f"{statement.format(connection.audit_log)} WHERE action = 'audit.seal'")


async def test_a_restored_copy_goes_on_and_says_where_it_is_from(sealed: Workspace) -> None:
    """A copy has another id, and none of the heads of the workspace that it is a copy of."""
    services = sealed.app.state.services
    copy = Anchors(services.storage, "copy234567")
    with_heads = await verify(services.database, copy)
    assert (with_heads.intact, with_heads.copied_from) == (True, (services.anchors.workspace,))
    await add(sealed, 2)
    await all_of(Sealer(services.database, copy))
    after = await verify(services.database, copy)
    assert (after.intact, after.anchors, after.copied_from) == (True, 1, (services.anchors.workspace,))


async def test_a_value_that_was_erased_is_known_as_such(sealed: Workspace, database_admin: MariaDbAdmin) -> None:
    """By the statement of the runbook."""
    runbook = (Path(__file__).parents[3] / "docs" / "runbooks" / "audit-erasure.md").read_text()
    statement = runbook.partition("```sql\n")[2].partition("```")[0]
    with by_hand(database_admin) as cursor:
        cursor.execute(f"USE `{sealed.settings.database.audit}`")
        cursor.execute("SET @person = %s", (OWNER,))
        cursor.execute(statement.rstrip().rstrip(";"))
        assert cursor.rowcount >= ENTRIES
    result = await found(sealed)
    assert (result.intact, result.problem) == (True, None)
    assert result.erased >= ENTRIES
    page = await sealed.client.get("/api/v1/audit?action=record", headers=await sealed.login())
    assert OWNER not in json.dumps([one["actor"] for one in page.json()["items"]])


async def test_the_command_says_what_it_found(
    sealed: Workspace,
    database_admin: MariaDbAdmin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a process of its own: a program configures the logs of its whole process."""
    as_in_its_pod(sealed, monkeypatch)

    async def verified(*words: str) -> tuple[int, str]:
        program = [sys.executable, "-m", "vivero_data", "audit", "verify", *words]
        done = await asyncio.to_thread(subprocess.run, program, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    code, said = await verified()
    assert (code, said.splitlines()[-1]) == (0, "The audit log is intact.")
    victim = (await ids(sealed))[3]
    with by_hand(database_admin) as cursor:
        cursor.execute(f"UPDATE {sealed.audit_log} SET subject = 'Contacts/7' WHERE id = %s", (victim,))
    code, said = await verified()
    assert code == 1
    assert said.splitlines()[-1].startswith(f"NOT INTACT: edited, entry {victim}.")
    code, said = await verified("--json")
    assert code == 1
    assert json.loads(said)["problem"] == {
        "kind": "edited",
        "entry": victim,
        "message": f"Entry {victim} was changed after it was sealed.",
    }
    (sealed.folder / "storage" / "secret_key").write_text("wrong")
    assert (await verified())[0] == 2


async def test_a_verification_is_a_job_whose_result_is_in_the_log(
    sealed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_in_its_pod(sealed, monkeypatch)
    owner = await sealed.login()
    client = sealed.client
    assert (await client.get("/api/v1/audit/verification", headers=owner)).json() is None
    answer = await client.post("/api/v1/audit/verification", headers=owner)
    assert answer.status_code == 202, answer.text
    number, deadline = answer.json()["id"], asyncio.get_running_loop().time() + 60
    while (job := (await client.get(f"/api/v1/jobs/{number}", headers=owner)).json())["state"] not in {
        "done",
        "failed",
    }:
        assert asyncio.get_running_loop().time() < deadline, job
        await asyncio.sleep(0.2)
    assert job["result"]["intact"] is True
    last = (await client.get("/api/v1/audit/verification", headers=owner)).json()
    assert (last["actor"], last["found"]) == (OWNER, job["result"])
    member = await sealed.user(owner, "member")
    for method in ("GET", "POST"):
        assert (await client.request(method, "/api/v1/audit/verification", headers=member)).status_code == 403
