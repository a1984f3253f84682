"""The trials' timetable: mails before the end, then the end.

Level-based: each run looks at every trial as it is and does what is missing.
Run twice, also at once, it does everything once: mails have a key in the
outbox, and a suspension is written only onto the version that was looked at.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError
from vivero_web.mail import Mail

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.notifications import mails
from vivero_control.domain.tenants import policies, trials
from vivero_control.domain.tenants.errors import TenantChangedError, TenantNotFoundError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import Suspend
from vivero_control.domain.tenants.subjects import subject
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.background import for_each

logger = logging.getLogger(__name__)

ACTOR = "trials"
CLOSED_MESSAGE = "The trial of this workspace has ended. Its data is kept."


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
        mails_are_answered: bool,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._audit = audit
        self._send_mails = send_mails
        self._tenant_url = tenant_url
        self._answered = mails_are_answered
        self._clock = clock

    async def run(self) -> None:
        """Tell who is to be told, send it, then close what is over and told; each trial by itself."""
        now = self._clock()
        needs = [(tenant, need) for tenant in await self._tenants.all() if (need := trials.due(tenant, now))]
        if not needs:
            return
        await for_each("trials-tell", needs, lambda due: self._tell(*due, now), _name)
        try:
            await self._send_mails()
        except UnavailableError as error:
            logger.warning("sending trial mails failed, retrying: %s", error.__cause__ or error)
        over = [due for due in needs if isinstance(due[1], trials.Close)]
        await for_each("trials-close", over, lambda due: self._close(due[0], now), _name)

    async def _tell(self, tenant: Tenant, need: trials.Need, now: datetime) -> None:
        mail = self._mail(tenant, need)
        async with self._database.transaction() as session:
            await OutboxRepository(session).enqueue(
                kind=mails.KIND,
                key=mail.key,
                payload=mail.payload(),
                now=now,
                due_at=now,
                subject=subject(tenant.name),
            )

    def _mail(self, tenant: Tenant, need: trials.Need) -> Mail:
        uid, ends = tenant.metadata.uid, _end(tenant)
        slug, to = _customer(tenant)
        url = tenant.status.url or self._tenant_url(slug)
        if isinstance(need, trials.Close):
            return mails.trial_ended(uid, ends_at=ends, to=to, url=url, answered=self._answered)
        return mails.trial_ending(uid, ends_at=ends, days=need.days, to=to, url=url, answered=self._answered)

    async def _close(self, tenant: Tenant, now: datetime) -> None:
        key = mails.trial_ended_key(tenant.metadata.uid, _end(tenant))
        async with self._database.transaction() as session:
            mail = await OutboxRepository(session).status_of(key)
        if not trials.may_close(_end(tenant), now, told=mail is not None and mail.is_over):
            return
        order = Suspend(reason="The trial has ended.", kind=SuspensionReason.TRIAL_ENDED, message=CLOSED_MESSAGE)
        act = AuditAction(
            actor=ACTOR,
            action="suspend",
            subject=subject(tenant.name),
            reason=order.reason,
            detail={"kind": str(order.kind), "trial_ends_at": policies.timestamp(_end(tenant))},
        )
        try:
            async with self._audit.recording(act):
                await self._tenants.patch(tenant, policies.suspend(tenant, order))
        except (TenantChangedError, TenantNotFoundError) as error:
            # Extended, paid or deleted since; if it is still over, the next run sees it.
            logger.info("suspending after the trial failed: %s", type(error).__name__, extra={"tenant": tenant.name})


def _customer(tenant: Tenant) -> tuple[str, str]:
    """Slug and owner's address; only for tenants that `trials.due` found something for."""
    if tenant.spec.slug is None or tenant.spec.owner is None:
        raise ValueError(f"{tenant.name} is nobody's")
    return tenant.spec.slug, tenant.spec.owner.email


def _end(tenant: Tenant) -> datetime:
    """Only for tenants that `trials.due` found something for."""
    ends = policies.trial_end(tenant)
    if ends is None:
        raise ValueError(f"{tenant.name} has no trial")
    return ends


def _name(due: tuple[Tenant, trials.Need]) -> str:
    return due[0].name
