"""The probe of a signup, every so often, and the removal of all that it has made."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter, Gauge
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import WebError

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.probes.customer import Asks, Customer, Person, Step
from vivero_control.domain.probes.web import ProbeFailedError
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.signups.people import is_probe
from vivero_control.domain.signups.provisioning import job_key
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.tenants.errors import TenantChangedError
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.background import for_each

logger = logging.getLogger(__name__)

ACTOR: Final = "probe"
REASON: Final = "A synthetic probe has ended."
ATTEMPTS: Final = 5
"""The operator writes to a workspace that is new now and then: a deletion that lost against it is tried again."""
PROBE_SECONDS: Final = 300.0
"""For one probe, with its removal."""
RUN_SECONDS: Final = 2 * PROBE_SECONDS
"""With the removal of what others have left."""
AGAIN: Final = timedelta(minutes=5)
"""After one that failed."""
LEFT_AFTER: Final = timedelta(minutes=30)
"""What is that old, no probe works with: it was left by one that was interrupted."""
LATE_AFTER: Final = timedelta(minutes=20)
"""So long after its time a probe that has not ended is late."""

ok = Gauge("vivero_control_probe_ok", "1 if the last probe of a signup reached its end, else 0")
failures = Counter(
    "vivero_control_probe_failures", "Probes of a signup that failed, by the step at which they did", ["step"]
)
seconds = Gauge("vivero_control_probe_step_seconds", "How long a step of the last probe took that got so far", ["step"])
late_from = Gauge("vivero_control_probe_late_timestamp_seconds", "When the next probe has to have ended")


class SignupProbe:
    """One at a time; what is run again and again finds out itself whether a probe is due."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        audit: AuditService,
        web: Callable[[], AbstractAsyncContextManager[Asks]],
        every: timedelta,
        plan: str | None,
        clock: Clock,
    ) -> None:
        """`plan`: to which a probe's workspace is moved before it is deleted, if it is moved."""
        self._database = database
        self._tenants = tenants
        self._audit = audit
        self._web = web
        self._every = every
        self._plan = plan
        self._clock = clock
        self._due: datetime | None = None
        late_from.set((clock() + LATE_AFTER).timestamp())

    async def run(self) -> None:
        """Remove what was left, then probe if it is time. Raises UnavailableError: the next run goes on."""
        now = self._clock()
        if self._due is not None and now < self._due:
            return
        await self._sweep(now)
        passed = await self._probe()
        self._due = self._clock() + (self._every if passed else AGAIN)
        ok.set(passed)
        late_from.set((self._due + LATE_AFTER).timestamp())

    async def _probe(self) -> bool:
        """Whether it reached its end."""
        step = Step.FORM
        async with self._web() as web:
            customer = Customer(web, Person())
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    for step, take in customer.steps().items():
                        await self._timed(step, take)
                    step = Step.DELETE
                    await self._timed(step, lambda: self._remove(customer.signup_id or ""))
            except (ProbeFailedError, WebError, TimeoutError, KeyError, TypeError) as error:
                # A KeyError is an answer in other words than ours: as wrong as none.
                why = f"{type(error).__name__}: {error}"
                logger.error("the probe of a signup failed at step %s: %s", step, why, extra={"step": step})  # noqa: TRY400  what was met, not where
                failures.labels(step).inc()
                return False
        return True

    async def _timed(self, step: Step, take: Callable[[], Awaitable[None]]) -> None:
        begin = asyncio.get_running_loop().time()
        await take()
        seconds.labels(step).set(asyncio.get_running_loop().time() - begin)

    async def _sweep(self, now: datetime) -> None:
        """What probes before this one have left."""
        async with self._database.transaction() as session:
            left = await SignupRepository(session).probes(now - LEFT_AFTER)
        await for_each("probes", left, self._remove, str)
        # One that came to be when its signup was removed already.
        tenants = [one for one in await self._tenants.all() if _is_of_a_probe(one) and _is_old(one, now)]
        await for_each("workspaces of probes", tenants, self._is_deleted, lambda one: one.name)

    async def _remove(self, signup_id: str) -> None:
        """The workspace, then the signup: it is the note of what is left to do."""
        for _ in range(ATTEMPTS):
            tenant = await self._tenants.of_signup(signup_digest(signup_id))
            if isinstance(tenant, Unreadable):
                raise ProbeFailedError("the workspace of the probe cannot be read")
            if tenant is None or await self._is_deleted(tenant):
                break
        else:
            raise ProbeFailedError("others wrote to the workspace of the probe in each attempt to delete it")
        async with self._database.transaction() as session:
            await OutboxRepository(session).remove([job_key(signup_id)])
            await SignupRepository(session).remove_probe(signup_id)

    async def _is_deleted(self, tenant: Tenant) -> bool:
        """Now, or before; False where another program wrote to it in between."""
        if tenant.metadata.deletion_timestamp is not None:
            return True
        if not _is_of_a_probe(tenant):
            raise ProbeFailedError("the workspace of the probe is another's")
        changes = {"deletionPolicy": "Delete"} | ({"plan": self._plan} if self._plan else {})
        about = AuditAction(
            actor=ACTOR, action="delete", subject=tenant_subject(tenant.name), reason=REASON, detail={"id": tenant.id}
        )
        try:
            changed = await self._tenants.patch(tenant, changes)
            async with self._audit.recording(about):
                await self._tenants.delete(changed)
        except TenantChangedError:
            return False
        return True


def _is_of_a_probe(tenant: Tenant) -> bool:
    return tenant.spec.owner is not None and is_probe(tenant.spec.owner.email)


def _is_old(tenant: Tenant, now: datetime) -> bool:
    """No probe works with it; a spare's age is not that of its claim."""
    since = tenant.spec.claimed_at or tenant.metadata.creation_timestamp
    return since is None or now - since > LEFT_AFTER
