"""Writes audit entries in the transaction of the change that they describe, and lists them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web.current_request import current_caller, current_request_id
from vivero_web.errors import InvalidInputError, WebError
from vivero_web.logins import is_worth_an_entry

from vivero_data.db.database import OWN_AUDIT_LOG, Connection, Database, batches
from vivero_data.db.errors import DatabaseError, MissingTableError
from vivero_data.domain.audit import repository, seals
from vivero_data.domain.audit.repository import NewEntry
from vivero_data.domain.audit.schemas import ACTOR_MAX, KEY_MARK, SUPPORT_MARK, SYSTEM, VERIFIED, AuditEntry, AuditQuery
from vivero_data.domain.audit.verification import LastVerification, Verification
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.webhooks import outbox
from vivero_data.lib import cursors
from vivero_data.lib.pages import Page, check_limit, page_of


class AuditLogError(WebError):
    """The table of the audit log is missing, or the database user lacks rights on it."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The audit log cannot be used: the database user needs SELECT and INSERT on {table}.")


ANONYMOUS: Final = "anonymous"  # the actor of attempts without a login
_BATCH: Final = 200  # rows of one transaction; values of a row may be large
_SORT: Final = "-id"
ACTION_PATTERN: Final = "[a-z_.]{0,64}"
_ACTION: Final = re.compile(ACTION_PATTERN)  # the database compares its ASCII column with ASCII text only


async def record(  # noqa: PLR0913  who, what, to what, from what, to what
    tx: Connection,
    actor: Actor | None,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    name: str = "",
) -> None:
    """Add one entry; values must not contain secrets (a password change is an entry without values)."""
    await record_all(tx, actor, [NewEntry(action, subject, before, after, name)])


async def record_all(tx: Connection, actor: Actor | None, entries: Sequence[NewEntry]) -> None:
    """Add entries like `record`, many in a statement."""
    for part in batches(entries):
        await _insert(tx, signature(actor) if actor else SYSTEM, part)
        await outbox.tell(tx, part)


def signature(actor: Actor) -> str:
    """Who did it: a person's address, and the API key where a program did it on the person's behalf; or that it is support."""
    mark = f"{KEY_MARK}{actor.api_key})" if actor.api_key else SUPPORT_MARK if actor.support else ""
    return actor.email[: ACTOR_MAX - len(mark)] + mark


async def record_anonymous(tx: Connection, action: str, subject: str) -> None:
    """An action without a login; `subject` is an existing account, never what was typed."""
    await _insert(tx, ANONYMOUS, [NewEntry(action, subject)])


async def _insert(tx: Connection, actor: str, entries: Sequence[NewEntry]) -> None:
    await repository.insert(tx, actor, entries, request_id=current_request_id(), address=current_caller())


async def record_refusal(tx: Connection, action: str, subject: str) -> None:
    """A refused action, sampled as `vivero_web.logins` says; `subject` as above."""
    if is_worth_an_entry(*await repository.recent(tx, action, subject, current_caller())):
        await record_anonymous(tx, action, subject)


class AuditService:
    """Reads the log for admins and owners, and moves entries of older programs into it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self) -> None:
        """Before the first entry: check access to the log, and that new ids follow the old ones.

        Raises:
            AuditLogError: the table is missing, or a privilege on it.
        """
        async with self._database.read() as connection:
            try:
                await repository.use(connection)
            except (DatabaseError, MissingTableError) as error:
                raise AuditLogError(connection.audit_log) from error
        await self._move_batch()

    async def move_legacy_entries(self) -> int:
        """Move entries that older programs left in the own schema, where our user could change them; how many."""
        moved = 0
        while batch := await self._move_batch():
            moved += batch
        return moved

    async def _move_batch(self) -> int:
        async with self._database.transaction() as tx:
            if tx.audit_log == OWN_AUDIT_LOG:
                return 0
            await seals.wait_for_lock(tx)
            try:
                return await repository.move_legacy_entries(tx, _BATCH)
            except MissingTableError:
                return 0  # the old table was dropped

    async def last_verification(self, actor: Actor) -> LastVerification | None:
        """What the newest verification found, as the log says it; None before the first."""
        require_permission(actor, Permission.READ_AUDIT_LOG)
        async with self._database.read() as connection:
            entry = await repository.newest_of(connection, VERIFIED)
        if entry is None or entry.after is None:
            return None
        return LastVerification(entry.at, entry.actor, msgspec.convert(entry.after, Verification))

    async def list(self, actor: Actor, query: AuditQuery) -> Page[AuditEntry]:
        require_permission(actor, Permission.READ_AUDIT_LOG)
        check_limit(query.limit)
        if not _ACTION.fullmatch(query.action):
            raise InvalidInputError.of("action", "must be a noun such as record, or an action such as record.update")
        below = cursors.decode(query.cursor, _SORT).id if query.cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, query, below)
        return page_of(found, query.limit, lambda entry: cursors.by_id(_SORT, entry.id))
