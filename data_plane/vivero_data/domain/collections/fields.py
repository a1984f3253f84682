"""The fields of a collection that exists: added, changed, deleted, each within a moment or by a job.

What a change does to records is in `changes.py`, and how it is undone in `domain/trash/kinds.py`.
"""

from typing import Any, Final

import msgspec
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import changes, definition, formulas, repository
from vivero_data.domain.collections.alteration import BUILD_SECONDS, add_column, add_keys, allow_null
from vivero_data.domain.collections.calculation import CalculateFormulas, calculate_all
from vivero_data.domain.collections.changes import Change, Effects
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.numbering import NumberRecords, number_records
from vivero_data.domain.collections.retyping import ChangeField
from vivero_data.domain.collections.schemas import (
    MAX_CHOICES,
    MAX_FIELDS,
    Calculated,
    Collection,
    CollectionChanges,
    Field,
    FieldChange,
    FieldChanges,
    NewField,
)
from vivero_data.domain.collections.service import CollectionNameTakenError, CollectionNotFoundError
from vivero_data.domain.collections.targets import check_targets
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.formulas.tree import FormulaError
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.notation.service import NotationService
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

AT_ONCE: Final = 5_000  # records whose values are converted within the request
FORESEEN: Final = 20_000  # records that a preview looks at
EXAMPLES: Final = 5  # results of a formula in a preview
FIELD: Final = "field"
COLLECTION_CHANGE: Final = "collection_change"


class FieldNotFoundError(NotFoundError):
    """The collection has no such field."""

    def __init__(self) -> None:
        super().__init__("There is no such field in this collection.")


class LastFieldError(ConflictError):
    """A collection has at least one field."""

    def __init__(self) -> None:
        super().__init__("This is the collection's only field. Add another one first, or delete the collection.")


class Trial(msgspec.Struct, frozen=True):
    """What a formula gives, or what is wrong with it and where: the number of characters before the place."""

    text: str
    problem: str = ""
    at: int = 0
    field: Field | None = None
    results: tuple[Any, ...] = ()


def tried(collection: Collection, text: str, number: int) -> Trial:
    """What a formula gives as the field with this number, without results; pure."""
    field = definition.as_field(NewField("", FieldType.FORMULA, options=Options(formula=text)), number)
    try:
        return Trial(text, field=formulas.resolved(field, collection.fields))
    except FormulaError as error:
        return Trial(text, str(error), error.at)


class FieldService:
    """Changes what fields a collection has, for admins."""

    def __init__(self, database: Database, jobs: JobService, notation: NotationService) -> None:
        self._database = database
        self._notation = notation
        self._jobs = jobs

    async def edit(self, actor: Actor, name: str, wanted: CollectionChanges, *, preview: bool = False) -> Collection:
        """Set a collection's name, description or order of fields.

        Raises:
            CollectionNameTakenError: another one has the name.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.transaction() as tx:
            before = await locked(tx, name)
            after = definition.edited(before, wanted)
            if preview or after == before:
                return after
            try:
                await repository.rename(tx, after.id, after.name, after.description)
            except DuplicateKeyError as error:
                raise CollectionNameTakenError from error
            await repository.reorder(tx, after.fields)
            old, new = _heads(before), _heads(after)
            changed = [key for key in old if old[key] != new[key]]
            old, new = {key: old[key] for key in changed}, {key: new[key] for key in changed}
            await record(tx, actor, "collection.update", after.name, before=old, after=new)
            said = f"{after.name}: was {before.name}" if "name" in changed else f"{after.name}: {' and '.join(changed)}"
            await trash.add(tx, actor, COLLECTION_CHANGE, said, {"before": old, "after": new}, collection_id=after.id)
        return after

    async def add(self, actor: Actor, name: str, new: NewField, *, preview: bool = False) -> FieldChange:
        """Add a field, empty in every record."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            collection = await _found(connection, name)
            made = definition.as_field(definition.check_field(collection, new), 0)
            made = formulas.defined(made, collection.fields) if formulas.is_formula(made) else made
            await check_targets(connection, [("", new)], collection)
            missing = collection.records if made.required else 0
            if preview and formulas.is_formula(made):
                return await _foreseen_formula(connection, collection, None, made)
            if preview:
                return FieldChange(made, collection.records, collection.records, missing=missing)
            number = await repository.allocate_ids(connection, 1)
        made = msgspec.structs.replace(made, id=number, column=number)
        small = collection.records <= AT_ONCE or made.type is FieldType.AUTONUMBER  # whose numbers differ anyway
        bare = made if small else msgspec.structs.replace(made, unique=False, indexed=False)
        async with self._database.patient(BUILD_SECONDS) as slow:
            await add_column(slow, collection.id, bare)
            await add_keys(slow, collection.id, bare)
        async with self._database.transaction() as tx:
            await publish_new(tx, actor, collection.id, bare, "field.create")
        if made.type is FieldType.AUTONUMBER:
            return await self._number(actor, collection, made)
        if bare == made and formulas.is_formula(made):
            job = await self.calculate(actor, collection, made.name)
            return FieldChange(made, collection.records, collection.records, job=job)
        if bare == made:
            return FieldChange(made, collection.records, collection.records, missing=missing)
        answer = await self._begin(actor, collection, Change(collection.id, bare, made))
        return msgspec.structs.replace(answer, missing=missing)

    async def _number(self, actor: Actor, collection: Collection, field: Field) -> FieldChange:
        """Give each record that there is its automatic number."""
        answer = FieldChange(field, collection.records)
        if collection.records > AT_ONCE:
            task = NumberRecords(collection.id, field.id)
            job = await self._jobs.start(actor, Permission.MANAGE_COLLECTIONS, task)
            return msgspec.structs.replace(answer, job=job.id)
        await number_records(self._database, collection.id, field)
        return answer

    async def calculate(self, actor: Actor, collection: Collection, name: str) -> int | None:
        """Calculate the formulas of all records again, because of a field; returns the job that is at it, if one is."""
        if collection.records > AT_ONCE:
            task = CalculateFormulas(collection.id, name)
            return (await self._jobs.start(actor, Permission.MANAGE_COLLECTIONS, task)).id
        await calculate_all(self._database, collection.id)
        return None

    async def try_formula(self, actor: Actor, name: str, text: str, number: int = 0) -> Trial:
        """What a formula would give as a new field of a collection, or as the field with this number."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            collection = await _found(connection, name)
            trial = tried(collection, text, number)
            if trial.field is None:
                return trial
            expression = formulas.expression(trial.field, formulas.with_field(collection.fields, trial.field))
            first = await changes.first_results(connection, collection, trial.field, expression, EXAMPLES)
        return msgspec.structs.replace(trial, results=tuple(value for _, value in first))

    async def change(
        self, actor: Actor, name: str, field: str, wanted: FieldChanges, *, preview: bool = False
    ) -> FieldChange:
        """Change a field; one whose values change form is converted by a job where many records have it.

        Raises:
            DuplicatesError: it is to be unique, and is not.
            FormulasError: formulas that use it would not work any more.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            collection = await _found(connection, name)
            before = _field(collection, field)
            wanted = await _with_choices(connection, collection, before, wanted)
            after = definition.changed(collection, before, wanted)
            after = formulas.defined(after, collection.fields) if formulas.is_formula(after) else after
            await check_targets(connection, [("", definition.as_new(after))], collection)
            if after == before:
                return FieldChange(before, collection.records)
            if definition.moves(before, after):
                after = msgspec.structs.replace(after, column=await repository.allocate_ids(connection, 1))
            change = Change(collection.id, before, after, notation=await self._notation.current())
            formulas.check(formulas.with_field(collection.fields, after))
            if preview and formulas.is_formula(after):
                return await _foreseen_formula(connection, collection, before, after)
            if preview:
                return await _foreseen(connection, collection, change)
            becomes_unique = not change.moves and after.unique and not before.unique
            if becomes_unique and await changes.duplicates(connection, collection, after):
                raise changes.DuplicatesError(after.name)
        return await self._begin(actor, collection, change)

    async def delete(self, actor: Actor, name: str, field: str, *, preview: bool = False) -> FieldChange:
        """Take a field from its collection; its values come back with it.

        Raises:
            FormulasError: formulas use it.
            LastFieldError: it is the only one.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            collection = await _found(connection, name)
            gone = _field(collection, field)
            if len(collection.fields) == 1:
                raise LastFieldError
            formulas.check([one for one in collection.fields if one != gone])
            emptied = await changes.filled(connection, collection, gone)
            foreseen = FieldChange(None, collection.records, collection.records, will_become_empty=emptied)
            if preview:
                return msgspec.structs.replace(foreseen, field=gone)
        async with self._database.patient(BUILD_SECONDS) as slow:
            await allow_null(self._database, slow, collection.id, gone)
        async with self._database.transaction() as tx:
            current = await repository.lock_structure(tx, collection.id)
            if current is None or gone not in current.fields:
                raise changes.ChangedMeanwhileError
            if len(current.fields) == 1:
                raise LastFieldError
            formulas.check([one for one in current.fields if one != gone])
            place = await repository.place_of(tx, gone)
            await repository.unmap_field(tx, gone)
            await record(tx, actor, "field.delete", f"{current.name}/{gone.name}", before=_told(gone))
            entry = await trash.add(
                tx,
                actor,
                FIELD,
                f"{gone.name} of {current.name}",
                {"field": gone, "place": place},
                collection_id=current.id,
                column=gone.column,
            )
        return msgspec.structs.replace(foreseen, undo=entry)

    async def undo(self, actor: Actor, collection: Collection, change: Change) -> FieldChange:
        """Take back a change, which is an entry of the trash."""
        return await self._begin(actor, collection, change)

    async def _begin(self, actor: Actor, collection: Collection, change: Change) -> FieldChange:
        if change.rebuilds and collection.records > AT_ONCE:
            job = await self._jobs.start(actor, Permission.MANAGE_COLLECTIONS, ChangeField(change))
            return FieldChange(change.before, collection.records, job=job.id)
        answer = FieldChange(change.after, collection.records)

        async def done(_: Connection, entry: int, effects: Effects) -> None:
            nonlocal answer
            answer = msgspec.structs.replace(
                answer,
                examined=effects.examined,
                will_become_empty=effects.emptied,
                examples=tuple(effects.examples),
                undo=entry,
            )

        await changes.apply(self._database, actor, change, done)
        if not change.calculates(collection.fields):
            return answer
        return msgspec.structs.replace(answer, job=await self.calculate(actor, collection, change.after.name))


async def locked(tx: Connection, name: str) -> Collection:
    """The collection, for a change of its structure."""
    found = await _found(tx, name)
    current = await repository.lock_structure(tx, found.id)
    if current is None:
        raise CollectionNotFoundError
    return current


async def publish_new(  # noqa: PLR0913, PLR0917  who gives what to what, and how that is told
    tx: Connection, actor: Actor, collection_id: int, field: Field, action: str, place: repository.Place | None = None
) -> None:
    """Give a collection a field whose column exists, at the end if no position is given."""
    current = await repository.lock_structure(tx, collection_id)
    if current is None:
        raise CollectionNotFoundError
    if len(current.fields) >= MAX_FIELDS:
        raise ConflictError(f"A collection has at most {MAX_FIELDS} fields.")
    changes.check_name_free(current, field)
    formulas.check([*current.fields, field])
    ordered = list(current.fields)
    ordered.insert(place.position if place else len(ordered), field)
    await repository.map_field(tx, collection_id, place or repository.Place(), field)
    await repository.reorder(tx, ordered)
    await record(tx, actor, action, f"{current.name}/{field.name}", after=_told(field))


async def _found(connection: Connection, name: str) -> Collection:
    collection = await repository.get(connection, tidy(name))
    if collection is None:
        raise CollectionNotFoundError
    return collection


def _field(collection: Collection, name: str) -> Field:
    for field in collection.fields:
        if fold(field.name) == fold(name):
            return field
    raise FieldNotFoundError


def _heads(collection: Collection) -> dict[str, Any]:
    fields = [field.id for field in collection.fields]
    return {"name": collection.name, "description": collection.description, "fields": fields}


def _told(field: Field) -> dict[str, Any]:
    return {"name": field.name, "type": field.type.value}


async def _with_choices(
    connection: Connection, collection: Collection, before: Field, wanted: FieldChanges
) -> FieldChanges:
    """The changes, with the values that there are as choices, for a field that becomes a choice and names none."""
    becomes = wanted.type is not msgspec.UNSET and wanted.type.kind.has_choices and not before.kind.has_choices
    if not becomes or wanted.choices:
        return wanted
    found = [tidy(str(one)) for one in await changes.distinct(connection, collection, before, MAX_CHOICES)]
    choices = list({fold(one): one for one in reversed(found) if one}.values())[::-1]
    if not choices or len(found) > MAX_CHOICES:
        message = f"must be given: the field has {'no values' if not choices else f'more than {MAX_CHOICES} of them'}"
        raise InvalidInputError.of_all([FieldError("choices", message)])
    return msgspec.structs.replace(wanted, choices=choices)


async def _foreseen(connection: Connection, collection: Collection, change: Change) -> FieldChange:
    effects = await changes.foresee(connection, change, FORESEEN) if change.moves else Effects(collection.records)
    after, before = change.after, change.before
    missing = await changes.missing(connection, collection, before) if after.required else 0
    unique = after.unique and not change.moves
    return FieldChange(
        after,
        collection.records,
        effects.examined,
        effects.emptied,
        missing + (effects.emptied if after.required else 0),
        await changes.duplicates(connection, collection, after) if unique else 0,
        tuple(effects.examples),
        formulas=tuple(one.name for one in formulas.users(collection.fields, after.id)) if change.moves else (),
    )


async def _foreseen_formula(
    connection: Connection, collection: Collection, before: Field | None, after: Field
) -> FieldChange:
    """What a formula gives for the first records, and how many of them it leaves empty that were not."""
    fields = formulas.with_field(collection.fields, after)
    expression = formulas.expression(after, fields)
    examined, emptied = await changes.left_empty(connection, collection, before, expression, FORESEEN)
    first = await changes.first_results(connection, collection, after, expression, EXAMPLES)
    return FieldChange(
        after,
        collection.records,
        examined,
        emptied,
        results=tuple(Calculated(number, value) for number, value in first),
        formulas=tuple(one.name for one in formulas.users(fields, after.id)),
    )
