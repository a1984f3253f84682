"""Imports in memory: a file is really read and its plan really made; its rows go nowhere."""

# ruff: noqa: ARG002, ANN401  the fakes keep the signatures of the services they stand for

import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from litestar.datastructures import UploadFile
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.exports.service import ExportFormat, ExportService, ExportStream, line_of, writer_of
from vivero_data.domain.imports.forms import check_order
from vivero_data.domain.imports.plan import check, plan_of
from vivero_data.domain.imports.reading import read_whole
from vivero_data.domain.imports.schemas import (
    Import,
    ImportNotFoundError,
    ImportOrder,
    ImportState,
    Mode,
    Plan,
)
from vivero_data.domain.imports.service import ImportService, NothingToUndoError
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.pages import Page


class FakeImports(ImportService):
    def __init__(self, world: Any) -> None:
        self.world = world

    @property
    def imports(self) -> dict[int, Import]:
        found: dict[int, Import] = self.world.imports
        return found

    def target(self, name: str) -> Collection:
        if name not in self.world.collections:
            raise CollectionNotFoundError
        found: Collection = self.world.collections[name]
        return found

    async def prepare(self, actor: Actor, collection: str | None) -> None:
        require_permission(actor, Permission.MANAGE_COLLECTIONS if collection is None else Permission.WRITE_RECORDS)
        if collection is not None:
            self.target(collection)

    async def free_name(self, name: str) -> str:
        return name

    async def start(
        self, actor: Actor, data: UploadFile, collection: str | None, name: str, order: ImportOrder, *, asks: bool
    ) -> Import:
        content = await data.read()
        reading = read_whole(lambda: io.BufferedReader(io.BytesIO(content)), data.filename, lambda rows: None)  # noqa: ARG005  nobody looks on
        number = self.world.next_id()
        self.world.readings[number] = reading
        return self.add(number, collection or name, makes=collection is None, file=data.filename, total=reading.rows)

    def add(self, number: int, collection: str, **changes: Any) -> Import:
        made = Import(
            id=number,
            state=ImportState.READY,
            total=None,
            done=0,
            failed=0,
            inserted=0,
            updated=0,
            unchanged=0,
            kept=0,
            collection=collection,
            makes=False,
            file="file.csv",
            mode=Mode.INSERT,
            key=None,
            dry_run=False,
            problem=None,
            created_by=self.world.actor.email,
            created_at=self.world.now,
            ended_at=None,
        )
        self.imports[number] = msgspec.structs.replace(made, **changes)
        return self.imports[number]

    async def get(self, actor: Actor, import_id: int) -> Import:
        require_permission(actor, Permission.WRITE_RECORDS)
        if import_id not in self.imports:
            raise ImportNotFoundError
        return self.imports[import_id]

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[Import]:
        return Page(sorted(self.imports.values(), key=lambda one: -one.id))

    async def plan(self, actor: Actor, import_id: int, order: ImportOrder | None = None) -> Plan | None:
        found = await self.get(actor, import_id)
        target = None if found.makes else self.target(found.collection or "")
        return plan_of(self.world.readings[import_id], order.mapping if order else {}, target)

    async def go_on(self, actor: Actor, import_id: int, order: ImportOrder) -> Import:
        check_order(order)
        plan = await self.plan(actor, import_id, order)
        assert plan is not None
        check(plan.columns, order.key)
        self.world.import_orders[import_id] = order
        return self.change(import_id, state=ImportState.WAITING, dry_run=order.dry_run)

    async def undo(self, actor: Actor, import_id: int) -> Import:
        found = await self.get(actor, import_id)
        if found.state is not ImportState.DONE:
            raise NothingToUndoError("This import is not at its end.")
        return self.change(import_id, state=ImportState.UNDOING)

    async def failures(self, actor: Actor, import_id: int) -> AsyncIterator[bytes]:
        async def lines() -> AsyncIterator[bytes]:
            yield b"row,field,reason\r\n"

        await self.get(actor, import_id)
        return lines()

    def change(self, import_id: int, **changes: Any) -> Import:
        self.imports[import_id] = msgspec.structs.replace(self.imports[import_id], **changes)
        return self.imports[import_id]


class FakeExports(ExportService):
    """Every record in one page, whatever the query is: that is kept for a test to look at."""

    def __init__(self, world: Any) -> None:
        self.world = world

    async def stream(
        self, actor: Actor, collection: str, query: RecordQuery, kind: ExportFormat, columns: Sequence[str] = ()
    ) -> ExportStream:
        self.world.exported = (query, columns)
        writer = writer_of(kind)

        async def pieces() -> AsyncIterator[bytes]:
            lines = [line_of(one, columns) for one in self.world.records[collection].values()]
            yield writer.begin(["id", *columns]) + writer.page(lines) + writer.end()

        return ExportStream(f"{collection}.{kind}", writer.media_type, pieces())
