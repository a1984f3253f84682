"""Dashboards as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType
from vivero_web.fields import LARGEST, documented

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART

MAX_TILES: Final = 24
MAX_TEXT: Final = 2000


class Width(StrEnum):
    """How much of a wide page a tile takes; on a narrow one every tile takes all."""

    HALF = "half"
    FULL = "full"


TileWidth = Annotated[Width, msgspec.Meta(description="How much of a wide page it takes.")]


class ReportTile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="report"):
    """The figures of a report: a chart, a table or one number."""

    report: Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="The report's number.")]
    width: TileWidth = Width.HALF


class ListTile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="list"):
    """The first records of a collection, or of one of its views."""

    collection: Annotated[str, msgspec.Meta(max_length=MAX_NAME * APART, description="The collection's name.")]
    view: (
        Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="The number of a view; null for the newest records.")]
        | None
    ) = None
    width: TileWidth = Width.HALF


class TextTile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """Words of people."""

    text: Annotated[str, documented("Shown as it is, with its line breaks.", minLength=1, maxLength=MAX_TEXT)]
    width: TileWidth = Width.HALF


Tile = ReportTile | ListTile | TextTile
Tiles = Annotated[tuple[Tile, ...], msgspec.Meta(max_length=MAX_TILES, description="In the order shown.")]
DashboardName = Annotated[str, documented("Another dashboard may have the same name.", minLength=1, maxLength=MAX_NAME)]
Shared = Annotated[bool, msgspec.Meta(description="Whether everybody in the workspace sees it, not its owner alone.")]
Home = Annotated[
    bool, msgspec.Meta(description="Whether the home page shows it: one at most, shared, chosen by administrators.")
]


class NewDashboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dashboard to make."""

    name: DashboardName
    tiles: Tiles = ()
    shared: Shared = True
    home: Home = False


class DashboardChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent parts stay as they are."""

    name: DashboardName | UnsetType = UNSET
    tiles: Tiles | UnsetType = UNSET
    shared: Shared | UnsetType = UNSET
    home: Home | UnsetType = UNSET


class Dashboard(msgspec.Struct, frozen=True):
    """A dashboard as it is stored; what a tile shows may be gone by now."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    name: DashboardName
    tiles: Tiles
    shared: Shared
    home: Home
    owner: Annotated[str, msgspec.Meta(description="E-mail of who made it; empty if that person is gone.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    updated_at: Annotated[datetime, msgspec.Meta(description="When it was changed last.")]
