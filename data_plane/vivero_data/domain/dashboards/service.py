"""Dashboards: viewers read them, members make their own, administrators choose the home page's."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections.names import fold, name_problem, text_problem
from vivero_data.domain.collections.service import shown_to
from vivero_data.domain.dashboards import repository
from vivero_data.domain.dashboards.repository import Content, StoredDashboard
from vivero_data.domain.dashboards.schemas import (
    MAX_TEXT,
    Dashboard,
    DashboardChanges,
    ListTile,
    NewDashboard,
    ReportTile,
    Tile,
)
from vivero_data.domain.limits.service import ANALYTICS, LimitService, require_feature
from vivero_data.domain.reports import service as reports
from vivero_data.domain.reports.service import require_may_change
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

MAX_DASHBOARDS: Final = 200
_SORT: Final = "-id"


class DashboardNotFoundError(NotFoundError):
    """No dashboard has this number, or it is somebody else's own."""

    def __init__(self) -> None:
        super().__init__("There is no such dashboard.")


class DashboardsFullError(ConflictError):
    """A workspace has a bounded number of dashboards, whatever its plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A workspace has at most {bound} dashboards.")


class DashboardService:
    """The workspace's dashboards."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Dashboard]:
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            rows = await repository.select_page(connection, actor.user_id, limit, below)
            names = await _names(connection, actor)
        return page_of([opened(row, names) for row in rows], limit, lambda one: cursors.by_id(_SORT, one.id))

    async def get(self, actor: Actor, dashboard_id: int) -> Dashboard:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            row = await _found(connection, actor, dashboard_id)
            return opened(row, await _names(connection, actor))

    async def home(self, actor: Actor) -> Dashboard | None:
        """What the home page shows."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            row = await repository.home(connection)
            return opened(row, await _names(connection, actor)) if row else None

    async def create(self, actor: Actor, new: NewDashboard) -> Dashboard:
        require_permission(actor, Permission.WRITE_RECORDS)
        if not new.home:
            require_feature(self._limits.current, ANALYTICS, "dashboards beside the one of the home page")
        async with self._database.transaction() as tx:
            names = await _names(tx, actor)
            content = Content(tidy(new.name), new.tiles, new.shared, new.home)
            content = await _checked(tx, actor, content, names, {})
            if await repository.count(tx) >= MAX_DASHBOARDS:
                raise DashboardsFullError(MAX_DASHBOARDS)
            await _make_home(tx, actor, before=False, after=content.home)
            number = await repository.insert(tx, actor.user_id, content)
            made = opened(await _found(tx, actor, number), names)
            await record(tx, actor, "dashboard.create", made.name, after=_described(made))
        return made

    async def update(self, actor: Actor, dashboard_id: int, changes: DashboardChanges) -> Dashboard:
        """Change a dashboard; one without a change writes nothing."""
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            row = await _found(tx, actor, dashboard_id, lock=True)
            require_may_change(actor, row.owner_id)
            names = await _names(tx, actor)
            before = opened(row, names)
            said = {
                name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET
            }
            parts = {name: getattr(before, name) for name in Content.__struct_fields__} | said
            content = await _checked(
                tx,
                actor,
                Content(**{**parts, "name": tidy(parts["name"])}),
                names,
                dict(zip(before.tiles, row.content.tiles, strict=True)),
            )
            if content == row.content:
                return before
            await _make_home(tx, actor, before=row.content.home, after=content.home)
            await repository.update(tx, dashboard_id, content)
            after = opened(await _found(tx, actor, dashboard_id), names)
            await record(tx, actor, "dashboard.update", after.name, before=_described(before), after=_described(after))
        return after

    async def delete(self, actor: Actor, dashboard_id: int) -> None:
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            row = await _found(tx, actor, dashboard_id, lock=True)
            require_may_change(actor, row.owner_id)
            gone = opened(row, await _names(tx, actor))
            await repository.delete(tx, dashboard_id)
            await record(tx, actor, "dashboard.delete", gone.name, before=_described(gone))


async def _names(connection: Connection, actor: Actor) -> dict[str, str]:
    """The names of the collections that there are for the actor, by number as text."""
    shown = await shown_to(connection, actor)
    names = await repository.collection_names(connection)
    return names if shown is None else {number: name for number, name in names.items() if int(number) in shown}


async def _found(connection: Connection, actor: Actor, dashboard_id: int, *, lock: bool = False) -> StoredDashboard:
    row = await repository.get(connection, dashboard_id, actor.user_id, lock=lock)
    if row is None:
        raise DashboardNotFoundError
    return row


async def _make_home(tx: Connection, actor: Actor, *, before: bool, after: bool) -> None:
    """Only administrators choose what everybody sees first."""
    if before != after:
        require_permission(actor, Permission.MANAGE_WORKSPACE)
        await repository.no_home(tx)


async def _checked(
    tx: Connection, actor: Actor, content: Content, names: Mapping[str, str], known: Mapping[Tile, Tile]
) -> Content:
    """The content with collections by number. Tiles in `known` stay as they are stored, whatever became of what they show.

    Raises:
        InvalidInputError: naming every place at fault.
    """
    problem = name_problem(content.name)
    errors = [FieldError("name", problem)] if problem else []
    if content.home and not content.shared:
        errors.append(FieldError("home", "is only for a shared dashboard"))
    numbers = {fold(name): number for number, name in names.items()}
    tiles = []
    for index, tile in enumerate(content.tiles):
        if tile in known:
            tiles.append(known[tile])
            continue
        found = await _tile_problem(tx, actor, tile, numbers)
        errors += [FieldError(f"tiles[{index}].{found[0]}", found[1])] if found else []
        tiles.append(_by_number(tile, numbers))
    if errors:
        raise InvalidInputError.of_all(errors)
    return msgspec.structs.replace(content, tiles=tuple(tiles))


async def _tile_problem(tx: Connection, actor: Actor, tile: Tile, numbers: Mapping[str, str]) -> tuple[str, str] | None:
    """The part of a new tile that is at fault, and why."""
    if isinstance(tile, ReportTile):
        return None if await reports.find(tx, actor, tile.report) else ("report", "is not there")
    if isinstance(tile, ListTile):
        return None if fold(tile.collection) in numbers else ("collection", "names no collection")
    problem = "must not be empty" if not tile.text.strip() else text_problem(tile.text, MAX_TEXT)
    return ("text", problem) if problem else None


def _by_number(tile: Tile, numbers: Mapping[str, str]) -> Tile:
    """A list's collection by its number."""
    if not isinstance(tile, ListTile):
        return tile
    return msgspec.structs.replace(tile, collection=numbers.get(fold(tile.collection), tile.collection))


def opened(row: StoredDashboard, names: Mapping[str, str]) -> Dashboard:
    tiles = tuple(
        msgspec.structs.replace(tile, collection=names.get(tile.collection, tile.collection))
        if isinstance(tile, ListTile)
        else tile
        for tile in row.content.tiles
    )
    return Dashboard(
        id=row.id,
        name=row.content.name,
        tiles=tiles,
        shared=row.content.shared,
        home=row.content.home,
        owner=row.owner,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _described(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as the audit log has it."""
    said: dict[str, Any] = msgspec.to_builtins(dashboard)
    return {name: said[name] for name in Content.__struct_fields__}
