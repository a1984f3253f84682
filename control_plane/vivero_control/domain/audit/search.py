"""The audit log of all tenants, accounts and staff: found by who, what, to what and when, page by page or as a file."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct, to_builtins
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import spreadsheets
from vivero_web.errors import InvalidInputError
from vivero_web.spreadsheets import BYTE_ORDER_MARK
from vivero_web.text import whole_number

from vivero_control.db.database import Database
from vivero_control.db.tables import EMAIL_LENGTH, SUBJECT_LENGTH, AuditRecord
from vivero_control.domain.audit.service import AuditAction, AuditEntry, AuditService, as_entry
from vivero_control.domain.staff.policies import require_admin
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.lib import cursors

ACTOR_MAX: Final = EMAIL_LENGTH
SUBJECT_MAX: Final = SUBJECT_LENGTH
EXPORT: Final = "export-audit"
"""The action of a download in the log."""
SUBJECT: Final = "audit"
TAKE_OUT: Final = "take the audit log out of the platform"
_FILE_PAGE: Final = 1000  # entries of one transaction of a download
_HEADS: Final = ("at", "actor", "action", "subject", "reason", "detail", "outcome", "address")


class AuditQuery(Struct, frozen=True, kw_only=True):
    """What is looked for; an empty text and no moment mean any."""

    actor: str = ""
    """Exactly, in any case."""
    action: str = ""
    subject: str = ""
    """How it begins, such as `tenant/` for all tenants."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""


class AuditPage(Struct, frozen=True):
    """A page of the audit log."""

    items: Annotated[tuple[AuditEntry, ...], Meta(description="The newest first.")]
    next_cursor: Annotated[str | None, Meta(description="Leads to the page behind; null on the last.")]


class Place(Struct, frozen=True):
    """Where a page begins: behind the entry of this moment and number."""

    at: datetime
    number: int

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Raises InvalidInputError if no page gave it."""
        seconds, _, number = cursor.partition(".")
        moment, last = cursors.read(seconds), whole_number(number)
        if moment is None or last is None:
            raise InvalidInputError.of("cursor", "must be the next_cursor of a page")
        return cls(moment, last)

    def __str__(self) -> str:
        return f"{cursors.written(self.at)}.{self.number}"


class AuditSearch:
    """For staff: every entry, whoever it is about."""

    def __init__(self, database: Database, audit: AuditService) -> None:
        self._database = database
        self._audit = audit

    async def page(self, query: AuditQuery, cursor: str, limit: int) -> AuditPage:
        """Entries from a cursor on, or the newest.

        Raises:
            InvalidInputError: the cursor is of no page.
        """
        place = Place.read(cursor) if cursor else None
        async with self._database.transaction() as session:
            rows = await _select(session, query, place, limit + 1)
        found = rows[:limit]
        behind = str(Place(found[-1].at, found[-1].id)) if len(rows) > limit else None
        return AuditPage(tuple(as_entry(row) for row in found), behind)

    async def actions(self) -> Sequence[str]:
        """Every action that the log has, in alphabetical order: an index has them."""
        async with self._database.transaction() as session:
            statement = select(AuditRecord.action).distinct().order_by(AuditRecord.action)
            return (await session.scalars(statement)).all()

    async def file(self, query: AuditQuery, member: StaffView) -> AsyncIterator[bytes]:
        """The entries as CSV, as they come; that they are taken out is logged first.

        Raises:
            NotAllowedError: only admins may.
        """
        require_admin(member, TAKE_OUT)
        asked = {name: value for name, value in to_builtins(query).items() if value}
        await self._audit.log(
            AuditAction(actor=member.email, action=EXPORT, subject=SUBJECT, reason="", detail={"query": asked})
        )
        return self._lines(query)

    async def _lines(self, query: AuditQuery) -> AsyncIterator[bytes]:
        yield BYTE_ORDER_MARK.encode() + spreadsheets.lines([_HEADS])
        place: Place | None = None
        while True:
            async with self._database.transaction() as session:
                rows = await _select(session, query, place, _FILE_PAGE)
            if not rows:
                return
            yield spreadsheets.lines([_cells(row) for row in rows])
            place = Place(rows[-1].at, rows[-1].id)


async def _select(session: AsyncSession, query: AuditQuery, place: Place | None, limit: int) -> Sequence[AuditRecord]:
    newest = (AuditRecord.at.desc(), AuditRecord.id.desc())
    statement = select(AuditRecord).where(*conditions(query, place)).order_by(*newest).limit(limit)
    return (await session.scalars(statement)).all()


def conditions(query: AuditQuery, place: Place | None) -> list[ColumnElement[bool]]:
    """What holds for the entries that are looked for, behind a place."""
    found: list[ColumnElement[bool]] = []
    if query.actor:
        found.append(AuditRecord.actor == query.actor)
    if query.action:
        found.append(AuditRecord.action == query.action)
    if query.subject:
        found.append(AuditRecord.subject.startswith(query.subject, autoescape=True))
    if query.since:
        found.append(AuditRecord.at >= query.since)
    if query.until:
        found.append(AuditRecord.at < query.until)
    if place:
        # The first half alone is a range of an index; both together are exact.
        found += [
            AuditRecord.at <= place.at,
            or_(AuditRecord.at < place.at, and_(AuditRecord.at == place.at, AuditRecord.id < place.number)),
        ]
    return found


def _cells(row: AuditRecord) -> list[str]:
    """In the order of the heads."""
    at = row.at.isoformat().replace("+00:00", "Z")
    return [at, row.actor, row.action, row.subject, row.reason, _words(row.detail), row.outcome, row.address]


def _words(detail: dict[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in detail.items())
