"""The `job` command: runs one attempt of a job in this process and exits.

It reads secrets from the same mounted files as the server. It has a lower CPU priority than the server, and a memory
limit, so that the pod's OOM limit never kills both.
"""

import asyncio
import os
import resource
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from vivero_core.tracing.context import read
from vivero_core.tracing.spans import Kind, Tracer
from vivero_web.errors import UnavailableError, WebError, explained

from vivero_data.clients.storage import Storage
from vivero_data.db.database import Database
from vivero_data.domain.audit.anchors import Anchors
from vivero_data.domain.files.service import FileService
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.registry import KINDS
from vivero_data.domain.jobs.repository import Attempt, Order
from vivero_data.domain.jobs.task import JobLostError, TaskContext, actor_of
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.json import decode
from vivero_data.settings import Settings
from vivero_data.telemetry import tracer_of

MEMORY_LIMIT: Final = 160 * 1024**2  # bytes: with the server's 70 MiB and its peaks below the pod's 256 MiB
_NICE: Final = 10
_DATABASE_TIMEOUT: Final = 20.0  # seconds to connect
_CONNECTIONS: Final = 2  # one for the task, one for heartbeats

log = structlog.get_logger(__name__)


def limit_resources() -> None:
    """Lower this process's priority and limit its memory."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would contain keys


async def run_job(settings: Settings, attempt: Attempt) -> int:
    """The process's exit status: 0 if the outcome is recorded in the job's row."""
    tls = settings.tls()
    database, storage = Database(settings.database, tls, _CONNECTIONS), Storage(settings.storage, tls)
    limits = LimitService(settings.limits_file)
    files = FileService(database, storage, limits, settings.app.file_key, settings.env.max_file_bytes)
    anchors = Anchors(storage, settings.env.tenant_id)

    def context_of(actor: Actor) -> TaskContext:
        return TaskContext(attempt, actor, database, files, limits, anchors, settings)

    tracer = tracer_of(settings)
    try:
        await database.open(_DATABASE_TIMEOUT)
        return await _attempt(attempt, database, context_of, tracer)
    finally:
        await database.close()
        storage.close()
        tracer.close()


async def _attempt(
    attempt: Attempt, database: Database, context_of: Callable[[Actor], TaskContext], tracer: Tracer
) -> int:
    try:
        await _do(attempt, database, context_of, tracer)
    except JobLostError:
        log.warning("job_lost", job=attempt.job_id, attempt=attempt.number)
    except WebError as error:
        log.warning("job_failed", job=attempt.job_id, attempt=attempt.number, problem=explained(error))
        async with database.read() as connection:
            for_good = not isinstance(error, UnavailableError)
            await repository.fail(connection, attempt, error.detail, for_good=for_good)
    except Exception:
        # A bug, or out of memory: the runner records it from the exit status.
        log.exception("job_crashed", job=attempt.job_id, attempt=attempt.number)
        return 1
    return 0


async def _do(attempt: Attempt, database: Database, context_of: Callable[[Actor], TaskContext], tracer: Tracer) -> None:
    async with database.read() as connection:
        order = await repository.order_of(connection, attempt)
        if order is None:
            raise JobLostError
        context = context_of(await actor_of(connection, order.user_id))
    attributes = {"vivero.job": attempt.job_id, "vivero.attempt": attempt.number}
    with tracer.begin(f"job {order.kind}", Kind.CONSUMER, attributes, read(order.traceparent)):
        await _run(order, context)


async def _run(order: Order, context: TaskContext) -> None:
    running = asyncio.create_task(msgspec.convert(decode(order.work), KINDS[order.kind]).run(context))
    heartbeats = asyncio.create_task(context.heartbeat())
    try:
        await asyncio.wait({running, heartbeats}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        first, other = (running, heartbeats) if running.done() else (heartbeats, running)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
    await first
