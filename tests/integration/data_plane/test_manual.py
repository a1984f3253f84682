"""The customer's manual: its examples do in a workspace what it says, its links lead somewhere, its limits are the program's."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from support.guide import Block, blocks
from support.served import in_shell, served
from vivero_data.domain.api_keys.schemas import Scope
from vivero_data.domain.collections.schemas import MAX_CHOICES, MAX_FIELDS
from vivero_data.domain.collections.service import MAX_COLLECTIONS
from vivero_data.domain.comments.service import MAX_COMMENTS
from vivero_data.domain.dashboards.schemas import MAX_TILES
from vivero_data.domain.dashboards.service import MAX_DASHBOARDS
from vivero_data.domain.favourites.service import MAX_FAVOURITES
from vivero_data.domain.field_types.file import MAX_FILES
from vivero_data.domain.imports.schemas import MAX_COLUMNS
from vivero_data.domain.imports.tables import MAX_ROWS
from vivero_data.domain.records.files import MAX_ATTACHMENTS
from vivero_data.domain.records.schemas import MAX_BATCH
from vivero_data.domain.report_mails.schemas import MAX_RECIPIENTS, MAX_SCHEDULES
from vivero_data.domain.reports.service import MAX_REPORTS
from vivero_data.domain.views.service import MAX_VIEWS
from vivero_data.domain.webhooks.schemas import MAX_WEBHOOKS
from vivero_data.lib.pages import MAX_LIMIT
from vivero_web.api_keys import MAX_KEYS

MANUAL = Path(__file__).parents[3] / "docs" / "manual"
INDEX = MANUAL / "README.md"
CHAPTERS = [MANUAL / name for name in re.findall(r"\]\(([a-z-]+\.md)\)", INDEX.read_text())]
KNOWN = {"sh", "json", "python", "text", "setup", "csv"}
ANYTHING = "…"
# Who reads begins with the chapter on the API; its examples need the collection that another chapter makes.
FIRST = ("fields.md",)
ORDER = sorted(CHAPTERS, key=lambda chapter: chapter.name not in FIRST)


def fits(said: Any, declared: Any) -> bool:  # noqa: ANN401  any JSON
    """Whether an answer has all that the manual shows of it."""
    if declared == ANYTHING:
        return isinstance(said, str)
    if isinstance(declared, dict):
        return isinstance(said, dict) and all(key in said and fits(said[key], one) for key, one in declared.items())
    if isinstance(declared, list):
        return isinstance(said, list) and len(said) == len(declared) and all(map(fits, said, declared))
    return bool(said == declared)


def same_text(said: str, declared: str) -> bool:
    return (
        re.fullmatch(
            re.escape(declared.strip()).replace(ANYTHING, r"[^,\n]+"), said.strip("\ufeff \r\n").replace("\r", "")
        )
        is not None
    )


def check(said: str, result: Block) -> None:
    if result.info == "json":
        assert fits(json.loads(said), json.loads(result.text)), f"{result.text}\n{said}"
    else:
        assert same_text(said, result.text), f"{result.text}\n{said}"


@pytest.fixture
async def environment(workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the reader has put into the shell, but for the address; and the workspace's, for its jobs."""
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)
    key = await workspace.client.post("/api/v1/api-keys", json={"name": "Manual", "scopes": [*Scope]}, headers=owner)
    token = owner["authorization"].removeprefix("Bearer ")
    return {"VIVERO_KEY": key.json()["token"], "VIVERO_TOKEN": token}


async def test_every_example_does_what_is_said(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path
) -> None:
    results = 0
    async with served(workspace.app) as address:
        variables = {**environment, "VIVERO": address}
        for chapter in ORDER:
            said = ""
            for block in blocks(chapter):
                kind, _, name = block.info.partition(" ")
                assert kind in KNOWN, (chapter.name, block.line, kind)
                if kind in {"json", "text"}:
                    check(said, block)
                    results += 1
                elif kind == "csv":
                    await asyncio.to_thread((tmp_path / name).write_text, block.text)
                elif kind == "sh":
                    said = await in_shell(block.text.replace("curl ", "curl -sS "), tmp_path, variables)
                elif kind == "python":
                    said = await in_shell(block.text, tmp_path, variables, by=sys.executable)
    assert results > 15


@pytest.mark.parametrize("chapter", [INDEX, *CHAPTERS], ids=lambda path: path.name)
def test_every_link_leads_somewhere(chapter: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", chapter.read_text())
    inside = [one for one in targets if not one.startswith("https://")]
    assert [one for one in inside if not (MANUAL / one).is_file()] == []


def test_every_chapter_is_in_the_contents_once() -> None:
    assert sorted(path.name for path in CHAPTERS) == sorted(path.name for path in MANUAL.glob("*.md") if path != INDEX)


def test_the_limits_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (MANUAL / "limits.md").read_text(), re.MULTILINE)
    said = {what: most for what, most in rows if what != "What"}
    known = {
        "Collections": [MAX_COLLECTIONS],
        "Fields of a collection": [MAX_FIELDS],
        "Choices of a field": [MAX_CHOICES],
        "Files of a cell, attachments of a record": [MAX_FILES, MAX_ATTACHMENTS],
        "Records of a batch": [MAX_BATCH],
        "Items of a page of the API": [MAX_LIMIT],
        "Shared views of a collection, and as many of your own": [MAX_VIEWS],
        "Reports, dashboards, tiles of a dashboard": [MAX_REPORTS, MAX_DASHBOARDS, MAX_TILES],
        "Schedules of mails, people on one": [MAX_SCHEDULES, MAX_RECIPIENTS],
        "Rows and columns of an import": [MAX_ROWS, MAX_COLUMNS],
        "API keys of a person": [MAX_KEYS],
        "Webhooks": [MAX_WEBHOOKS],
        "Favourites of a person": [MAX_FAVOURITES],
        "Comments on a record": [MAX_COMMENTS],
    }
    assert {what: said[what] for what in known} == {
        what: ", ".join(f"{one:,}" for one in most) for what, most in known.items()
    }


def test_an_answer_that_says_something_else_is_found() -> None:
    assert fits({"a": 1, "b": [{"c": "x"}]}, {"b": [{"c": "…"}]})
    assert not fits({"a": 1}, {"a": 2})
    assert not fits({"a": [1, 2]}, {"a": [1]})
    assert not fits({}, {"a": "…"})
    assert same_text("1,2026\n", "1,…")
    assert not same_text("1,2\n3", "1,…")
