"""Files: quota first, then the object, then the row; after a crash `housekeeping.py` cleans up without loss."""

import asyncio
import base64
import io
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import structlog
from litestar.datastructures import UploadFile
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from vivero_core.sealing import (
    HEADER,
    Read,
    SealBrokenError,
    seal,
    sealed_part,
    sealed_size,
    unseal,
    unseal_part,
)
from vivero_web import clock
from vivero_web.errors import InvalidInputError, NotFoundError, UnavailableError, WebError, explained

from vivero_data.clients.storage import Storage
from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.field_types.file import ID_PATTERN
from vivero_data.domain.files import repository
from vivero_data.domain.files.content import LOOKED_AT, media_type_of
from vivero_data.domain.files.names import safe_name
from vivero_data.domain.files.schemas import (
    FileDamagedError,
    FileNotFoundHereError,
    Place,
    StoredFile,
    UploadsBusyError,
)
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

Stored = Callable[[Connection, StoredFile], Awaitable[None]]

_SORT: Final = "-created_at"
_UPLOADS: Final = 2  # at once, of at most 100 MiB by default, in a /tmp of 256 MiB
_SLOT_SECONDS: Final = 10.0
_ID: Final = re.compile(ID_PATTERN)

log = structlog.get_logger(__name__)


def new_id() -> str:
    """Unguessable; also the object's key in the bucket."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def described(file: StoredFile) -> dict[str, Any]:
    """A file as the audit log records it."""
    return {"id": file.id, "name": file.name, "size": file.size, "media_type": file.media_type}


class FileService:
    """The workspace's files: viewers read, members write."""

    def __init__(
        self, database: Database, storage: Storage, limits: LimitService, file_key: str, max_bytes: int
    ) -> None:
        self._database = database
        self._storage = storage
        self._limits = limits
        self._key = bytes.fromhex(file_key)
        self.max_bytes = max_bytes
        self._slots = asyncio.Semaphore(_UPLOADS)

    @asynccontextmanager
    async def upload_slot(self) -> AsyncIterator[None]:
        """Held while a form is read: uploads spooled to /tmp must fit there, or the pod is evicted.

        Raises:
            UploadsBusyError: no slot became free in time.
        """
        try:
            await asyncio.wait_for(self._slots.acquire(), _SLOT_SECONDS)
        except TimeoutError as error:
            raise UploadsBusyError from error
        try:
            yield
        finally:
            self._slots.release()

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[StoredFile]:
        require_permission(actor, Permission.READ_FILES)
        check_limit(limit)
        before = _place(cursor) if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, limit, before)
        return page_of(found, limit, _cursor)

    async def get(self, actor: Actor, file_id: str) -> StoredFile:
        require_permission(actor, Permission.READ_FILES)
        check_id(file_id)
        async with self._database.read() as connection:
            file = await repository.get(connection, file_id)
        if file is None:
            raise FileNotFoundHereError
        return file

    async def upload(self, actor: Actor, data: UploadFile) -> StoredFile:
        """Store an uploaded file (uploads.py), already size-checked and on disk."""
        size, media_type = await asyncio.to_thread(_measured, data)
        return await self.store(actor, data.filename, media_type, size, data.file.read)

    async def store(  # noqa: PLR0913, PLR0917  a file, whose it is and what depends on it
        self, actor: Actor, name: str, media_type: str, size: int, read: Read, stored: Stored | None = None
    ) -> StoredFile:
        """Store `size` bytes from `read`; `stored` runs in the transaction that makes the file visible."""
        require_permission(actor, Permission.WRITE_FILES)

        async def visible(tx: Connection, file: StoredFile) -> None:
            await record(tx, actor, "file.create", file.name, after=described(file))
            if stored is not None:
                await stored(tx, file)

        return await self._store(actor, name, media_type, size, read, visible, Place.LIST)

    async def store_unlisted(self, actor: Actor, data: UploadFile, stored: Stored, place: Place) -> StoredFile:
        """Store an uploaded file that is in no list, for work whose transaction `stored` is; it counts as any other."""
        size, media_type = await asyncio.to_thread(_measured, data)
        return await self._store(actor, data.filename, media_type, size, data.file.read, stored, place)

    async def _store(  # noqa: PLR0913, PLR0917  as above
        self, actor: Actor, name: str, media_type: str, size: int, read: Read, stored: Stored, place: Place
    ) -> StoredFile:
        file = StoredFile(new_id(), safe_name(name), size, media_type, clock.now(), actor.email)
        async with self._database.transaction() as tx:
            await self._limits.reserve(tx, "storage_bytes", size)
            await repository.insert(tx, file, place)
        try:
            body = seal(read, self._key, file.id)
            await asyncio.to_thread(self._storage.put, file.id, body, sealed_size(size))
            async with self._database.transaction() as tx:
                await repository.mark(tx, file.id, "uploading", "stored")
                await stored(tx, file)
        except Exception:
            await self._take_back(file)
            raise
        return file

    async def _take_back(self, file: StoredFile) -> None:
        """Remove an upload that came to nothing; while the bucket is away that is left to housekeeping."""
        async with self._database.transaction() as tx:
            if not await repository.mark(tx, file.id, "uploading", "deleting"):
                return  # what made it visible was committed after all
        try:
            await asyncio.to_thread(self._storage.delete, file.id)
        except NotFoundError:
            pass  # the bucket itself is not there, so neither is the object
        except WebError as error:
            log.warning("upload_not_removed", file=file.id, problem=explained(error))
            return
        await self.forget(file.id, "deleting", file.size)

    async def put_object(self, object_id: str, content: bytes) -> None:
        """Store some bytes under an id of `new_id`: no file, and not counted; who does it keeps account of the id."""
        body = seal(io.BytesIO(content).read, self._key, object_id)
        await asyncio.to_thread(self._storage.put, object_id, body, sealed_size(len(content)))

    async def delete_object(self, object_id: str) -> None:
        """Remove what `put_object` stored; nothing happens when it is gone."""
        await asyncio.to_thread(self._storage.delete, object_id)

    def read_part(self, file_id: str, size: int, part: range) -> bytes:
        """Some bytes of a file of `size` bytes. Blocks.

        Raises:
            NotFoundError: it is not in the bucket.
            FileDamagedError: it is not what was stored.
        """
        header = self._storage.read(file_id, range(HEADER))
        response = self._storage.get(file_id, sealed_part(part, size))
        try:
            return b"".join(unseal_part(header, response.read, self._key, file_id, part, size))
        except HTTPError as error:
            raise UnavailableError("The bucket stopped answering.") from error
        except SealBrokenError as error:
            raise FileDamagedError(str(error)) from error
        finally:
            response.close()
            response.release_conn()

    async def delete_unlisted(self, file_id: str, size: int) -> None:
        """Remove a file that is in no list; nothing happens when it is gone."""
        async with self._database.transaction() as tx:
            await self._limits.hold(tx, "storage_bytes")
            await repository.mark(tx, file_id, "stored", "deleting")
        await asyncio.to_thread(self._storage.delete, file_id)
        await self.forget(file_id, "deleting", size)

    async def content(self, file: StoredFile, part: range | None = None) -> AsyncIterator[bytes]:
        """A file's content, or some of its bytes, in pieces.

        The first piece is read at once, so that a missing object raises before the response begins.
        """
        response, pieces = await asyncio.to_thread(self._open, file, part)
        try:
            first = await _next(pieces)
        except BaseException:
            response.release_conn()
            raise
        return _stream(response, first, pieces)

    async def delete(self, actor: Actor, file_id: str) -> None:
        require_permission(actor, Permission.WRITE_FILES)
        check_id(file_id)
        async with self._database.transaction() as tx:
            await self._limits.hold(tx, "storage_bytes")
            file = await repository.get_locked(tx, file_id)
            if file is None or not await repository.mark(tx, file_id, "stored", "deleting"):
                raise FileNotFoundHereError
            await record(tx, actor, "file.delete", file.name, before=described(file))
        await asyncio.to_thread(self._storage.delete, file.id)
        await self.forget(file.id, "deleting", file.size)

    async def forget(self, file_id: str, state: str, size: int) -> None:
        """Delete a file that is in this state, and release its quota; a no-op if it is in another."""
        async with self._database.transaction() as tx:
            await self._limits.hold(tx, "storage_bytes")
            if await repository.remove(tx, file_id, state):
                await self._limits.release(tx, "storage_bytes", size)

    def _open(self, file: StoredFile, part: range | None) -> tuple[BaseHTTPResponse, Iterator[bytes]]:
        """The object's open response and what it holds. Blocks."""
        if part is None:
            response = self._storage.get(file.id)
            return response, unseal(response.read, self._key, file.id)
        header = self._storage.read(file.id, range(HEADER))
        response = self._storage.get(file.id, sealed_part(part, file.size))
        return response, unseal_part(header, response.read, self._key, file.id, part, file.size)


async def _next(pieces: Any) -> bytes | None:  # noqa: ANN401  an iterator of bytes
    try:
        return await asyncio.to_thread(next, pieces, None)
    except HTTPError as error:
        raise UnavailableError("The bucket stopped answering.") from error
    except SealBrokenError as error:
        raise FileDamagedError(str(error)) from error


async def _stream(response: BaseHTTPResponse, first: bytes | None, pieces: Any) -> AsyncIterator[bytes]:  # noqa: ANN401  as above
    try:
        piece = first
        while piece is not None:
            yield piece
            piece = await _next(pieces)
    finally:
        # The connection is not reusable unless the response was read to its end.
        response.close()
        response.release_conn()


def _measured(data: UploadFile) -> tuple[int, str]:
    """The size and media type of an upload, which is read from its beginning afterwards. Blocks."""
    size = data.file.seek(0, 2)
    data.file.seek(0)
    start = data.file.read(LOOKED_AT)
    data.file.seek(0)
    return size, media_type_of(start, data.content_type or "")


def check_id(file_id: str) -> None:
    """Reject what is not an id before the query: the column is ASCII.

    Raises:
        FileNotFoundHereError: no file has it.
    """
    if not _ID.fullmatch(file_id):
        raise FileNotFoundHereError


def _cursor(file: StoredFile) -> str:
    value = f"{clock.naive(file.created_at).isoformat()} {file.id}"
    return cursors.encode(cursors.Cursor(_SORT, 0, value))


def _place(cursor: str) -> tuple[datetime, str]:
    moment, _, file_id = (cursors.decode(cursor, _SORT).value or "").partition(" ")
    try:
        check_id(file_id)
        return datetime.fromisoformat(moment), file_id
    except (ValueError, FileNotFoundHereError) as error:
        raise InvalidInputError.of("cursor", "is not valid") from error
