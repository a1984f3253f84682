"""Schedules of mails: members make their own, administrators change everybody's, recipients stop what they get."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web import clock
from vivero_web.errors import InvalidInputError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.dashboards import repository as dashboards
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.limits.service import ANALYTICS, LimitService, require_confirmed, require_feature
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.notation.service import notation_of
from vivero_data.domain.report_mails import repository, stopping
from vivero_data.domain.report_mails.periods import Rule, next_time
from vivero_data.domain.report_mails.repository import StoredSchedule
from vivero_data.domain.report_mails.schemas import (
    MAX_SCHEDULES,
    NewReportSchedule,
    ReportSchedule,
    ReportScheduleChanges,
    ReportScheduleNotFoundError,
    ReportSchedulesFullError,
    Sending,
    Subject,
)
from vivero_data.domain.reports.service import find, require_may_change
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.users.service import normal_email
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"
WORDS: Final = "reports by e-mail"


class ReportMailService:
    """The workspace's schedules."""

    def __init__(
        self, database: Database, limits: LimitService, links: LinkService, identity: IdentityService, key: str
    ) -> None:
        self._database = database
        self._limits = limits
        self._links = links
        self._identity = identity
        self._key = key

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ReportSchedule]:
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, actor.user_id, limit, below, everything=_sees_all(actor))
        return page_of([one.shown for one in found], limit, lambda one: cursors.by_id(_SORT, one.id))

    async def get(self, actor: Actor, schedule_id: int) -> ReportSchedule:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return (await _found(connection, actor, schedule_id)).shown

    async def sendings(
        self, actor: Actor, schedule_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Sending]:
        """What was sent in the last 90 days, newest first."""
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            schedule = await _found(connection, actor, schedule_id)
            found = await repository.select_sendings(connection, schedule.id, limit, below)
        return page_of(found, limit, lambda one: cursors.by_id(_SORT, one.id))

    async def create(self, actor: Actor, new: NewReportSchedule) -> ReportSchedule:
        """Make a schedule.

        Raises:
            NoMailError: the workspace sends no mail.
            OwnerUnconfirmedError: it mails nothing to other people yet.
            InvalidInputError: there is no such report, or a recipient is not of this workspace.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        require_feature(self._limits.current, ANALYTICS, WORDS)
        require_confirmed(self._limits.current)
        await self._links.require_available()
        rule = Rule(new.every, new.hour, new.weekday, new.day, new.active)
        async with self._database.transaction() as tx:
            await _require_seen(tx, actor, new.subject, new.subject_id)
            if await repository.count(tx) >= MAX_SCHEDULES:
                raise ReportSchedulesFullError
            numbers = await _people(tx, new.recipients)
            next_at = next_time(rule, clock.now(), (await notation_of(tx)).zone)
            number = await repository.insert(tx, new.subject, new.subject_id, actor.user_id, rule, next_at)
            await repository.set_recipients(tx, number, numbers)
            made = await _found(tx, actor, number)
            await record(tx, actor, "report_schedule.create", made.logged_as, after=_described(made.shown))
        return made.shown

    async def change(self, actor: Actor, schedule_id: int, changes: ReportScheduleChanges) -> ReportSchedule:
        """Change a schedule; one without a change writes nothing."""
        require_permission(actor, Permission.WRITE_RECORDS)
        said = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
        recipients = said.pop("recipients", None)
        async with self._database.transaction() as tx:
            before = await _found(tx, actor, schedule_id, lock=True)
            require_may_change(actor, before.owner_id)
            rule = msgspec.structs.replace(before.rule, **said)
            if rule.active and not before.rule.active:
                require_feature(self._limits.current, ANALYTICS, WORDS)
            if recipients is not None:
                await repository.set_recipients(tx, schedule_id, await _people(tx, recipients))
            if rule != before.rule:
                next_at = next_time(rule, clock.now(), (await notation_of(tx)).zone)
                await repository.update(tx, schedule_id, rule, next_at, "" if rule.active else before.ended)
            after = await _found(tx, actor, schedule_id)
            if after.shown != before.shown:
                old, new = _described(before.shown), _described(after.shown)
                await record(tx, actor, "report_schedule.update", after.logged_as, before=old, after=new)
        return after.shown

    async def delete(self, actor: Actor, schedule_id: int) -> None:
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            gone = await _found(tx, actor, schedule_id, lock=True)
            require_may_change(actor, gone.owner_id)
            await repository.delete(tx, schedule_id)
            await record(tx, actor, "report_schedule.delete", gone.logged_as, before=_described(gone.shown))

    async def named(self, token: str) -> str:
        """The name of what a link in a mail stops; empty if it was deleted since.

        Raises:
            ReportScheduleNotFoundError: the link is not ours, or its schedule is gone.
        """
        schedule_id, user_id = self._read(token)
        async with self._database.read() as connection:
            found = await repository.get(connection, schedule_id, user_id, everything=True)
        if found is None:
            raise ReportScheduleNotFoundError
        return found.shown.name

    async def stop(self, token: str) -> None:
        """The person whom the link was mailed to gets no more of it; nothing happens the second time.

        Raises:
            ReportScheduleNotFoundError: the link is not ours.
        """
        schedule_id, user_id = self._read(token)
        async with self._database.transaction() as tx:
            schedule = await repository.get(tx, schedule_id, user_id, everything=True)
            if schedule is not None and await repository.remove_recipient(tx, schedule_id, user_id):
                await record(tx, None, "report_schedule.stop", schedule.logged_as, before={"recipient": user_id})

    def _read(self, token: str) -> tuple[int, int]:
        numbers = stopping.read(self._key, token)
        if numbers is None:
            raise ReportScheduleNotFoundError
        return numbers


def _sees_all(actor: Actor) -> bool:
    return actor.may(Permission.MANAGE_COLLECTIONS)


async def _found(connection: Connection, actor: Actor, schedule_id: int, *, lock: bool = False) -> StoredSchedule:
    found = await repository.get(connection, schedule_id, actor.user_id, everything=_sees_all(actor), lock=lock)
    if found is None:
        raise ReportScheduleNotFoundError
    return found


async def _require_seen(tx: Connection, actor: Actor, subject: Subject, subject_id: int) -> None:
    if subject is Subject.REPORT:
        found: object = await find(tx, actor, subject_id)
    else:
        found = await dashboards.get(tx, subject_id, actor.user_id)
    if found is None:
        raise InvalidInputError.of("subject_id", f"names no {subject} that you see")


async def _people(tx: Connection, emails: Sequence[str]) -> Sequence[int]:
    wanted = list(dict.fromkeys(normal_email(one) or one for one in emails))
    if not wanted:
        raise InvalidInputError.of("recipients", "must name somebody")
    found = await repository.people(tx, wanted)
    unknown = [one for one in wanted if one not in found]
    if unknown:
        raise InvalidInputError.of("recipients", f"must be people of this workspace; {unknown[0]} is not")
    return [found[one] for one in wanted]


def _described(schedule: ReportSchedule) -> dict[str, Any]:
    parts = ("subject", "subject_id", "recipients", "every", "hour", "weekday", "day", "active")
    said: dict[str, Any] = msgspec.to_builtins(schedule)
    return {name: said[name] for name in parts}
