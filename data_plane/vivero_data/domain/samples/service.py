"""Sample data: what a template holds is made like anything else, is remembered, and goes with one click.

A definition of a collection commits by itself, so the parts are made one after the other, and what there is of them is
noted after each: what an interruption left is removed like the whole.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from vivero_web import clock
from vivero_web.errors import ConflictError, NotFoundError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections_repository
from vivero_data.domain.collections.schemas import NewCollection, NewField
from vivero_data.domain.collections.service import CollectionNotFoundError, CollectionService
from vivero_data.domain.dashboards.schemas import DashboardChanges, ListTile, NewDashboard, ReportTile, Tile
from vivero_data.domain.dashboards.service import DashboardNotFoundError, DashboardService
from vivero_data.domain.records.batches import BatchService
from vivero_data.domain.records.schemas import NewRecord, RecordBatch
from vivero_data.domain.reports.errors import ReportNotFoundError
from vivero_data.domain.reports.schemas import NewReport
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.json import decode, encode

TEMPLATES: Final = ("nursery", "orders", "assets", "contracts")
_FOLDER: Final = Path(__file__).parent
_DAY: Final = re.compile(r"today(?P<days>[+-]\d{1,4})?")
_HOME: Final = "Home"


class SampleCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A collection with its records; each row has a value for each field."""

    name: str
    description: str
    fields: list[NewField]
    rows: list[list[Any]]


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a data file holds; the tiles of the home page are the reports, and then the lists."""

    title: str
    lead: str
    collections: list[SampleCollection]
    reports: list[NewReport]
    lists: list[str]


class Sample(msgspec.Struct, frozen=True):
    """What was made of a template: numbers of collections, reports and the dashboard."""

    id: int
    template: str
    collections: tuple[int, ...] = ()
    reports: tuple[int, ...] = ()
    dashboard: int | None = None


class TemplateNotFoundError(NotFoundError):
    """There is no such template."""

    def __init__(self) -> None:
        super().__init__("There is no such template.")


class SampleNotFoundError(NotFoundError):
    """There is no such sample data, or it was removed."""

    def __init__(self) -> None:
        super().__init__("This sample data is not here any more.")


class SampleTakenError(ConflictError):
    """The workspace has a collection of a name that the template needs."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a collection {name} already. Rename it first, or start from another template.")


@cache
def template(name: str) -> Template:
    """A template by its name.

    Raises:
        TemplateNotFoundError: there is none.
    """
    if name not in TEMPLATES:
        raise TemplateNotFoundError
    return msgspec.convert(decode((_FOLDER / f"{name}.json").read_bytes()), Template)


def values_of(fields: Sequence[NewField], row: Sequence[Any], today: date) -> dict[str, Any]:
    """A record's values by name; days are told from today on, so that the figures are of this year whenever it is."""
    return {field.name: _dated(value, today) for field, value in zip(fields, row, strict=True)}


def _dated(value: Any, today: date) -> Any:  # noqa: ANN401  a field's value
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    return (today + timedelta(days=int(found["days"] or 0))).isoformat() if found else value


class SampleService:
    """Administrators start from a template, and remove what came of it."""

    def __init__(
        self,
        database: Database,
        collections: CollectionService,
        batches: BatchService,
        reports: ReportService,
        dashboards: DashboardService,
    ) -> None:
        self._database = database
        self._collections = collections
        self._batches = batches
        self._reports = reports
        self._dashboards = dashboards

    async def list(self, actor: Actor) -> list[Sample]:
        """What is there of templates, the newest first."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return await _select(connection)

    async def start(self, actor: Actor, name: str) -> Sample:
        """Make what a template holds.

        Raises:
            SampleTakenError: a collection has one of its names.
            PlanLimitError: there is no room for its records.
        """
        require_permission(actor, Permission.MANAGE_WORKSPACE)
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        wanted = template(name)
        async with self._database.transaction() as tx:
            for one in wanted.collections:
                if await collections_repository.get(tx, one.name):
                    raise SampleTakenError(one.name)
            number = await tx.insert("INSERT INTO samples (template, made) VALUES (%s, '{}')", name)
            await record(tx, actor, "sample.create", wanted.title)
        sample = Sample(number, name)
        for one in wanted.collections:
            sample = await self._make_collection(actor, sample, one)
        for report in wanted.reports:
            made = await self._reports.create(actor, report)
            sample = await self._note(msgspec.structs.replace(sample, reports=(*sample.reports, made.id)))
        return await self._make_dashboard(actor, sample, wanted)

    async def remove(self, actor: Actor, sample_id: int) -> None:
        """Remove what is left of it; the collections go to the trash with all that was added to them.

        Raises:
            SampleNotFoundError: it was removed before.
        """
        require_permission(actor, Permission.MANAGE_WORKSPACE)
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            sample = next((one for one in await _select(connection) if one.id == sample_id), None)
            if sample is None:
                raise SampleNotFoundError
            rows = await connection.fetch_all("SELECT id, COALESCE(label, name) FROM collections")
        names = {int(number): str(name) for number, name in rows}
        await self._clear_dashboard(actor, sample, {names[one] for one in sample.collections if one in names})
        for report in sample.reports:
            await _unless_gone(self._reports.delete(actor, report))
        for one in sample.collections:
            if one in names:
                await _unless_gone(self._collections.delete(actor, names[one]))
        async with self._database.transaction() as tx:
            if await tx.execute("DELETE FROM samples WHERE id = %s", sample_id):
                await record(tx, actor, "sample.delete", template(sample.template).title)

    async def _make_collection(self, actor: Actor, sample: Sample, one: SampleCollection) -> Sample:
        made = await self._collections.create(actor, NewCollection(one.name, one.fields, one.description))
        sample = await self._note(msgspec.structs.replace(sample, collections=(*sample.collections, made.id)))
        today = clock.now().date()
        rows = [NewRecord(values_of(one.fields, row, today)) for row in one.rows]
        await self._batches.write(actor, made.name, RecordBatch(create=rows))
        return sample

    async def _make_dashboard(self, actor: Actor, sample: Sample, wanted: Template) -> Sample:
        """Tiles on the home page: behind those that are there, or on a dashboard of its own."""
        tiles: tuple[Tile, ...] = (*map(ReportTile, sample.reports), *map(ListTile, wanted.lists))
        home = await self._dashboards.home(actor)
        if home is not None:
            await self._dashboards.update(actor, home.id, DashboardChanges(tiles=(*home.tiles, *tiles)))
            return sample
        made = await self._dashboards.create(actor, NewDashboard(_HOME, tiles, home=True))
        return await self._note(msgspec.structs.replace(sample, dashboard=made.id))

    async def _clear_dashboard(self, actor: Actor, sample: Sample, names: set[str]) -> None:
        """Take its tiles off the home page; the dashboard that came with it goes if no other tile is left."""
        home = await self._dashboards.home(actor)
        if home is None:
            return
        left = tuple(
            tile
            for tile in home.tiles
            if not (isinstance(tile, ReportTile) and tile.report in sample.reports)
            and not (isinstance(tile, ListTile) and tile.collection in names)
        )
        if not left and home.id == sample.dashboard:
            await _unless_gone(self._dashboards.delete(actor, home.id))
        else:
            await self._dashboards.update(actor, home.id, DashboardChanges(tiles=left))

    async def _note(self, sample: Sample) -> Sample:
        made = {"collections": sample.collections, "reports": sample.reports, "dashboard": sample.dashboard}
        async with self._database.transaction() as tx:
            await tx.execute("UPDATE samples SET made = %s WHERE id = %s", encode(made), sample.id)
        return sample


async def _unless_gone(removal: Any) -> None:  # noqa: ANN401  a coroutine of any result
    try:
        await removal
    except (CollectionNotFoundError, ReportNotFoundError, DashboardNotFoundError):
        return


async def _select(connection: Connection) -> list[Sample]:
    rows = await connection.fetch_all("SELECT id, template, made FROM samples ORDER BY id DESC LIMIT 20")
    return [msgspec.convert({"id": number, "template": name, **decode(made)}, Sample) for number, name, made in rows]
