"""Reports: viewers read them, members make their own, administrators change everybody's."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError, NotAllowedError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.limits.service import ANALYTICS, LimitService, require_feature
from vivero_data.domain.records.access import Access, access_by_id, access_of
from vivero_data.domain.reports import repository
from vivero_data.domain.reports.definition import check, check_names, last_known, named_form, stored_form
from vivero_data.domain.reports.errors import ReportBrokenError, ReportNotFoundError, ReportsFullError
from vivero_data.domain.reports.repository import StoredReport, Words
from vivero_data.domain.reports.results import Results
from vivero_data.domain.reports.schemas import (
    Definition,
    Kind,
    NewReport,
    Report,
    ReportChanges,
    ReportData,
    definition_of,
)
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

MAX_REPORTS: Final = 1000
_SORT: Final = "-id"


class ReportService:
    """The workspace's reports."""

    def __init__(self, database: Database, results: Results, limits: LimitService) -> None:
        self._database = database
        self._limits = limits
        self._results = results

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Report]:
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            rows = await repository.select_page(connection, actor.user_id, limit, below)
            found = page_of(rows, limit, lambda one: cursors.by_id(_SORT, one.id))
            shown = [(await opened(connection, actor, row))[0] for row in found.items]
        return Page([one for one in shown if is_there(actor, one)], found.next_cursor)

    async def get(self, actor: Actor, report_id: int) -> Report:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return (await _found(connection, actor, report_id))[1]

    async def some(self, actor: Actor, report_ids: Iterable[int]) -> dict[int, Report]:
        """Those of these reports that the actor may see, by number."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            found = [await find(connection, actor, one) for one in report_ids]
        return {report.id: report for report in found if report}

    async def data(self, actor: Actor, report_id: int) -> tuple[Report, ReportData]:
        """The report and what it computes.

        Raises:
            ReportBrokenError: what it is about is gone.
            ReportTooSlowError: it takes longer than a report may.
        """
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            _, report, access = await _found(connection, actor, report_id)
        if report.problem or access is None:
            raise ReportBrokenError(report.problem)
        return report, await self._results.of(access, report.definition)

    async def preview(self, actor: Actor, collection: str, definition: Definition) -> ReportData:
        """What a report would compute.

        Raises:
            InvalidInputError: the definition does not fit the collection.
            ReportTooSlowError: it takes longer than a report may.
        """
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await _access(connection, actor, collection)
        check(access.collection, definition)
        return await self._results.of(access, definition)

    async def create(self, actor: Actor, new: NewReport) -> Report:
        require_permission(actor, Permission.WRITE_RECORDS)
        words = _words(new.name, new.description, shared=new.shared)
        self._require_kind(new.kind)
        async with self._database.transaction() as tx:
            collection = (await _access(tx, actor, new.collection)).collection
            check(collection, definition_of(new))
            if await repository.count(tx) >= MAX_REPORTS:
                raise ReportsFullError(MAX_REPORTS)
            stored = stored_form(collection, definition_of(new))
            number = await repository.insert(tx, collection.id, actor.user_id, words, stored)
            _, report, _ = await _found(tx, actor, number)
            await record(tx, actor, "report.create", report.name, after=described(report))
        return report

    async def update(self, actor: Actor, report_id: int, changes: ReportChanges) -> Report:
        """Change a report; one without a change writes nothing.

        Raises:
            ReportBrokenError: its collection is gone.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            row, before, access = await _found(tx, actor, report_id)
            require_may_change(actor, row.owner_id)
            if access is None:
                raise ReportBrokenError(before.problem)
            collection = access.collection
            given = _said(changes)
            after = msgspec.structs.replace(before, **given)
            words = _words(after.name, after.description, shared=after.shared)
            if after.kind != before.kind:
                self._require_kind(after.kind)
            if given.keys() & set(Definition.__struct_fields__):
                check(collection, after.definition)
                stored = stored_form(collection, after.definition)
            else:
                stored = row.stored
            if (words, stored) == (row.words, row.stored):
                return before
            await repository.update(tx, report_id, words, stored)
            _, report, _ = await _found(tx, actor, report_id)
            await record(tx, actor, "report.update", report.name, before=described(before), after=described(report))
        return report

    @property
    def offered(self) -> tuple[Kind, ...]:
        """The kinds of reports that the plan has."""
        return tuple(kind for kind in Kind if kind is not Kind.PIVOT or ANALYTICS in self._limits.current.features)

    def _require_kind(self, kind: Kind) -> None:
        if kind is Kind.PIVOT:
            require_feature(self._limits.current, ANALYTICS, "pivot tables")

    async def delete(self, actor: Actor, report_id: int) -> None:
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            row, report, _ = await _found(tx, actor, report_id)
            require_may_change(actor, row.owner_id)
            await repository.delete(tx, report_id)
            await record(tx, actor, "report.delete", report.name, before=described(report))


def require_may_change(actor: Actor, owner_id: int) -> None:
    """Check that the actor may change what `owner_id` made.

    Raises:
        NotAllowedError: it is somebody else's, and the actor is no administrator.
    """
    if actor.user_id != owner_id and not actor.may(Permission.MANAGE_COLLECTIONS):
        raise NotAllowedError("Only who made it, an administrator or the owner of the workspace can change it.")


def described(report: Report) -> dict[str, Any]:
    """A report as the audit log has it."""
    said = {"name": report.name, "collection": report.collection, "shared": report.shared}
    return {**said, **msgspec.to_builtins(report.definition)}


def _said(changes: ReportChanges) -> dict[str, Any]:
    every = {name: getattr(changes, name) for name in ReportChanges.__struct_fields__}
    return {name: value for name, value in every.items() if value is not msgspec.UNSET}


def _words(name: str, description: str, *, shared: bool) -> Words:
    words = Words(tidy(name), description.strip(), shared)
    check_names(words.name, words.description)
    return words


async def _access(connection: Connection, actor: Actor, name: str) -> Access:
    try:
        return await access_of(connection, actor, name)
    except CollectionNotFoundError as error:
        raise InvalidInputError.of("collection", "names no collection") from error


async def _found(connection: Connection, actor: Actor, report_id: int) -> tuple[StoredReport, Report, Access | None]:
    row = await repository.get(connection, report_id, actor.user_id)
    if row is None:
        raise ReportNotFoundError
    report, access = await opened(connection, actor, row)
    if not is_there(actor, report):
        raise ReportNotFoundError
    return row, report, access


async def find(connection: Connection, actor: Actor, report_id: int) -> Report | None:
    """The report, if the actor may see it."""
    try:
        return (await _found(connection, actor, report_id))[1]
    except ReportNotFoundError:
        return None


def is_there(actor: Actor, report: Report) -> bool:
    """Whether there is such a report for the actor.

    With a role of the workspace's own, one that needs what is gone is not: it may be hidden, and would be named.
    """
    return actor.own is None or not report.problem


async def opened(connection: Connection, actor: Actor, row: StoredReport) -> tuple[Report, Access | None]:
    """A stored report by the names of today, and access to its collection if that is still there."""
    access = await access_by_id(connection, actor, row.collection_id)
    if access is None:
        return _report(row, last_known(row.stored), "Its collection was deleted."), None
    definition, gone = named_form(access.collection, row.stored)
    return _report(row, definition, _problem(access.collection, definition, gone)), access


def _problem(collection: Collection, definition: Definition, gone: list[str]) -> str:
    if gone:
        return f"Fields that it needs are gone: {', '.join(gone)}."
    try:
        check(collection, definition)
    except InvalidInputError as error:
        return "; ".join(f"{item.field} {item.message}" for item in error.errors)
    return ""


def _report(row: StoredReport, definition: Definition, problem: str) -> Report:
    return Report(
        **msgspec.structs.asdict(definition),
        id=row.id,
        name=row.words.name,
        description=row.words.description,
        collection=row.collection or "",
        owner=row.owner,
        shared=row.words.shared,
        problem=problem,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
