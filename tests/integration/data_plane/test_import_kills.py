"""The child of an import is killed behind each of its commits: the next attempt goes on, and no row is lost or twice."""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from integration.data_plane.test_imports import GERMAN, Importer
from integration.data_plane.workspace import Workspace
from vivero_data.domain.jobs.runner import JobRunner

PATIENCE: Final = 120.0
MOST: Final = 20  # commits; an import of so few rows has fewer
ROWS: Final = 5
CONTENT: Final = GERMAN + "Schaufel;9,99;5;16.03.2026;ja;\r\nSchnur;1,00;7;17.03.2026;nein;\r\n"

# Batches of two rows, and death behind a commit.
CHILD: Final = """
import os, signal, sys
from vivero_data.db.database import Connection
from vivero_data.domain.imports import tables
from vivero_data.main import main
tables.BATCH = 2
left, run = {kill}, Connection._run
async def dying(self, sql, params):
    global left
    answer = await run(self, sql, params)
    left -= sql == "COMMIT"
    if sql == "COMMIT" and left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
Connection._run = dying
sys.exit(main())
"""


@pytest.fixture
def importer(no_runner: None, workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Importer:
    """Whose jobs only a test begins."""
    assert no_runner is None
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)
    return Importer(workspace, owner)


async def attempt(workspace: Workspace, folder: Path, kill: int) -> None:
    """One attempt that dies behind this commit, if it has so many."""
    program = folder / "child.py"
    program.write_text(CHILD.format(kill=kill))
    services = workspace.app.state.services
    async with services.database.transaction() as tx:
        await tx.execute("UPDATE jobs SET due_at = CURRENT_TIMESTAMP(6)")
    runner = JobRunner(services.database, asyncio.Event(), (sys.executable, str(program)), PATIENCE)
    assert await runner.once()


async def assert_indexed(workspace: Workspace, collection: dict[str, Any]) -> None:
    """Each field that is said to have an index has one, and all that can have one do."""
    indexed = {f"i_{field['column']}" for field in collection["fields"] if field["indexed"]}
    async with workspace.app.state.services.database.read() as connection:
        found = await connection.fetch_all(
            "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
            " AND table_name = CONCAT('c_', (SELECT id FROM collections WHERE name = %s)) AND index_name LIKE 'i%%'",
            collection["name"],
        )
    assert {name for (name,) in found} == indexed
    assert len(indexed) == len(collection["fields"])


async def test_an_import_and_its_undo_survive_death_behind_each_commit(
    importer: Importer, workspace: Workspace, tmp_path: Path
) -> None:
    died = []
    for kill in range(1, MOST):
        name = f"Lager {kill}"
        started = await importer.started("/imports", CONTENT.encode("cp1252"), "Lager.csv", name=name)
        await attempt(workspace, tmp_path, kill)
        done = await importer.get(started["id"])
        died.append(done["state"] != "done")
        if died[-1]:
            await attempt(workspace, tmp_path, MOST)
            done = await importer.get(started["id"])
        assert (done["state"], done["done"], done["inserted"], done["failed"]) == ("done", ROWS, ROWS, 0), kill
        found = [values["Artikel"] for values in await importer.values(name)]
        assert found == ["Rosenschere", 'Gießkanne "groß"', "Töpfe", "Schaufel", "Schnur"], kill
        await assert_indexed(workspace, await importer.collection(name))
        usage = (await importer.client.get("/api/v1/usage", headers=importer.headers)).json()
        assert usage["records"]["used"] == ROWS
        answer = await importer.client.post(f"/api/v1/imports/{started['id']}/undo", headers=importer.headers)
        assert answer.status_code == 202
        await attempt(workspace, tmp_path, kill)
        if (await importer.get(started["id"]))["state"] != "undone":
            await attempt(workspace, tmp_path, MOST)
        undone = await importer.get(started["id"])
        assert (undone["state"], undone["kept"]) == ("undone", 0), kill
        assert await importer.collection(name) is None, kill
        usage = (await importer.client.get("/api/v1/usage", headers=importer.headers)).json()
        assert usage["records"]["used"] == 0
        if not died[-1]:
            break
    assert len(died) > 4, "a collection, three batches, the indexes and the end have a commit each"
    assert not died[-1], "an import of five rows has more commits than were tried"
