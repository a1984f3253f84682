"""Files of one record: in its fields and attached to it, with the rights of the record."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar.datastructures import UploadFile
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record_all as log_all
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.file import MAX_FILES, RecordFile
from vivero_data.domain.files import repository as stored_files
from vivero_data.domain.files.schemas import FileNotFoundHereError, Place, StoredFile
from vivero_data.domain.files.service import FileService, check_id
from vivero_data.domain.records import held, merging, repository
from vivero_data.domain.records.access import Access, access_of, access_to_write, everything
from vivero_data.domain.records.entries import entry_of
from vivero_data.domain.records.errors import RecordNotFoundError
from vivero_data.domain.records.held import ATTACHED
from vivero_data.domain.records.merging import Written
from vivero_data.domain.records.schemas import Record, RecordFiles
from vivero_data.domain.records.service import RecordService, require_writable, whole_of, written
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.trash.repository import Entry
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.json import encode

MAX_ATTACHMENTS: Final = 100
"""Of one record."""
_ROWS: Final = 200  # of a statement


class FilesFullError(ConflictError):
    """A field or a record has as many files as it can have."""

    def __init__(self, most: int, what: str) -> None:
        super().__init__(f"{what} has at most {most} files. Remove some of them first.")


class RecordFileService:
    """The files of a record, by the name of its collection and its number; `field` is a field's name, or empty."""

    def __init__(self, database: Database, records: RecordService, files: FileService) -> None:
        self._database = database
        self._records = records
        self._files = files

    async def list(self, actor: Actor, collection: str, record_id: int) -> RecordFiles:
        record = await self._records.get(actor, collection, record_id)
        async with self._database.read() as connection:
            seen = (await access_of(connection, actor, collection)).collection
            attached = await held.attachments(connection, seen.id, record_id)
        return RecordFiles(
            {field.name: record.values.get(field.name) or [] for field in held.file_fields(seen)}, attached
        )

    async def get(self, actor: Actor, collection: str, record_id: int, file_id: str) -> StoredFile:
        """A file to be downloaded: each person who may read the record, and the field that has it, may read it.

        Raises:
            FileNotFoundHereError: the record has no such file.
        """
        check_id(file_id)
        found = await self.list(actor, collection, record_id)
        if file_id not in {file.id for files in found.fields.values() for file in files} | {
            file.id for file in found.attachments
        }:
            raise FileNotFoundHereError
        async with self._database.read() as connection:
            file = await stored_files.get_held(connection, file_id)
        if file is None:
            raise FileNotFoundHereError
        return file

    async def check(self, actor: Actor, collection: str, record_id: int, field: str) -> None:
        """Whether a file can be added, before it is read.

        Raises:
            NotAllowedError: the actor may not change records of the collection.
            InvalidInputError: there is no such field, it takes no files, or the actor may read it only.
            FilesFullError: there are as many as there can be.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        found = await self.list(actor, collection, record_id)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
        named = _field_to_write(access, field)
        _check_room(named, found.fields[named.name] if named else found.attachments)

    async def add(self, actor: Actor, collection: str, record_id: int, field: str, data: UploadFile) -> RecordFile:
        """Store an upload in a field of the record, or attached to it; all of it or nothing. Errors as `check`."""
        require_permission(actor, Permission.WRITE_RECORDS)

        async def put(tx: Connection, file: StoredFile) -> None:
            access, record = await _locked(tx, actor, collection, record_id)
            await _add(tx, access, record, _field_to_write(access, field), [held.as_record_file(file)])

        return held.as_record_file(await self._files.store_unlisted(actor, data, put, Place.RECORD))

    async def remove(self, actor: Actor, collection: str, record_id: int, field: str, file_id: str) -> int:
        """Take a file out of a field of the record, or from what is attached; returns the trash's entry.

        Raises:
            FileNotFoundHereError: there is no such file.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        check_id(file_id)
        async with self._database.transaction() as tx:
            access, record = await _locked(tx, actor, collection, record_id)
            named, definition = _field_to_write(access, field), access.collection
            there = await _there(tx, definition, record, named)
            gone = next((file for file in there if file.id == file_id), None)
            if gone is None:
                raise FileNotFoundHereError
            if named:
                left = [file for file in there if file is not gone]
                await written(tx, access, record, {named.id: encode(left) if left else None})
            else:
                await held.detach(tx, definition.id, record_id, file_id)
                await _changed(tx, access, record, "record.detach", before=[gone])
            entry = await held.keep(tx, actor, definition, [(record_id, {named.id if named else ATTACHED: [gone]})])
        return entry or 0


async def bring_back(tx: Connection, actor: Actor, collection: Collection, entry: Entry) -> None:
    """Put the files of an entry of the trash back to where they were, beside those that are there now.

    Raises:
        ConflictError: a record or field is deleted, or has too many files by now.
    """
    above = 0
    while rows := await trash.select_rows(tx, entry.id, above, _ROWS):
        for record_id, content in rows:
            await _bring_back(tx, actor, collection, record_id, content)
        above = rows[-1][0]


async def _bring_back(
    tx: Connection,
    actor: Actor,
    collection: Collection,
    record_id: int,
    content: Any,  # noqa: ANN401  a row's JSON
) -> None:
    for number, files in msgspec.convert(content["files"], dict[int, list[RecordFile]], strict=False).items():
        access = everything(actor, collection)
        record = await repository.get_locked(tx, access, record_id)
        if record is None:
            raise ConflictError("Its record is deleted. Restore that first.")
        field = next((one for one in held.file_fields(collection) if one.id == number), None)
        if number != ATTACHED and field is None:
            raise ConflictError("Its field is deleted or changed. Restore that first.")
        await _add(tx, access, record, field, files)


async def _add(
    tx: Connection, access: Access, record: Record, field: Field | None, files: Sequence[RecordFile]
) -> None:
    """Add files to a field of a locked record, or to what is attached, unless they are there."""
    there = await _there(tx, access.collection, record, field)
    new = [file for file in files if all(file.id != one.id for one in there)]
    if not new:
        return
    _check_room(field, [*there, *new][:-1])
    if field:
        await written(tx, access, record, {field.id: encode([*there, *new])})
        return
    await held.attach(tx, access.whole.id, record.id, [file.id for file in new], access.actor.user_id)
    await _changed(tx, access, record, "record.attach", after=new)


async def _there(tx: Connection, collection: Collection, record: Record, field: Field | None) -> list[RecordFile]:
    """The files of a field of a locked record, or what is attached to it."""
    if field:
        return record.values[field.name] or []
    return [held.as_record_file(one) for one in await held.attachments(tx, collection.id, record.id)]


async def _locked(tx: Connection, actor: Actor, collection: str, record_id: int) -> tuple[Access, Record]:
    """The record, locked, with what the actor may do, which is to change it."""
    access = await access_to_write(tx, actor, collection)
    access.require(Right.CHANGE)
    record = await repository.get_locked(tx, access, record_id)
    if record is None:
        raise RecordNotFoundError
    return access, record


async def _changed(  # noqa: PLR0913  what came and what went
    tx: Connection,
    access: Access,
    record: Record,
    action: str,
    *,
    before: Sequence[RecordFile] = (),
    after: Sequence[RecordFile] = (),
) -> None:
    """What is attached changes no field, but the record: undoing an import or copies leaves it."""
    await repository.update(tx, access.whole, record.id, {})
    await merging.remember(tx, access.whole.id, [Written(record.id, record.version + 1, ())])
    whole = (await whole_of(tx, access, {record.id: record}))[record.id]
    entries = [entry_of(action, access.whole, whole, before={"attachment": file}) for file in before]
    entries += [entry_of(action, access.whole, whole, after={"attachment": file}) for file in after]
    await log_all(tx, access.actor, entries)


def _field_to_write(access: Access, name: str) -> Field | None:
    """The field with this name; None for what is attached.

    Raises:
        InvalidInputError: it is no field for files, or the actor may read it only.
        NotAllowedError: the actor may not change records of the collection.
    """
    access.require(Right.CHANGE)
    field = _field(access.collection, name)
    if field:
        require_writable(access, [field.id])
    return field


def _field(collection: Collection, name: str) -> Field | None:
    """The field with this name; None for what is attached.

    Raises:
        InvalidInputError: it is no field for files.
    """
    if not name:
        return None
    found = next((one for one in held.file_fields(collection) if fold(one.name) == fold(name)), None)
    if found is None:
        raise InvalidInputError.of("field", "names no field for files")
    return found


def _check_room(field: Field | None, there: Sequence[RecordFile]) -> None:
    """Whether one more fits.

    Raises:
        FilesFullError: none does.
    """
    most, what = (MAX_FILES, field.name) if field else (MAX_ATTACHMENTS, "A record")
    if len(there) >= most:
        raise FilesFullError(most, what)
