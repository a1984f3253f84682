"""The documentation of the API in a workspace: every page of it opens, and what it says to type works as it is."""

import html
import json
import re
from pathlib import Path

import pytest
from integration.data_plane.workspace import HOST, Workspace
from support.good import OPTIONS
from support.served import in_shell, served
from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.field_types.registry import FieldType

CODE = re.compile(
    r'<pre tabindex="0" role="region" aria-label="(?P<label>[^"]*)"><code>(?P<text>.*?)</code>', re.DOTALL
)
ODD = 'Zoë\'s "100 %" & <i>日本 $HOME'
ADDRESS = f"https://{HOST}:8443"


def calls(page: str) -> dict[str, str]:
    """The blocks of code of a page by what they are called."""
    return {html.unescape(one["label"]): html.unescape(one["text"]) for one in CODE.finditer(page)}


async def opened(workspace: Workspace, headers: dict[str, str], path: str) -> str:
    answer = await workspace.client.get(path, headers=headers)
    assert answer.status_code == 200, path
    return answer.text


async def test_every_page_of_it_opens_for_everybody_and_has_the_workspaces_address(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    viewer = await workspace.user(owner, "viewer")
    contents = await opened(workspace, viewer, "/developers")
    assert f'curl "{ADDRESS}/api/v1/collections"' in calls(contents)["The first call"]
    sections = set(re.findall(r'href="(/developers/routes/[a-z-]+)"', contents))
    assert len(sections) > 15
    for path in sections:
        page = await opened(workspace, viewer, path)
        assert page.count(f"{ADDRESS}/") >= page.count("<section id=")
    anchors = re.findall(r'href="(/developers/routes/[a-z-]+)#(\w+)"', contents)
    assert len(anchors) > 100
    for path, name in anchors[::10]:
        assert f'id="{name}"' in await opened(workspace, viewer, path)


@pytest.mark.parametrize("name", ["Contacts", ODD], ids=["plain", "odd"])
async def test_the_calls_of_a_collection_work(
    workspace: Workspace, owner: dict[str, str], tmp_path: Path, name: str
) -> None:
    """With a field of every type, whatever the names are; unique ones take the example once."""
    await workspace.targets(owner, 3)
    kinds = [kind for kind in FieldType if not kind.kind.virtual]
    fields = [
        {
            "name": f"{ODD[: MAX_NAME - 12]} {kind}" if name == ODD else str(kind),
            "type": str(kind),
            "required": not (kind.kind.computed or kind.kind.uploaded) and kind is not FieldType.TEXT,
            "choices": [ODD, "b"] if kind.kind.has_choices else [],
            "options": {} if kind is FieldType.CHOICE else OPTIONS.get(kind, {}),
        }
        for kind in kinds
    ]
    await workspace.collection(owner, *fields, name=name)
    page = await opened(workspace, owner, f"/developers/collections/{name.replace('%', '%25').replace(' ', '%20')}")
    key = await workspace.client.post(
        "/api/v1/api-keys", json={"name": "x", "scopes": ["read", "write_records"]}, headers=owner
    )
    given = calls(page)
    filtered = next(label for label in given if label.startswith("Only those with"))
    order = ["Create a record", "List records", filtered, "Change a record", "Write many at once", "Delete a record"]
    assert set(order) == set(given)
    said = {}
    async with served(workspace.app) as address:
        for label in order:
            command = given[label].replace(ADDRESS, address).replace("curl", "curl -sS --fail-with-body", 1)
            said[label] = await in_shell(command, tmp_path, {"VIVERO_KEY": key.json()["token"]})
    assert json.loads(said["Create a record"])["id"] == 1
    for label in ("List records", filtered):
        assert [one["id"] for one in json.loads(said[label])["items"]] == [1]
    assert json.loads(said["Change a record"])["id"] == 1
    assert len(json.loads(said["Write many at once"])["created"]) == 2
    assert not said["Delete a record"]
