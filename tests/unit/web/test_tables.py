"""In every table of both programs a column's head stands where its cells do, the first one's too."""

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import httpx
import pytest
from litestar import Litestar
from msgspec import structs
from support.asgi import transport_to
from support.programs import addresses
from unit.control_plane_web.fakes import OpenDoor
from unit.control_plane_web.fakes import make_app as control_plane_pages
from unit.data_plane.builders import collection, field
from unit.data_plane_web.fakes import World
from unit.data_plane_web.fakes import make_app as data_plane_pages
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Rows(HTMLParser):
    """Of every table on a page: for each row which of its cells stand at the end of their lines."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[bool]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # An answer to htmx may be rows alone, which come to stand in a table.
        if tag == "table" or (tag == "tr" and not self.tables):
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        elif tag in {"th", "td"}:
            self.tables[-1][-1].append("v-end" in (dict(attributes).get("class") or "").split())


def workspace(first: FieldType) -> Litestar:
    """With a collection of every type; the first column is of that one."""
    world = World()
    kinds = [first, *(kind for kind in FieldType if kind is not first)]
    things = structs.replace(collection(*(field(kind, number) for number, kind in enumerate(kinds, 10))), name="x")
    world.collections["x"] = things
    world.records["x"] = {1: Record(1, 1, {one.name: None for one in things.fields}, NOW, NOW)}
    return data_plane_pages(world)


async def tables(app: Litestar, *paths: str) -> list[list[list[bool]]]:
    transport = transport_to(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://vivero.localhost") as client:
        pages = [await client.get(path, headers={"accept": "text/html"}) for path in paths]
    return [table for page in pages for table in Rows(page.text).tables]


PROGRAMS: dict[str, Callable[[], Litestar]] = {
    "control plane": lambda: control_plane_pages(sessions=OpenDoor()),
    "workspace": lambda: workspace(FieldType.TEXT),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_heads_and_cells_agree(program: str) -> None:
    app = PROGRAMS[program]()
    found = await tables(app, *(path for path, methods in addresses(app) if "GET" in methods and "events" not in path))
    assert len(found) >= 2
    assert [table for table in found if any(row != table[0] for row in table)] == []


@pytest.mark.parametrize("kind", FieldType)
async def test_whatever_the_first_column_holds(kind: FieldType) -> None:
    ((head, *rows),) = await tables(workspace(kind), "/collections/x")
    assert rows == [head]
