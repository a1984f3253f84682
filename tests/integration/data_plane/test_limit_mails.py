"""Limits that are nearly or fully used are told to the owners by mail, once until there was room again."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest
from integration.data_plane.test_jobs import environ, sql
from integration.data_plane.test_links import Post, sink
from integration.data_plane.workspace import OWNER, Workspace
from vivero_data.domain.jobs.runner import JobRunner
from vivero_data.domain.usage.telling import tell_owners

__all__ = ("environ", "sink")


class Telling:
    """A workspace with a plan of 100 records, whose counter and mails a test moves itself."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.services = workspace.app.state.services

    async def use(self, records: int) -> None:
        async with self.services.database.transaction() as tx:
            await tx.execute("UPDATE counters SET value = %s WHERE name = 'records'", records)

    async def tell(self, pods: int = 1) -> int:
        """How many mails began, with several pods looking at once."""
        calls = (tell_owners(self.services.database, self.services.limits, asyncio.Event()) for _ in range(pods))
        return sum(await asyncio.gather(*calls))

    async def send(self) -> None:
        assert await JobRunner(self.services.database, self.services.jobs.wakeup).once()


@pytest.fixture
def telling(no_runner: None, workspace: Workspace, owner: dict[str, str]) -> Telling:
    assert no_runner is None
    assert owner
    made = Telling(workspace)
    workspace.set_limits(records=100, users=None, storage_bytes=None)
    made.services.limits._looked = 0.0  # noqa: SLF001  else the plan may be a second old
    return made


async def test_a_level_is_told_once_however_many_look(telling: Telling) -> None:
    for used, begun in ((79, 0), (80, 1), (90, 0), (78, 0), (82, 0), (100, 1), (96, 0), (100, 0)):
        await telling.use(used)
        assert await telling.tell(pods=3) == begun, used


async def test_it_is_told_again_after_there_was_room(telling: Telling) -> None:
    for used, begun in ((100, 1), (90, 0), (100, 1), (60, 0), (80, 1), (100, 1)):
        await telling.use(used)
        assert await telling.tell() == begun, used


async def test_a_larger_plan_is_room_and_a_smaller_one_is_told(telling: Telling) -> None:
    await telling.use(90)
    assert await telling.tell() == 1
    for records, begun in ((1000, 0), (None, 0), (90, 1)):
        telling.workspace.set_limits(records=records, users=None, storage_bytes=None)
        telling.services.limits._looked = 0.0  # noqa: SLF001  as above
        assert await telling.tell() == begun, records


async def test_each_active_owner_is_told(telling: Telling) -> None:
    await sql(
        telling.workspace,
        "INSERT INTO users (email, name, role, active, password_hash) VALUES ('b@example.com', 'B', 'owner', TRUE, 'x'),"
        " ('c@example.com', 'C', 'owner', FALSE, 'x'), ('d@example.com', 'D', 'admin', TRUE, 'x')",
    )
    await telling.use(80)
    assert await telling.tell() == 2


async def test_the_mail_arrives_with_the_figure_of_now(
    telling: Telling, platform: dict[str, Any], sink: httpx.AsyncClient, environ: dict[str, str]
) -> None:
    assert environ
    folder = telling.workspace.folder / "mail"
    folder.mkdir()
    files = {"host": "127.0.0.1", "port": str(platform["mail"]["smtp_port"]), "sender": "Vivero <t@vivero.example>"}
    for name, content in files.items():
        (folder / name).write_text(content)
    owner = f"limits-{secrets.token_hex(5)}@example.com"
    async with telling.services.database.transaction() as tx:
        await tx.execute("UPDATE users SET email = %s WHERE email = %s", owner, OWNER)
    await telling.use(85)
    assert await telling.tell() == 1
    await telling.use(87)
    await telling.send()
    text = await Post(telling.workspace, sink).wait_for(owner)
    assert "87 of the 100 of records" in text


async def test_without_a_mail_server_the_job_ends(telling: Telling, environ: dict[str, str]) -> None:
    assert environ
    await telling.use(80)
    assert await telling.tell() == 1
    await telling.send()
    async with telling.services.database.read() as connection:
        assert await connection.fetch_one("SELECT state, result FROM jobs") == ("done", '{"mails":0}')


async def test_all_limits_are_published_with_what_is_used(telling: Telling, owner: dict[str, str]) -> None:
    await telling.workspace.collection(owner)
    await telling.use(7)
    answer = await telling.workspace.client.get("/api/v1/limits", headers=owner)
    assert answer.status_code == 200
    told = {one["name"]: (one["used"], one["limit"]) for group in answer.json() for one in group["limits"]}
    assert (told["Records"], told["Collections"], told["Fields of a collection"]) == ((7, 100), (1, 500), (None, 50))
