"""Saved views: one's own, which nobody else sees, and those that are shared.

Whoever may write records shares a view; it is changed by who saved it and by who manages collections, who also choose
the view that a collection shows first, and lock views, so that they alone change them.
"""

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET
from vivero_web import clock
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotAllowedError, NotFoundError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.names import MAX_NAME, name_problem
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.seen import seen
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.records.access import access_by_id, access_of
from vivero_data.domain.records.filters import parse_tree
from vivero_data.domain.records.schemas import Narrowing, RecordQuery
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.views import repository
from vivero_data.domain.views.repository import SHARED, Placed, StoredView
from vivero_data.domain.views.schemas import NamedView, NewView, Spec, View, ViewChanges, ViewColumn, ViewKind
from vivero_data.domain.views.spec import KeptSpec, check, check_kind, kept, names_of, order_of, read
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

MAX_VIEWS: Final = 100  # of a collection that are shared, and as many of each user's own
MAX_FOUND: Final = 8
"""As many as the palette shows."""
_SORT: Final = "position"
VIEW: Final = "view"
"""A shared view that was deleted, as the trash has it."""
Change = tuple[View | None, View | None]
"""A view before and after."""


class ViewNotFoundError(NotFoundError):
    """The caller sees no such view."""

    def __init__(self) -> None:
        super().__init__("There is no such view of this collection.")


class ViewNameTakenError(ConflictError):
    """Another view that the same people see has this name."""

    def __init__(self) -> None:
        message = "is the name of a view that exists"
        super().__init__(f"name: {message}", errors=[FieldError("name", message)])


class ViewsFullError(ConflictError):
    """A collection has a bounded number of views."""

    def __init__(self) -> None:
        super().__init__(f"A collection has at most {MAX_VIEWS} shared views, and as many of your own.")


class BrokenViewError(ConflictError):
    """A condition of the view does not fit its field any more: without it other records would be shown."""

    def __init__(self, view: View) -> None:
        gone = f" Deleted since: {', '.join(view.gone)}." if view.gone else ""
        super().__init__(
            f"The view {view.name} has a condition that does not fit the fields any more.{gone} Change its filter."
        )


class ViewService:
    """The views of collections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, actor: Actor, collection: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[View]:
        """One page of what the actor sees, by position."""
        require_permission(actor, Permission.READ)
        check_limit(limit)
        place = cursors.decode(cursor, _SORT) if cursor else None
        async with self._database.read() as connection:
            definition = (await access_of(connection, actor, collection)).collection
            after = (_position(place), place.id) if place else None
            found = await repository.select_page(connection, definition.id, actor.user_id, limit, after)
        page = page_of(found, limit, lambda one: cursors.encode(cursors.Cursor(_SORT, one.id, str(one.position))))
        return Page([view for one in page.items if (view := _shown(actor, definition, one))], page.next_cursor)

    async def get(self, actor: Actor, collection: str, view_id: int) -> View:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            definition = (await access_of(connection, actor, collection)).collection
            stored = await repository.get(connection, definition.id, actor.user_id, view_id)
        return _there(actor, definition, stored)

    async def named(self, actor: Actor, collection: str, name: str) -> View:
        """The actor's own view of this name, or else the shared one."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            definition = (await access_of(connection, actor, collection)).collection
            stored = await repository.named(connection, definition.id, actor.user_id, name)
        return _there(actor, definition, stored)

    async def find(self, actor: Actor, words: str) -> builtins.list[NamedView]:
        """The first by name whose name contains the words, of all collections; none without a word."""
        require_permission(actor, Permission.READ)
        if not words:
            return []
        async with self._database.read() as connection:
            found = await repository.search(connection, actor.user_id, words, MAX_FOUND)
            return await named_among(connection, actor, found)

    async def create(self, actor: Actor, collection: str, new: NewView) -> View:
        require_permission(actor, Permission.READ)
        _require_sharing(actor, new)
        name = _checked_name(new.name)
        async with self._database.transaction() as tx:
            definition = await _locked(tx, actor, collection)
            check(definition, new.spec)
            check_kind(definition, new.spec)
            stored = StoredView(
                id=0,
                name=name,
                kind=new.kind,
                owner_id=actor.user_id,
                scope=SHARED if new.shared else actor.user_id,
                default=new.default,
                locked=new.locked,
                position=await repository.next_position(tx, definition.id) if new.position is None else new.position,
                spec=kept(definition, new.spec),
                created_at=clock.now(),
                updated_at=clock.now(),
            )
            if await repository.count(tx, definition.id, stored.scope) >= MAX_VIEWS:
                raise ViewsFullError
            if new.default:
                await repository.no_default(tx, definition.id)
            try:
                number = await repository.insert(tx, definition.id, stored)
            except DuplicateKeyError as error:
                raise ViewNameTakenError from error
            made = opened(definition, _found(await repository.get(tx, definition.id, actor.user_id, number)))
            await _log(tx, actor, "view.create", definition, (None, made))
        return made

    async def change(self, actor: Actor, collection: str, view_id: int, changes: ViewChanges) -> View:
        """Set some parts; a part that uses a field that is gone is checked when it is set again."""
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            definition = await _locked(tx, actor, collection)
            before = _found(await repository.get(tx, definition.id, actor.user_id, view_id, lock=True))
            _there(actor, definition, before)
            _require_changing(actor, before)
            after = _changed(definition, before, changes)
            _require_sharing(actor, after, before)
            if after == before:
                return _there(actor, definition, before)
            if after.scope not in {SHARED, actor.user_id}:
                raise NotAllowedError("Only who saved a view can have it for themselves.")
            if after.default and not before.default:
                await repository.no_default(tx, definition.id)
            try:
                await repository.update(tx, after)
            except DuplicateKeyError as error:
                raise ViewNameTakenError from error
            stored = _found(await repository.get(tx, definition.id, actor.user_id, view_id))
            old, new = opened(definition, before), opened(definition, stored)
            await _log(tx, actor, "view.update", definition, (old, new))
        return _there(actor, definition, stored)

    async def copy(self, actor: Actor, collection: str, view_id: int) -> View:
        """A view of one's own that shows the same, called after it."""
        view = await self.get(actor, collection, view_id)
        if view.broken:
            raise BrokenViewError(view)
        for place in range(1, MAX_VIEWS + 1):
            mark = " copy" if place == 1 else f" copy {place}"
            name = f"{view.name[: MAX_NAME - len(mark)].rstrip()}{mark}"
            try:
                return await self.create(actor, collection, NewView(name=name, **msgspec.structs.asdict(view.spec)))
            except ViewNameTakenError:
                continue
        raise ViewsFullError

    async def delete(self, actor: Actor, collection: str, view_id: int) -> int | None:
        """Remove a view; a shared one goes into the trash, the entry of which this returns.

        One's own does not: others look into the trash too.
        """
        require_permission(actor, Permission.READ)
        async with self._database.transaction() as tx:
            definition = await _locked(tx, actor, collection)
            before = _found(await repository.get(tx, definition.id, actor.user_id, view_id, lock=True))
            _there(actor, definition, before)
            _require_changing(actor, before)
            await repository.delete(tx, view_id)
            await _log(tx, actor, "view.delete", definition, (opened(definition, before), None))
            if not before.shared:
                return None
            return await trash.add(tx, actor, VIEW, before.name, kept_view(before), collection_id=definition.id)


async def named_among(connection: Connection, actor: Actor, found: Sequence[Placed]) -> list[NamedView]:
    """Those that there are for the actor; with a role of the workspace's own their collections decide that."""
    if actor.own:
        numbers = {one.collection_id for one in found}
        among = {number: await access_by_id(connection, actor, number) for number in numbers}
        found = [
            one for one in found if (access := among[one.collection_id]) and _shown(actor, access.collection, one.view)
        ]
    return [NamedView(one.view.id, one.view.name, one.view.kind, one.collection) for one in found]


def kept_view(view: StoredView) -> dict[str, Any]:
    """A view in the trash."""
    return {
        "id": view.id,
        "kind": view.kind,
        "owner": view.owner_id,
        "locked": view.locked,
        "position": view.position,
        "spec": view.spec,
    }


async def bring_back(tx: Connection, actor: Actor, collection: Collection, name: str, content: Any) -> None:  # noqa: ANN401  as `kept_view` made it
    """A shared view comes back with its number, so that links to it lead to it again; it is not what is shown first.

    Raises:
        ViewNameTakenError: another shared view has its name meanwhile.
        ViewsFullError: the collection has as many as it can have.
    """
    stored = StoredView(
        id=content["id"],
        name=name,
        kind=ViewKind(content["kind"]),
        owner_id=content["owner"],
        scope=SHARED,
        default=False,
        locked=content.get("locked", False),
        position=content["position"],
        spec=msgspec.convert(content["spec"], KeptSpec),
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    if await repository.count(tx, collection.id, SHARED) >= MAX_VIEWS:
        raise ViewsFullError
    try:
        await repository.insert(tx, collection.id, stored)
    except DuplicateKeyError as error:
        raise ViewNameTakenError from error
    await _log(tx, actor, "view.restore", collection, (None, opened(collection, stored)))


def through(view: View, query: RecordQuery) -> RecordQuery:
    """A list through a view: what the view lets through, in its order unless the query has one.

    Raises:
        BrokenViewError: a condition needs a field that is gone.
    """
    if view.broken:
        raise BrokenViewError(view)
    narrowing = Narrowing(parse_tree(view.where) if view.where is not None else None, view.search)
    return msgspec.structs.replace(query, narrowing=narrowing, sort=query.sort or order_of(view.spec))


def _position(place: cursors.Cursor) -> int:
    if place.value is None or not place.value.isascii() or not place.value.isdigit():
        raise InvalidInputError.of("cursor", "is not valid")
    return int(place.value)


async def _locked(tx: Connection, actor: Actor, name: str) -> Collection:
    """Its views are counted and its default chosen by one transaction at a time."""
    found = await access_of(tx, actor, name)
    collection = await collections.lock_structure(tx, found.whole.id)
    shown = seen(actor, collection) if collection else None
    if shown is None:
        raise CollectionNotFoundError
    return shown


def _shown(actor: Actor, collection: Collection, stored: StoredView) -> View | None:
    """A view for the actor.

    With a role of the workspace's own, one with a condition that does not fit is not there: it may be on a hidden field.
    """
    view = opened(collection, stored)
    if actor.own is None:
        return view
    return None if view.broken else msgspec.structs.replace(view, gone=())


def _there(actor: Actor, collection: Collection, stored: StoredView | None) -> View:
    view = _shown(actor, collection, _found(stored))
    if view is None:
        raise ViewNotFoundError
    return view


def _found(view: StoredView | None) -> StoredView:
    if view is None:
        raise ViewNotFoundError
    return view


def _checked_name(name: str) -> str:
    tidied = tidy(name)
    problem = name_problem(tidied)
    if problem:
        raise InvalidInputError.of("name", problem)
    return tidied


def _require_sharing(actor: Actor, view: NewView | StoredView, before: StoredView | None = None) -> None:
    """Sharing a view, locking it and making it the first of its collection have rights of their own."""
    if view.shared:
        require_permission(actor, Permission.WRITE_RECORDS)
    if view.default and not (before and before.default):
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
    if view.locked != bool(before and before.locked):
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
    for name in ("default", "locked"):
        if getattr(view, name) and not view.shared:
            raise InvalidInputError.of(name, "is only for a shared view")


def may_change(actor: Actor, view: View | StoredView) -> bool:
    """Whether the actor may change a view that they see."""
    return actor.may(Permission.MANAGE_COLLECTIONS) or (view.owner_id == actor.user_id and not view.locked)


def _require_changing(actor: Actor, view: StoredView) -> None:
    if not may_change(actor, view):
        require_permission(actor, Permission.MANAGE_COLLECTIONS)


def _changed(collection: Collection, before: StoredView, changes: ViewChanges) -> StoredView:
    said = {name: value for name in ViewChanges.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
    parts = {name: value for name, value in said.items() if name in Spec.__struct_fields__ and name != "kind"}
    if "widths" in said:
        parts["columns"] = _widened(collection, before, parts.get("columns"), said["widths"])
    scope = (SHARED if said["shared"] else before.owner_id) if "shared" in said else before.scope
    after = msgspec.structs.replace(
        before,
        name=_checked_name(said["name"]) if "name" in said else before.name,
        kind=said.get("kind", before.kind),
        scope=scope,
        default=said.get("default", before.default and scope == SHARED),
        locked=said.get("locked", before.locked and scope == SHARED),
        position=said.get("position", before.position),
        spec=_changed_spec(collection, before.spec, parts) if parts else before.spec,
    )
    if {"kind", "group_by", "start"} & said.keys():
        check_kind(collection, read(collection, after.kind, after.spec).spec)
    return after


def _widened(
    collection: Collection, before: StoredView, given: Sequence[ViewColumn] | None, widths: Mapping[str, int | None]
) -> tuple[ViewColumn, ...]:
    """The columns with other widths."""
    columns = read(collection, before.kind, before.spec).spec.columns if given is None else given
    found = columns or tuple(ViewColumn(field.name) for field in collection.fields)
    wanted = {tidy(name): width for name, width in widths.items()}
    if unknown := wanted.keys() - {tidy(one.field) for one in found}:
        raise InvalidInputError.of("widths", f"has no column of this view at {min(unknown)[:64]!r}")
    return tuple(ViewColumn(one.field, wanted.get(tidy(one.field), one.width)) for one in found)


def _changed_spec(collection: Collection, before: KeptSpec, parts: dict[str, Any]) -> KeptSpec:
    """With new parts; the others stay as they are kept, with what they say of fields that are gone."""
    today = read(collection, ViewKind.GRID, before).spec
    # An end is of the start that the view has, and what is folded of its groups.
    if "group_by" in parts and parts["group_by"] != today.group_by:
        parts = {"folded": (), **parts}
    only = Spec(**{"start": today.start, "group_by": today.group_by, **parts})
    check(collection, only)
    new = kept(collection, only)
    values = {name: getattr(new, name) for name in parts}
    after = msgspec.structs.replace(before, **values)
    names = {**before.names, **new.names, **names_of(collection)}
    used = after.references
    return msgspec.structs.replace(after, names={one: name for one, name in names.items() if one in used})


def opened(collection: Collection, stored: StoredView) -> View:
    found = read(collection, stored.kind, stored.spec)
    return View(
        **msgspec.structs.asdict(found.spec),
        id=stored.id,
        name=stored.name,
        shared=stored.shared,
        default=stored.default,
        locked=stored.locked,
        position=stored.position,
        owner_id=stored.owner_id,
        gone=found.gone,
        broken=found.broken,
        problems=found.problems,
        created_at=clock.utc(stored.created_at),
        updated_at=clock.utc(stored.updated_at),
    )


async def _log(tx: Connection, actor: Actor, action: str, collection: Collection, views: Change) -> None:
    """An entry; of a view of one's own it says only that there was one, because others read the log."""
    before, after = views
    name = next((view.name for view in (after, before) if view and view.shared), "")
    if not name:
        await record(tx, actor, action, collection.name)
        return
    old, new = _said(before), _said(after)
    same = {key for key in old if key in new and old[key] == new[key]}
    old, new = ({key: value for key, value in one.items() if key not in same} for one in (old, new))
    await record(tx, actor, action, f"{collection.name}/{name}", before=old or None, after=new or None)


def _said(view: View | None) -> dict[str, Any]:
    """What the log says of a view: nothing of the time when it was one's own."""
    if view is None or not view.shared:
        return {}
    left_out = {"id", "created_at", "updated_at", "gone", "broken", "problems"}
    usual = msgspec.to_builtins(Spec())
    said: dict[str, Any] = msgspec.to_builtins(view)
    return {name: value for name, value in said.items() if name not in left_out and value != usual.get(name)}
