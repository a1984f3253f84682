"""Records: validated, counted against the plan and audited, all in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from vivero_web.conditions import UNCONDITIONAL, Conditions, tag_of
from vivero_web.errors import FieldError, InvalidInputError, NotAllowedError, WebError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit import repository as audit
from vivero_data.domain.audit.schemas import AuditEntry
from vivero_data.domain.audit.service import record_all as log_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.columns import unique_key
from vivero_data.domain.collections.schemas import Collection, parse, present
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.notation.person import notation_for
from vivero_data.domain.records import groups, held, lists, merging, neighbours, references, repository
from vivero_data.domain.records.access import Access, access_of, access_to_write
from vivero_data.domain.records.entries import entry_of, subject_of
from vivero_data.domain.records.errors import (
    BeyondRightsError,
    FieldConflictError,
    FieldPreconditionError,
    RecordNotFoundError,
    ValueTakenError,
    VersionConflictError,
)
from vivero_data.domain.records.groups import Heading
from vivero_data.domain.records.merging import Written, base_of
from vivero_data.domain.records.neighbours import Neighbours
from vivero_data.domain.records.schemas import (
    Group,
    Record,
    RecordChange,
    RecordChanges,
    RecordCount,
    RecordQuery,
    Total,
)
from vivero_data.domain.records.through import read_through
from vivero_data.domain.records.trash import keep_records
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.json import decode, encode
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of


def columns_for(
    collection: Collection, given: Mapping[str, Any], *, new: bool, stored: Mapping[str, Any] = MappingProxyType({})
) -> dict[int, Any]:
    """Column values by field id, for a new record with defaults, or for a change.

    `stored`: the record's values by name; what the workspace writes itself may be sent back as it is.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    known = {field.name for field in collection.fields}
    named, errors = _by_name(given)
    errors += [FieldError(name[:64], "is no field of this collection") for name in named if name not in known]
    found: dict[int, Any] = {}
    for field in collection.fields:
        if field.name not in named and not new:
            continue
        if field.kind.computed:
            if named.get(field.name) not in (None, "", stored.get(field.name)):
                errors.append(FieldError(field.name, "is written by the workspace itself"))
            continue
        value = named.get(field.name, field.default)
        if value is None or value in ("", []):
            # An empty form field means no value, for every type.
            found[field.id] = None
            if field.required:
                errors.append(FieldError(field.name, "is required"))
            continue
        try:
            found[field.id] = parse(field, value)
        except InvalidValueError as error:
            errors.append(FieldError(field.name, str(error)))
    if errors:
        raise InvalidInputError.of_all(errors)
    return found


def _by_name(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The values by normalized field name: macOS decomposes accented letters."""
    named: dict[str, Any] = {}
    errors = []
    for name, value in given.items():
        if tidy(name) in named:
            errors.append(FieldError(name[:64], "is given twice"))
        named[tidy(name)] = value
    return named, errors


def as_typed(collection: Collection, values: Mapping[str, Any], notation: Notation = UNSET) -> dict[str, Any]:
    """Values that were typed as texts, as tables show them, in the form that `columns_for` takes."""
    fields = {field.name: field for field in collection.fields}
    return {
        name: fields[tidy(name)].kind.read_condition(value, notation)
        if isinstance(value, str) and tidy(name) in fields
        else value
        for name, value in values.items()
    }


_BY_TIME: Final = "-id"


class RecordService:
    """The records of a collection: viewers read, members write."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def list(self, actor: Actor, collection: str, query: RecordQuery) -> Page[Record]:
        """One page.

        Raises:
            SlowListError: it would take long, and the query does not allow that.
        """
        require_permission(actor, Permission.READ)
        check_limit(query.limit)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            page = await lists.page(connection, access, query)
            return msgspec.structs.replace(page, items=await references.resolved(connection, access, page.items))

    async def totals(
        self, actor: Actor, collection: str, query: RecordQuery, wanted: Mapping[str, Total]
    ) -> dict[str, Any]:
        """What stands below columns.

        Raises:
            SlowListError: it would take long, and the query does not allow that.
        """
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            return await lists.totals(connection, access, query, wanted)

    async def groups(self, actor: Actor, collection: str, query: RecordQuery, sums: Mapping[str, Total]) -> Page[Group]:
        """One page of the groups by the first field of the query's order.

        Raises:
            SlowListError: it would take long, and the query does not allow that.
        """
        require_permission(actor, Permission.READ)
        check_limit(query.limit)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            return await groups.page(connection, access, query, sums)

    async def headings(  # noqa: PLR0913, PLR0917  what is read, and what is shown of it
        self,
        actor: Actor,
        collection: str,
        query: RecordQuery,
        sums: Mapping[str, Total],
        records: Sequence[Record],
        folded: Sequence[Any],
    ) -> Sequence[Heading]:
        """The groups of these records of a list, and the folded ones."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            return await groups.headings(connection, access, query, sums, records, folded)

    async def count(self, actor: Actor, collection: str, query: RecordQuery, *, exact: bool = False) -> RecordCount:
        """How many match: up to a bound, and within a moment; `exact` for all of them."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            return await lists.count(connection, access, query, exact=exact)

    async def get(self, actor: Actor, collection: str, record_id: int) -> Record:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            found = _found(await repository.get(connection, access, record_id))
            return await _resolved(connection, access, found)

    async def some(self, actor: Actor, collection: str, record_ids: Sequence[int]) -> Sequence[Record]:
        """The records with these ids that exist, in this order."""
        require_permission(actor, Permission.READ)
        check_limit(len(record_ids))
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            found = await repository.get_all(connection, access, record_ids)
            wanted = [found[number] for number in record_ids if number in found]
            return await references.resolved(connection, access, wanted)

    async def neighbours(self, actor: Actor, collection: str, record_id: int, query: RecordQuery) -> Neighbours:
        """The records before and behind one in a list."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            return await neighbours.find(connection, access, record_id, query)

    async def history(
        self, actor: Actor, collection: str, record_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RecordChange]:
        """What was done to a record that is there, newest first: whoever may read it may know."""
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _BY_TIME).id if cursor else None
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            _found(await repository.get(connection, access, record_id))
            found = await _seen_changes(connection, access, record_id, limit, below)
            names = await users.names(connection, {entry.actor for entry in found})
        page = page_of(found, limit, lambda entry: cursors.by_id(_BY_TIME, entry.id))
        changes = [
            RecordChange(one.id, one.at, names.get(one.actor, one.actor), one.action, one.before, one.after)
            for one in page.items
        ]
        return Page(changes, page.next_cursor)

    async def create(self, actor: Actor, collection: str, values: Mapping[str, Any]) -> Record:
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            await self._limits.reserve(tx, "records")
            access = await access_to_write(tx, actor, collection)
            access.require(Right.CREATE)
            definition = access.whole
            try:
                wanted = completed(access, columns_for(access.collection, values, new=True))
                await _complete_files(tx, access, wanted)
                await _check_links(tx, access, wanted)
                made = await repository.insert(tx, definition, wanted)
            except (DuplicateKeyError, MissingTableError) as error:
                raise as_field_error(access.collection, error) from error
            await collections.add_records(tx, definition.id, 1)
            await require_seen(tx, access, [made.id])
            await log_all(tx, actor, [entry_of("record.create", definition, made, after=made.values)])
            return await _resolved(tx, access, _seen(access, made))

    async def update(
        self,
        actor: Actor,
        collection: str,
        record_id: int,
        changes: RecordChanges,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Record:
        """Set some values; unchanged ones are not written, without a new version and audit entry.

        What others changed since the version that `conditions` or `changes.version` name stays, in other fields.

        Raises:
            PreconditionFailedError: it has had no version that `conditions` allow.
            FieldPreconditionError: it has, but the same field was changed since.
            VersionConflictError: `changes.version` is one that it has not had yet.
            FieldConflictError: it has, but the same field was changed since.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            access = await access_to_write(tx, actor, collection)
            access.require(Right.CHANGE)
            definition = access.collection
            before = _found(await repository.get_locked(tx, access, record_id))
            base = _base(conditions, changes.version, before.version)
            given = (
                as_typed(definition, changes.values, await notation_for(tx, actor)) if changes.typed else changes.values
            )
            stored = await _as_sent(tx, access, before, given)
            columns = columns_for(definition, given, new=False, stored=stored)
            await _complete_files(tx, access, columns, before)
            wanted = changed_values(definition, before, columns)
            if not wanted:
                return await _resolved(tx, access, before)
            require_writable(access, wanted)
            await _check_links(tx, access, wanted)
            if base is not None:
                found = await merging.conflicts(tx, definition, {record_id: base}, {record_id: (before, wanted)})
                if found:
                    error = FieldPreconditionError if conditions.match else FieldConflictError
                    raise error(found[record_id])
            await held.keep(tx, actor, definition, [(record_id, held.dropped(definition, before, wanted))])
            return await _resolved(tx, access, await written(tx, access, before, wanted))

    async def delete(
        self, actor: Actor, collection: str, record_id: int, conditions: Conditions = UNCONDITIONAL
    ) -> int:
        """Put a record into the trash; returns the entry that brings it back.

        Raises:
            PreconditionFailedError: it is not at a version that `conditions` allow.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            await self._limits.release(tx, "records")
            access = await access_to_write(tx, actor, collection)
            access.require(Right.DELETE)
            definition = access.whole
            before = _found(await repository.get_locked(tx, access, record_id))
            conditions.check(tag_of(before.version))
            whole = (await whole_of(tx, access, {record_id: before}))[record_id]
            entry = await keep_records(tx, access, [before])
            await repository.delete(tx, definition, record_id)
            await collections.add_records(tx, definition.id, -1)
            await log_all(tx, actor, [entry_of("record.delete", definition, whole, before=whole.values)])
        return entry


def completed(access: Access, values: dict[int, Any], place: str = "") -> dict[int, Any]:
    """A new record's column values, with the defaults of fields that the actor does not see; `place` of the values.

    Raises:
        InvalidInputError: a field that the actor may read only has another value than its default.
        NotAllowedError: a record needs a value that the actor cannot give.
    """
    if access.rights is None:
        return values
    require_writable(access, {number for number, value in values.items() if value != _default(access, number)}, place)
    hidden = tuple(field for field in access.whole.fields if field not in access.collection.fields)
    try:
        return {**columns_for(msgspec.structs.replace(access.whole, fields=hidden), {}, new=True), **values}
    except InvalidInputError as error:
        raise NotAllowedError("Your role cannot add records here: they need a value that it does not see.") from error


def _default(access: Access, number: int) -> Any:  # noqa: ANN401  a column's value
    field = next(one for one in access.collection.fields if one.id == number)
    return None if field.default is None else parse(field, field.default)


def require_writable(access: Access, numbers: Iterable[int], place: str = "") -> None:
    """Raises InvalidInputError, naming the fields that the actor may read only."""
    errors = access.read_only(set(numbers), place)
    if errors:
        raise InvalidInputError.of_all(errors)


async def require_seen(tx: Connection, access: Access, numbers: Sequence[int]) -> None:
    """Check records that were just written.

    Raises:
        BeyondRightsError: there is one that the actor does not see.
    """
    if access.rows and len(await repository.existing(tx, access, numbers)) < len(set(numbers)):
        raise BeyondRightsError


async def whole_of(tx: Connection, access: Access, records: Mapping[int, Record]) -> Mapping[int, Record]:
    """Records with all their fields: for the audit log."""
    if access.collection.fields == access.whole.fields:
        return records
    return await repository.get_all(tx, access.unlimited, list(records))


async def _resolved(connection: Connection, access: Access, record: Record) -> Record:
    return (await references.resolved(connection, access, [record]))[0]


async def _as_sent(tx: Connection, access: Access, record: Record, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record's values as a client got them, with what is read through links if it sends that back."""
    sent = {tidy(name) for name in given}
    if not any(field.kind.virtual and field.name in sent for field in access.collection.fields):
        return record.values
    (found,) = await read_through(tx, access, [record])
    values: dict[str, Any] = decode(encode(found.values))
    return values


async def written(tx: Connection, access: Access, before: Record, wanted: Mapping[int, Any]) -> Record:
    """The record, which is locked, with these column values.

    Raises:
        ValueTakenError: another record has the value of a unique field.
        BeyondRightsError: it would leave the actor's sight.
    """
    definition = access.collection
    try:
        await repository.update(tx, access.whole, before.id, wanted)
    except DuplicateKeyError as error:
        raise as_field_error(definition, error) from error
    await merging.remember(tx, definition.id, [Written(before.id, before.version + 1, wanted)])
    after = await repository.get(tx, access, before.id)
    if after is None:
        raise BeyondRightsError
    old, new = diff(before, after)
    whole = (await whole_of(tx, access, {before.id: after}))[before.id]
    await log_all(tx, access.actor, [entry_of("record.update", access.whole, whole, before=old, after=new)])
    return after


async def _check_links(tx: Connection, access: Access, values: Mapping[int, Any]) -> None:
    errors = await references.unknown(tx, access, [("", values)])
    if errors:
        raise InvalidInputError.of_all(errors)


async def _complete_files(tx: Connection, access: Access, values: dict[int, Any], before: Record | None = None) -> None:
    errors = await held.complete(tx, access, [("", values, before)], {})
    if errors:
        raise InvalidInputError.of_all(errors)


def _base(conditions: Conditions, version: int | None, current: int) -> int | None:
    """See `base_of`.

    Raises:
        PreconditionFailedError: see `base_of`, or If-None-Match names the present version.
        VersionConflictError: there is no such version yet.
    """
    msgspec.structs.replace(conditions, match=None).check(tag_of(current))
    if version is not None and version > current:
        raise VersionConflictError(current)
    return base_of(conditions, version, current)


async def _seen_changes(
    connection: Connection, access: Access, record_id: int, limit: int, below: int | None
) -> list[AuditEntry]:
    """What was done to a record as the actor sees it, newest first; more than the limit when there is more."""
    found: list[AuditEntry] = []
    while True:
        entries = await audit.select_of(connection, subject_of(access.whole, record_id), limit, below)
        found += [shown for entry in entries if (shown := _shown(access, entry))]
        if len(entries) <= limit or len(found) > limit:
            return found
        below = entries[-1].id


def _shown(access: Access, entry: AuditEntry) -> AuditEntry | None:
    """An entry of the audit log without what the actor does not see; None if nothing is left of a change."""
    if access.collection.fields == access.whole.fields or not entry.action.startswith("record."):
        return entry
    attached = entry.action in {"record.attach", "record.detach"}
    known = {"attachment"} if attached else {field.name for field in access.collection.fields}
    before, after = (
        None if one is None else {name: value for name, value in one.items() if name in known}
        for one in (entry.before, entry.after)
    )
    return msgspec.structs.replace(entry, before=before, after=after) if before or after else None


def _seen(access: Access, whole: Record) -> Record:
    """A record without the fields that the actor does not see."""
    shown = {field.name: whole.values[field.name] for field in access.collection.fields}
    return msgspec.structs.replace(whole, values=shown)


def _found(record: Record | None) -> Record:
    if record is None:
        raise RecordNotFoundError
    return record


def changed_values(collection: Collection, record: Record, wanted: Mapping[int, Any]) -> dict[int, Any]:
    """The column values that differ from the record's."""
    stored = {field.id: (field, record.values[field.name]) for field in collection.fields}
    return {number: value for number, value in wanted.items() if present(stored[number][0], value) != stored[number][1]}


def diff(before: Record, after: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in after.values if before.values[name] != after.values[name]]
    return {name: before.values[name] for name in changed}, {name: after.values[name] for name in changed}


def as_field_error(collection: Collection, error: DuplicateKeyError | MissingTableError) -> WebError:
    """The field error for a duplicate key; a missing table means that the collection was just deleted."""
    if isinstance(error, DuplicateKeyError):
        for field in collection.fields:
            if error.key == unique_key(field):
                return ValueTakenError(field.name)
        return error
    return CollectionNotFoundError()
