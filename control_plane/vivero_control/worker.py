"""The worker: works off the outbox, runs the trials' timetable, tidies up.

The outbox is looked at every few seconds whatever happens to Valkey; SAQ wakes
the worker at once when something was written, and keeps the timetable.

It listens on the port for kubelet and Prometheus, and on no other.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar
from prometheus_client import Gauge
from redis.exceptions import RedisError
from saq import CronJob, Worker
from saq.types import Context
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock, now
from vivero_web.errors import UnavailableError

from vivero_control import composition
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.outbox import KEEP_DONE, Outbox
from vivero_control.domain.notifications.repository import DEAD, PENDING, OutboxRepository
from vivero_control.domain.notifications.sender import MailSender
from vivero_control.domain.signups import provisioning
from vivero_control.domain.staff import resets
from vivero_control.domain.staff.repository import RefreshTokenRepository
from vivero_control.domain.tenants.jobs import TrialJob
from vivero_control.lib.each import each
from vivero_control.lib.health import Health
from vivero_control.lib.idempotency import KEEP
from vivero_control.lib.internal import internal_app
from vivero_control.lib.queue import DRAIN
from vivero_control.settings import Settings

logger = logging.getLogger(__name__)

OUTBOX_SECONDS: Final = 10.0  # what a lost wake-up costs at most
TRIALS_EVERY: Final = "*/5 * * * *"
TIDY_EVERY: Final = "17 3 * * *"
JOB_SECONDS: Final = 300
CONCURRENCY: Final = 4

entries = Gauge("vivero_control_outbox_entries", "Outbox entries that are not done", ["state"])


class QuietWorker(Worker[Context]):
    """Leaves the signals to uvicorn, which ends us through the lifespan."""

    SIGNALS = []  # noqa: RUF012  SAQ's own class attribute


class Jobs:
    """What the timetable calls."""

    def __init__(self, backends: composition.Backends) -> None:
        self._backends = backends
        settings = backends.settings
        sender = MailSender(settings.mail.server(), settings.tls())
        reset_mails = resets.ResetMails(backends.database, sender, settings.origin, settings.domain, backends.clock)
        actions = {
            provisioning.KIND: backends.provisioning.perform,
            mails.KIND: sender.perform,
            resets.KIND: reset_mails.perform,
        }
        self.outbox = Outbox(backends.database, actions, backends.clock)
        self.trials = TrialJob(
            database=backends.database,
            tenants=backends.tenants,
            audit=AuditService(backends.database, backends.clock),
            send_mails=self.outbox.drain,
            tenant_url=settings.tenant_url,
            clock=backends.clock,
        )

    async def keep_draining(self) -> None:
        """Until cancelled, with Valkey or without."""
        while True:
            try:
                await self.drain()
            except UnavailableError as error:
                logger.warning("outbox not worked off: %s", error.__cause__ or error)
            await asyncio.sleep(OUTBOX_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311  jitter

    async def drain_outbox(self, _: Context) -> None:
        """When woken."""
        await self.drain()

    async def drain(self) -> None:
        await self.outbox.drain()
        async with self._backends.database.transaction() as session:
            counts = await OutboxRepository(session).counts()
        for state in (PENDING, DEAD):
            entries.labels(state).set(counts.get(state, 0))

    async def end_trials(self, _: Context) -> None:
        await self.trials.run()

    async def tidy(self, _: Context) -> None:
        """Remove what has served its purpose, each kind by itself."""
        now = self._backends.clock()
        tasks: dict[str, Callable[[], Awaitable[int]]] = {
            "idempotency keys": lambda: self._backends.idempotency.forget(now - KEEP),
            "outbox entries": lambda: self._in_transaction(lambda at: OutboxRepository(at).forget(now - KEEP_DONE)),
            "refresh tokens": lambda: self._in_transaction(lambda at: RefreshTokenRepository(at).forget(now)),
        }
        await each("tidy", tasks, lambda what: tasks[what](), name=str)

    async def _in_transaction(self, forget: Callable[[AsyncSession], Awaitable[int]]) -> int:
        async with self._backends.database.transaction() as session:
            return await forget(session)

    def worker(self) -> QuietWorker:
        cron: list[CronJob[Any]] = [
            CronJob(self.end_trials, cron=TRIALS_EVERY, timeout=JOB_SECONDS, retries=1, ttl=60),
            CronJob(self.tidy, cron=TIDY_EVERY, timeout=JOB_SECONDS, retries=3, ttl=60),
        ]
        return QuietWorker(
            self._backends.queue,
            functions=[(DRAIN, self.drain_outbox)],
            concurrency=CONCURRENCY,
            cron_jobs=cron,
            shutdown_grace_period_s=10,
        )


async def work(worker: QuietWorker) -> None:
    """Until cancelled; saying goodbye to a Valkey that is away is no failure."""
    try:
        await worker.start()
    except (RedisError, OSError) as error:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            raise
        logger.warning("worker ends without telling Valkey: %s", type(error).__name__)


def create_worker_app(settings: Settings, clock: Clock = now) -> Litestar:
    """Its lifespan runs the worker; its routes are /healthz, /readyz and /metrics."""
    backends = composition.backends(settings, clock)
    health = Health(backends.database, lambda: True)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with backends.open():
            jobs = Jobs(backends)
            tasks = {"outbox": jobs.keep_draining, "worker": lambda: work(jobs.worker())}
            async with composition.running(tasks):
                yield

    return internal_app(health, [lifespan])
