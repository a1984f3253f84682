"""Trials: mails before the end, then the suspension. A periodic task of the worker.

Level-based: each run looks at every trial as it is, and does what is missing. It is idempotent, also when two workers
run it at once: mails have a key in the outbox, and a suspension is written only onto the version that was read.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError
from vivero_web.mail import Mail

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import WayOn
from vivero_control.domain.tenants import policies
from vivero_control.domain.tenants.errors import TenantChangedError, TenantNotFoundError
from vivero_control.domain.tenants.policies import tenant_subject, trial_end
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import Suspend
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.background import for_each

NOTICES: Final = (7, 1)
"""Days before the end on which the owner is told."""
MAIL_PATIENCE: Final = timedelta(days=1)
"""A trial is closed after the mail that says so; a mail that cannot be sent does not keep it open longer than this."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the owner that the trial ends in `days` days."""

    days: int


@dataclass(frozen=True, slots=True)
class Close:
    """The trial is over since `since`: tell the owner, then suspend. `unconfirmed`: because the address is not confirmed."""

    since: datetime
    unconfirmed: bool = False


Need = Notice | Close


def due(tenant: Tenant, now: datetime) -> Need | None:
    """What the trial of `tenant` needs now; the nearest notice only, when several days were missed."""
    ends, confirm_by = trial_end(tenant), policies.confirm_by(tenant)
    if ends is None or tenant.spec.suspended is not None:
        return None
    if tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return None
    if ends <= now:
        return Close(ends)
    if confirm_by is not None and confirm_by <= now:
        return Close(confirm_by, unconfirmed=True)
    days_before = [days for days in NOTICES if ends - now <= timedelta(days=days)]
    return Notice(min(days_before)) if days_before else None


def may_suspend(ends: datetime, now: datetime, *, told: bool) -> bool:
    """Whether to suspend already: the owner has been told, or could not be for too long."""
    return told or now - ends >= MAIL_PATIENCE


logger = logging.getLogger(__name__)

ACTOR = "trials"
CLOSED_MESSAGE = "The trial of this workspace has ended. Its data is kept."
UNCONFIRMED_MESSAGE = "The owner of this workspace has not confirmed the e-mail address. Its data is kept."


class TrialTask:
    """One run over all trials."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        audit: AuditService,
        send_mails: Callable[[], Awaitable[int]],
        tenant_url: Callable[[str], str],
        account_of: Callable[[str], str] | None,
        confirm_of: Callable[[str], str],
        mails_are_answered: bool,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._audit = audit
        self._send_mails = send_mails
        self._tenant_url = tenant_url
        self._account_of = account_of
        self._confirm_of = confirm_of
        self._answered = mails_are_answered
        self._clock = clock

    async def run(self) -> None:
        """Tell who is to be told, send it, then close what is over and told; each trial by itself."""
        now = self._clock()
        needs = [(tenant, need) for tenant in await self._tenants.all() if (need := due(tenant, now))]
        if not needs:
            return
        await for_each("trials-tell", needs, lambda due: self._tell(*due, now), _name)
        try:
            await self._send_mails()
        except UnavailableError as error:
            logger.warning("sending trial mails failed, retrying: %s", error.__cause__ or error)
        over = [(tenant, need) for tenant, need in needs if isinstance(need, Close)]
        await for_each("trials-close", over, lambda due: self._close(*due, now), _name)

    async def _tell(self, tenant: Tenant, need: Need, now: datetime) -> None:
        mail = self._mail(tenant, need)
        async with self._database.transaction() as session:
            await mails.enqueue(session, mail, now, subject=tenant_subject(tenant.name))

    def _mail(self, tenant: Tenant, need: Need) -> Mail:
        uid, ends = tenant.metadata.uid, _end(tenant)
        slug, to = _customer(tenant)
        url = tenant.status.url or self._tenant_url(slug)
        if isinstance(need, Close) and need.unconfirmed:
            return mails.unconfirmed(uid, to=to, url=url, confirm_url=self._confirm_of(slug))
        way = WayOn(account_url=self._account_of(slug) if self._account_of else "", answered=self._answered)
        if isinstance(need, Close):
            return mails.trial_ended(uid, ends_at=ends, to=to, url=url, way=way)
        return mails.trial_ending(uid, ends_at=ends, days=need.days, to=to, url=url, way=way)

    async def _close(self, tenant: Tenant, need: Close, now: datetime) -> None:
        uid = tenant.metadata.uid
        key = mails.unconfirmed_key(uid) if need.unconfirmed else mails.trial_ended_key(uid, need.since)
        async with self._database.transaction() as session:
            mail = await OutboxRepository(session).status_of(key)
        if not may_suspend(need.since, now, told=mail is not None and mail.is_over):
            return
        suspend = _suspension(need)
        act = AuditAction(
            actor=ACTOR,
            action="suspend",
            subject=tenant_subject(tenant.name),
            reason=suspend.reason,
            detail={"kind": str(suspend.kind), "trial_ends_at": policies.timestamp(_end(tenant))},
        )
        try:
            async with self._audit.recording(act):
                await self._tenants.patch(tenant, policies.suspend(tenant, suspend))
        except (TenantChangedError, TenantNotFoundError) as error:
            # Extended, paid or deleted since; if it is still over, the next run sees it.
            logger.info("suspending after the trial failed: %s", type(error).__name__, extra={"tenant": tenant.name})


def _suspension(need: Close) -> Suspend:
    reason, message = (
        ("The address of the owner was not confirmed.", UNCONFIRMED_MESSAGE)
        if need.unconfirmed
        else ("The trial has ended.", CLOSED_MESSAGE)
    )
    return Suspend(reason=reason, kind=SuspensionReason.TRIAL_ENDED, message=message)


def _customer(tenant: Tenant) -> tuple[str, str]:
    """Slug and owner's address; only for tenants that `due` found something for."""
    if tenant.spec.slug is None or tenant.spec.owner is None:
        raise ValueError(f"{tenant.name} is nobody's")
    return tenant.spec.slug, tenant.spec.owner.email


def _end(tenant: Tenant) -> datetime:
    """Only for tenants that `due` found something for."""
    ends = policies.trial_end(tenant)
    if ends is None:
        raise ValueError(f"{tenant.name} has no trial")
    return ends


def _name(due: tuple[Tenant, Need]) -> str:
    return due[0].name
