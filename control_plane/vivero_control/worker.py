"""The worker: processes jobs, runs periodic tasks (trials, clean-up), and watches for external changes.

Each kind of job is processed by itself, so a mail server outage delays no signup. A wake-up over Valkey starts the
processing at once; without Valkey the worker polls the outbox every few seconds.

It listens on the port for kubelet and Prometheus, and on no other.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from litestar import Litestar
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock, now
from vivero_web.errors import UnavailableError

from vivero_control import composition
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.bulk_runs.jobs import KEEP as KEEP_RUNS
from vivero_control.domain.bulk_runs.repository import RunRepository
from vivero_control.domain.deleted.receipts import ErasureWatcher
from vivero_control.domain.figures.counting import JourneyTask
from vivero_control.domain.figures.repository import VisitRepository
from vivero_control.domain.figures.service import FigureService
from vivero_control.domain.leads.routing import LeadTask
from vivero_control.domain.notifications import mails
from vivero_control.domain.probes.releases import ReleaseTask
from vivero_control.domain.probes.service import RUN_SECONDS as PROBE_RUN_SECONDS
from vivero_control.domain.signups.links import LINK
from vivero_control.domain.signups.repository import SignupLinkRepository
from vivero_control.domain.staff.repository import RefreshTokenRepository
from vivero_control.domain.status.measuring import StatusTask
from vivero_control.domain.status.policies import DAYS
from vivero_control.domain.status.repository import IncidentRepository, StatusDayRepository
from vivero_control.domain.support.service import GrantRepository
from vivero_control.domain.tenants.external_changes import ExternalChangeWatcher
from vivero_control.domain.tenants.trials import TrialTask
from vivero_control.domain.webhooks.events import WatchedTenantRepository
from vivero_control.domain.webhooks.schemas import KEEP_EVENTS
from vivero_control.jobs.outbox import KEEP_FINISHED, KEEP_PAYLOAD, Outbox
from vivero_control.jobs.repository import DEAD, PENDING, OutboxRepository
from vivero_control.lib.background import for_each, run_every
from vivero_control.lib.health import Health, internal_app
from vivero_control.lib.idempotency import KEEP
from vivero_control.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS: Final = 10.0  # the delay when a wake-up is lost
TRIALS_SECONDS: Final = 300.0
COMPARE_SECONDS: Final = 3600.0
CONTRACTS_SECONDS: Final = 300.0
TIDY_SECONDS: Final = 6 * 3600.0
FIGURES_SECONDS: Final = 300.0
LEADS_SECONDS: Final = 30.0  # half of the minute in which a person is told of a promising trial
STATUS_SECONDS: Final = 25.0  # less than half a minute: each minute is measured, once
PROBE_SECONDS: Final = 60.0  # the probe itself knows when it is due
RELEASES_SECONDS: Final = 60.0
RUN_SECONDS: Final = 300.0  # timeout of one run of a periodic task
KEEP_VISITS: Final = timedelta(days=800)
KEEP_INCIDENTS: Final = timedelta(days=366)
GONE_AFTER: Final = timedelta(days=1)
"""A Tenant that is still missing so long after a mail about it became a dead letter was deleted, and is not only late."""

MAILED: Final = (mails.KIND, LINK)
"""Kinds of jobs whose payload has a customer's address."""

entries = Gauge("vivero_control_outbox_entries", "Jobs that wait, and dead letters that can be replayed", ["state"])


class Worker:
    """The worker's tasks."""

    def __init__(self, infrastructure: composition.Infrastructure) -> None:
        self._infrastructure = infrastructure
        settings = infrastructure.settings
        kinds = composition.job_kinds(infrastructure)
        budget = timedelta(hours=settings.jobs.patience_hours)
        self.outbox = Outbox(infrastructure.database, kinds, budget, infrastructure.clock, infrastructure.tracer)
        audit = AuditService(infrastructure.database, infrastructure.clock)
        self.changes = ExternalChangeWatcher(infrastructure.kube, audit)
        self.tenant_events = composition.tenant_events(infrastructure)
        self.erasures = ErasureWatcher(infrastructure.kube, audit, infrastructure.database)
        self.trials = TrialTask(
            database=infrastructure.database,
            tenants=infrastructure.tenants,
            audit=audit,
            send_mails=partial(self.outbox.drain, mails.KIND),
            tenant_url=settings.tenant_url,
            account_of=settings.account_of if settings.billing else None,
            confirm_of=settings.confirm_of,
            mails_are_answered=settings.mail.reply_to is not None,
            clock=infrastructure.clock,
        )
        self.figures = FigureService(infrastructure.database, infrastructure.clock)
        self.journeys = JourneyTask(
            infrastructure.database,
            infrastructure.tenants,
            composition.workspace_usage(infrastructure).read,
            infrastructure.clock,
        )
        self.leads = LeadTask(
            infrastructure.database, infrastructure.wake_up.notify, settings.lead_page, infrastructure.clock
        )
        self.status = StatusTask(
            infrastructure.database, composition.probes(infrastructure).all(), infrastructure.clock
        )
        self.billing = composition.synchroniser(infrastructure)
        self.signup_probe = composition.signup_probe(infrastructure)
        self.releases = ReleaseTask(infrastructure.tenants, infrastructure.ingress.probe, infrastructure.clock)
        self.contracts = composition.contracts(infrastructure)
        self.entitlements = composition.entitlements(infrastructure)
        self.invoices = composition.invoices(infrastructure)
        self._wake_ups = {kind: asyncio.Event() for kind in kinds}

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Concurrent tasks by name; each runs until it is cancelled."""
        by_kind = {f"jobs {kind}": partial(self._process, kind) for kind in self._wake_ups}
        compare = self.billing.compare if self.billing else None
        hourly = (
            {"billing": lambda: run_every(COMPARE_SECONDS, "billing", compare, limit=COMPARE_SECONDS)}
            if compare
            else {}
        )
        return {
            "wake": lambda: self._infrastructure.wake_up.listen(self._on_wake_up),
            "trials": lambda: run_every(TRIALS_SECONDS, "trials", self.trials.run, limit=RUN_SECONDS),
            "status": lambda: run_every(STATUS_SECONDS, "status", self.status.run, limit=RUN_SECONDS),
            "figures": lambda: run_every(FIGURES_SECONDS, "figures", self.figures.measure, limit=RUN_SECONDS),
            "leads": lambda: run_every(LEADS_SECONDS, "leads", self.follow_leads, limit=RUN_SECONDS),
            "contracts": lambda: run_every(CONTRACTS_SECONDS, "contracts", self.follow_contracts, limit=RUN_SECONDS),
            "changes": self.changes.run,
            "erasures": self.erasures.run,
            "tenant events": self.tenant_events.run,
            "tidy": lambda: run_every(TIDY_SECONDS, "clean-up", self.tidy, limit=RUN_SECONDS),
            **hourly,
            **self._probes(),
            **by_kind,
        }

    def _probes(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        if (probe := self.signup_probe) is None:
            return {}
        return {
            "signup probe": lambda: run_every(PROBE_SECONDS, "signup probe", probe.run, limit=PROBE_RUN_SECONDS),
            "releases": lambda: run_every(RELEASES_SECONDS, "releases", self.releases.run, limit=RUN_SECONDS),
        }

    async def drain(self) -> None:
        """Run every job that is due, once."""
        for kind in self._wake_ups:
            await self.outbox.drain(kind)
        await self._count()

    async def follow_leads(self) -> None:
        """Whose workspace has worked and how it is used, then who of the staff is to be told of it."""
        await self.journeys.run()
        await self.leads.run()

    async def follow_contracts(self) -> None:
        """What workspaces have by contract, what is invoiced, and who is told that one ends or is not paid."""
        await self.entitlements.apply_all()
        await self.contracts.tell_of_ends()
        await self.invoices.issue_due()
        await self.invoices.tell_of_late()

    async def tidy(self) -> None:
        """Delete what is past its retention, each kind by itself."""
        now = self._infrastructure.clock()
        tasks: dict[str, Callable[[], Awaitable[int]]] = {
            "idempotency keys": lambda: self._infrastructure.idempotency.forget(now - KEEP),
            "outbox entries": lambda: self._in_transaction(
                lambda at: OutboxRepository(at).delete_finished(now - KEEP_FINISHED)
            ),
            "payloads of dead letters": lambda: self._in_transaction(
                lambda at: OutboxRepository(at).erase_payloads(now - KEEP_PAYLOAD)
            ),
            "mails about tenants that are gone": self._erase_gone,
            "links of signups": lambda: self._in_transaction(lambda at: SignupLinkRepository(at).forget(now)),
            "days of the status page": lambda: self._in_transaction(
                lambda at: StatusDayRepository(at).forget((now - timedelta(days=DAYS)).date())
            ),
            "visits": lambda: self._in_transaction(lambda at: VisitRepository(at).forget((now - KEEP_VISITS).date())),
            "incidents": lambda: self._in_transaction(lambda at: IncidentRepository(at).forget(now - KEEP_INCIDENTS)),
            "support grants": lambda: self._in_transaction(lambda at: GrantRepository(at).forget(now - KEEP)),
            "orders for many tenants": lambda: self._in_transaction(
                lambda at: RunRepository(at).forget(now - KEEP_RUNS)
            ),
            "events of tenants": lambda: self._in_transaction(
                lambda at: WatchedTenantRepository(at).forget(now - KEEP_EVENTS)
            ),
            "refresh tokens": lambda: self._in_transaction(lambda at: RefreshTokenRepository(at).forget(now)),
        }
        await for_each("tidy", tasks, lambda what: tasks[what](), name=str)

    async def _process(self, kind: str) -> None:
        wake_up = self._wake_ups[kind]
        while True:
            wake_up.clear()
            try:
                await self.outbox.drain(kind)
                await self._count()
            except UnavailableError as error:
                logger.warning("processing jobs failed, retrying: %s", error.__cause__ or error, extra={"kind": kind})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311  jitter
                    await wake_up.wait()

    def _on_wake_up(self) -> None:
        for event in self._wake_ups.values():
            event.set()

    async def _count(self) -> None:
        async with self._infrastructure.database.transaction() as session:
            counts = await OutboxRepository(session).counts(self._infrastructure.clock())
        for state in (PENDING, DEAD):
            entries.labels(state).set(counts.get(state, 0))

    async def _erase_gone(self) -> int:
        """Erase dead letters about deleted tenants: they contain the customer's address."""
        before = self._infrastructure.clock() - GONE_AFTER
        about = await self._in_transaction(lambda at: OutboxRepository(at).subjects_of_dead(MAILED, before))
        gone = about - await self._infrastructure.tenants.subjects() if about else about
        return await self._in_transaction(lambda at: OutboxRepository(at).erase_payloads_about(MAILED, gone))

    async def _in_transaction(self, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._infrastructure.database.transaction() as session:
            return await do(session)


def create_worker_app(settings: Settings, clock: Clock = now) -> Litestar:
    """Its lifespan runs the worker; its routes are /healthz, /readyz and /metrics."""
    infrastructure = composition.infrastructure(settings, clock)
    health = Health(infrastructure.database, lambda: True)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with infrastructure.open(), composition.running(Worker(infrastructure).tasks()):
            yield

    return internal_app(health, [lifespan])
