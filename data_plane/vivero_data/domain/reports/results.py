"""The results of reports: computed at once, or of a large collection once an hour and kept in the cache."""

import asyncio
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec
import structlog
from vivero_web import clock
from vivero_web.errors import UnavailableError, explained

from vivero_data.db.database import Database
from vivero_data.db.errors import StatementTimeoutError
from vivero_data.domain.notation.service import NotationService
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.filters import parse_tree
from vivero_data.domain.records.query import Clause
from vivero_data.domain.records.where import compiled
from vivero_data.domain.reports import repository
from vivero_data.domain.reports.compiler import Statement, assemble, compile_report
from vivero_data.domain.reports.errors import ReportTooSlowError
from vivero_data.domain.reports.schemas import Definition, ReportData
from vivero_data.domain.users.schemas import Permission, require_permission
from vivero_data.lib.json import decode, encode

LARGE: Final = 100_000  # records of a collection from which on a report takes longer than a page may
KEPT_SECONDS: Final = 3600
_AT_ONCE: Final = 2  # reports that one process computes: the other connections are for people at work

log = structlog.get_logger(__name__)


def scope_of(access: Access, where: dict[str, Any] | None) -> list[Clause]:
    """The records that a report for an actor is about: what its filter leaves of those that the actor may see."""
    require_permission(access.actor, Permission.READ)
    if where is None:
        return list(access.rows)
    return [*access.rows, compiled(access.collection, parse_tree(where)).asked_by(access.actor.user_id)]


class Kept(Protocol):
    """Where results are kept: `ExpiringValues` of the cache, or what lives no longer than a job."""

    async def get(self, key: str) -> str | None: ...
    async def put(self, key: str, value: str, seconds: int, /) -> None: ...


class Results:
    """Runs compiled reports."""

    def __init__(self, database: Database, notation: NotationService, kept: Kept, large: int = LARGE) -> None:
        self._database = database
        self._notation = notation
        self._kept = kept
        self._large = large
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def of(self, access: Access, definition: Definition) -> ReportData:
        """The result of a checked definition.

        Raises:
            ReportTooSlowError: it takes longer than a report may.
        """
        zone = (await self._notation.current()).zone
        statement = compile_report(access.collection, definition, scope_of(access, definition.where), zone)
        if access.records < self._large:
            return await self._computed(definition, statement)
        key = _key(definition, statement)
        found = await self._look_up(key)
        if found is None:
            found = await self._computed(definition, statement)
            await self._keep(key, found)
        return found

    async def _computed(self, definition: Definition, statement: Statement) -> ReportData:
        async with self._turns, self._database.read() as connection:
            as_of = clock.now()
            try:
                rows = await repository.run(connection, statement)
            except StatementTimeoutError as error:
                raise ReportTooSlowError from error
        return assemble(definition, statement, rows, as_of)

    async def _look_up(self, key: str) -> ReportData | None:
        try:
            text = await self._kept.get(key)
        except UnavailableError as error:
            log.warning("report_not_looked_up", problem=explained(error))
            return None
        return msgspec.convert(decode(text), ReportData) if text else None

    async def _keep(self, key: str, data: ReportData) -> None:
        try:
            await self._kept.put(key, encode(data), KEPT_SECONDS)
        except UnavailableError as error:
            log.warning("report_not_kept", problem=explained(error))


def _key(definition: Definition, statement: Statement) -> str:
    """Of the statement and what is asked of its rows: equal for two people only if they may see the same."""
    said = encode([definition, statement.sql, [str(one) for one in statement.params]])
    return blake2b(said.encode(), digest_size=24).hexdigest()
